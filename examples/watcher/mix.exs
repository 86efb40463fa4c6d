defmodule Watcher.MixProject do
  use Mix.Project

  def project do
    [
      app: :watcher,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: elixirc_paths(Mix.env()),
      deps: [{:upcall, path: "../.."}],
      aliases: [compile: [&build_native/1, "compile"]]
    ]
  end

  def application, do: [extra_applications: [:logger]]

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_), do: ["lib"]

  defp build_native(_) do
    include = Path.join(Mix.Project.deps_paths()[:upcall], "c_include")

    make = ["--no-print-directory"]
    options = [env: [{"UPCALL_INCLUDE", include}], into: IO.stream()]

    with {_, status} when status != 0 <- System.cmd("make", make, options) do
      Mix.raise("make ended with status #{status}: see what it printed above")
    end
  end
end
