defmodule Upcall.MixProject do
  use Mix.Project

  # CMakeLists.txt reads this line.
  @version "0.1.0"
  @source_url "https://github.com/upcall-elixir/upcall"

  def project do
    [
      app: :upcall,
      version: @version,
      elixir: "~> 1.14",
      name: "Upcall",
      description: "Lets NIFs written in C++ call Elixir and Erlang functions",
      source_url: @source_url,
      elixirc_paths: elixirc_paths(Mix.env()),
      # From Elixir 1.19 on, `mix test` warns of other scripts below test.
      test_ignore_filters: [&(Path.dirname(&1) in ["test/support", "test/soak"])],
      deps: deps(Mix.env()),
      docs: docs(),
      package: package()
    ]
  end

  def application,
    do: [extra_applications: extra_applications(Mix.env()), mod: {Upcall.Application, []}]

  # From Elixir 1.15 on, only applications that are named here are found.
  defp extra_applications(:test), do: [:logger, :proper]
  defp extra_applications(_env), do: [:logger]

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_env), do: ["lib"]

  # `only:` alone is not enough: Mix asks for Hex as soon as it sees a Hex dependency, whatever
  # its environment.
  defp deps(:docs), do: [{:ex_doc, "~> 0.34", only: :docs, runtime: false}]
  defp deps(:bench), do: [{:benchee, "~> 1.3", only: :bench}]
  defp deps(_env), do: []

  defp docs do
    guides = Path.wildcard("docs/*.md")

    [
      main: "readme",
      source_ref: "v#{@version}",
      extras: ["README.md" | guides] ++ ["CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"],
      # The README and the guides name them by other paths.
      assets: %{"docs/images" => "images", "docs" => "docs"},
      groups_for_extras: [Guides: guides]
    ]
  end

  defp package do
    [
      licenses: ["MIT"],
      links: %{
        "GitHub" => @source_url,
        "Changelog" => "#{@source_url}/blob/main/CHANGELOG.md"
      },
      # `mix upcall.bench` compiles some of the benchmarks in the user's project.
      files:
        ~w(.formatter.exs c_include cmake CMakeLists.txt lib docs mix.exs README.md CHANGELOG.md LICENSE
          bench/*.ex bench/*/*.ex bench/*/*.cpp)
    ]
  end
end
