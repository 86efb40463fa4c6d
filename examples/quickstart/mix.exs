defmodule Demo.MixProject do
  use Mix.Project

  def project do
    [
      app: :demo,
      version: "0.1.0",
      elixir: "~> 1.14",
      deps: [{:upcall, path: "../.."}],
      aliases: [compile: [&build_native/1, "compile"]]
    ]
  end

  def application, do: [extra_applications: [:logger], mod: {Demo.Application, []}]

  defp build_native(_) do
    include = Path.join(Mix.Project.deps_paths()[:upcall], "c_include")
    {_, 0} = System.cmd("make", [], env: [{"UPCALL_INCLUDE", include}], into: IO.stream())
  end
end
