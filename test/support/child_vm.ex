defmodule UpcallTest.ChildVM do
  @moduledoc false
  # Runs code in a VM of its own: for other flags, or because it ends that VM.

  @project_dir Path.expand("../..", __DIR__)

  # It ends with the VM that started it, whose end of the pipe is closed then.
  @end_with_parent "spawn(fn -> :eof = IO.read(:line); System.halt(3) end)"

  @doc """
  Evaluates `code` in a new VM and returns what it printed, standard error included, and its exit status.

  Options: `:flags` (of `erl`, a string), `:require` (files of the test directory to load first), `:env`
  (a list of pairs) and `:dump_core_in` (a directory, where it may leave a core: the shell, which has
  started it, says then how it ended).
  """
  @spec run(String.t(), keyword()) :: {String.t(), non_neg_integer()}
  def run(code, options \\ []) do
    erl = ["--erl", options[:flags] || ""]
    test_dir = Path.join(@project_dir, "test")
    required = Enum.flat_map(options[:require] || [], &["-r", Path.join(test_dir, &1)])
    paths = ["-pa", Application.app_dir(:upcall, "ebin")]
    arguments = erl ++ paths ++ required ++ ["-e", @end_with_parent, "-e", code]
    more = [env: options[:env] || [], stderr_to_stdout: true]

    case options[:dump_core_in] do
      nil ->
        System.cmd("elixir", arguments, [cd: @project_dir] ++ more)

      directory ->
        # Not the last command, or the shell would be replaced, and say nothing.
        dumping = "ulimit -c $(ulimit -Hc); elixir \"$@\"; exit $?"
        System.cmd("sh", ["-c", dumping, "sh" | arguments], [cd: directory] ++ more)
    end
  end

  @doc """
  Evaluates `code` as `run/2` does, in a VM that is to crash: the sanitizers do not report that.
  """
  @spec run_to_crash(String.t(), keyword()) :: {String.t(), non_neg_integer()}
  def run_to_crash(code, options \\ []) do
    quiet = [
      {"ASAN_OPTIONS", "handle_segv=0:detect_leaks=0"},
      {"UBSAN_OPTIONS", "handle_segv=0"}
    ]

    {output, status} = run(code, Keyword.update(options, :env, quiet, &(&1 ++ quiet)))
    # An emulator has a last word of its own.
    {Regex.replace(~r/^qemu: uncaught target signal .*\n/m, output, ""), status}
  end
end
