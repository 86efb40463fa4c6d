defmodule Pipeline.MixProject do
  use Mix.Project

  def project do
    [
      app: :pipeline,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: elixirc_paths(Mix.env()),
      compilers: [:native] ++ Mix.compilers(),
      deps: [{:upcall, path: "../.."}]
    ]
  end

  def application, do: []

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_), do: ["lib"]
end

# With Hex at hand, elixir_make does this: `compilers: [:elixir_make] ++ Mix.compilers()`,
# `make_cwd: "c_src"` and
# `make_env: fn -> %{"UPCALL_INCLUDE_DIR" => to_string(Upcall.include_dir())} end`.
defmodule Mix.Tasks.Compile.Native do
  use Mix.Task.Compiler

  @impl true
  def run(_args) do
    environment = [
      {"MIX_APP_PATH", Mix.Project.app_path()},
      {"ERTS_INCLUDE_DIR", Path.join([:code.root_dir(), "usr", "include"])},
      {"UPCALL_INCLUDE_DIR", Upcall.include_dir()}
    ]

    make = ["--no-print-directory", "-C", "c_src"]

    case System.cmd("make", make, env: environment, into: IO.stream(:stdio, :line)) do
      {_output, 0} ->
        :ok

      {_output, status} ->
        Mix.raise("make ended with status #{status}: see what it printed above")
    end
  end
end
