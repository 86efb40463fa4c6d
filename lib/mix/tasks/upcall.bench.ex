defmodule Mix.Tasks.Upcall.Bench do
  @shortdoc "Measures what Upcall's calls cost on this machine"

  @moduledoc """
  Measures what Upcall's calls cost on this machine.

      $ mix upcall.bench
      own: what calls of `fn x -> x * x end` cost on this machine

      contender                               input       median         mean          p99         runs
      apply                                  100000     13.58 ns     13.61 ns     13.87 ns           20
      nif                                    100000     18.11 ns     18.71 ns     21.96 ns           20
      frame                                  100000     37.39 ns     38.53 ns     43.36 ns           20
      task                                   100000     34.74 ns     36.51 ns     47.88 ns           20
      frame_once                                  1    269.82 ns    281.12 ns    365.16 ns           20
      server                                   1000   2775.42 ns   5102.86 ns  48282.52 ns           20
      pool                                     1000   2843.62 ns   3125.09 ns   8263.75 ns           20

        apply               apply(fun, [x])
        nif                 a plain NIF call, which calls nothing back
        frame               f(x) on a fiber, among many from one NIF call
        task                f(x) in a coroutine, among many from one NIF call
        frame_once          a NIF call on a fiber that makes one
        server              f.on(server)(x) on a thread
        pool                f.on(pool)(x) on a thread

  Above it, the machine, the flags of the VM and the versions of all that takes part. A price is that of one call; `input` is how many calls a native call, or a thread, makes in a row. Each
  contender is measured 20 times, in turn with the others, and every result is checked. Where the mean is
  far above the median, other work wants the cores: try again when it is done. `server` and `pool` cost
  several times as much then, as the threads sleep that else spin.

  ## How long it takes

  13 seconds where nothing is built yet, 4 after that, on 2 cores that others use as well. Most of the first
  time goes to the C++ compiler. It builds into the project's build path, and anew where Upcall, the compiler,
  its flags, Boost or Erlang's headers have changed. The project itself is not compiled, nor started.

  ## What it needs

    * a C++20 compiler (g++ 12, clang 14 or newer): the environment variable CXX says which one, else it is
      `c++`. CXXFLAGS come after `-O2`, as in `CXXFLAGS="-I/opt/boost/include -L/opt/boost/lib"`.
    * Erlang's headers (Debian: erlang-dev)
    * Boost.Context's static library (Debian: libboost-context-dev)

  The task takes no arguments.
  """

  use Mix.Task

  @bench Path.expand("../../../bench", __DIR__)

  @modules ~w(bench.ex harness.ex main.ex machine.ex report.ex statistics.ex
    callback/callback.ex callback/body.ex callback/in_elixir.ex callback/nif.ex
    blocking/blocking.ex own/own.ex)

  # They are compiled when the task runs: their libraries are built only then, and a release, which
  # loads all modules of an application, would look for them in vain.
  @compile {:no_warn_undefined, [Bench.Main, Bench.Own, Bench.Own.Build]}

  @impl Mix.Task
  def run([]) do
    Mix.Task.run("loadpaths")
    {:ok, _} = Application.ensure_all_started(:upcall)

    dir = Path.join(Mix.Project.build_path(), "upcall_bench")
    compile!(["own/build.ex"])
    Bench.Own.Build.run(dir)

    System.put_env("UPCALL_BENCH_NATIVE_DIR", Path.join(dir, "native"))
    compile!(@modules)
    Bench.Main.run([{"own", [Bench.Own]}])
    :ok
  end

  def run([argument | _]) do
    Mix.raise(
      "mix upcall.bench takes no arguments, got: #{argument}; mix help upcall.bench says what it does"
    )
  end

  defp compile!(files) do
    # A project's own module may be called Bench, too; and the other questions' modules are not there.
    options = Code.compiler_options(ignore_module_conflict: true, no_warn_undefined: :all)
    paths = Enum.map(files, &Path.join(@bench, &1))

    case Kernel.ParallelCompiler.compile(paths, return_diagnostics: true) do
      {:ok, _, _} ->
        :ok

      {:error, _, _} ->
        Mix.raise("the benchmarks in #{@bench} do not compile; the errors are above")
    end

    Code.compiler_options(options)
  end
end
