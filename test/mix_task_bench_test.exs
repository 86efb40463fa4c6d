defmodule UpcallTest.MixTaskBenchTest do
  # Sets CXX and CXXFLAGS, which are the whole VM's.
  use ExUnit.Case, async: false

  @moduletag :tmp_dir

  @root Path.expand("..", __DIR__)
  @contenders ~w(apply nif frame task frame_once server pool)

  # An umbrella whose one application depends on what the Hex package has.
  defp make_umbrella(dir) do
    package = Path.join(dir, "upcall")

    for pattern <- Mix.Project.config()[:package][:files],
        path <- Path.wildcard(Path.join(@root, pattern), match_dot: true) do
      copy = Path.join(package, Path.relative_to(path, @root))
      File.mkdir_p!(Path.dirname(copy))
      File.cp_r!(path, copy)
    end

    umbrella = Path.join(dir, "umbrella")
    File.mkdir_p!(Path.join(umbrella, "apps/one/lib"))

    File.write!(Path.join(umbrella, "mix.exs"), """
    defmodule Umbrella.MixProject do
      use Mix.Project
      def project, do: [apps_path: "apps", version: "7.7.7", deps: []]
    end
    """)

    File.write!(Path.join(umbrella, "apps/one/mix.exs"), """
    defmodule One.MixProject do
      use Mix.Project

      def project do
        [
          app: :one,
          version: "8.8.8",
          build_path: "../../_build",
          lockfile: "../../mix.lock",
          deps: [{:upcall, path: #{inspect(package)}}]
        ]
      end
    end
    """)

    # A project's own, by a name that the benchmarks have as well.
    File.write!(Path.join(umbrella, "apps/one/lib/bench.ex"), "defmodule Bench do\nend\n")
    umbrella
  end

  defp bench(project) do
    # The sanitizers' run preloads libraries, which are not for the compiler.
    System.cmd("mix", ["upcall.bench"],
      cd: project,
      env: [{"LD_PRELOAD", nil}, {"MIX_ENV", nil}],
      stderr_to_stdout: true
    )
  end

  defp medians(printed) do
    for name <- @contenders, into: %{} do
      row = ~r/^#{name} +(?:100000|1000|1) +(\d+\.\d+) ns +\d+\.\d+ ns +\d+\.\d+ ns +\d+$/m
      assert [_, median] = Regex.run(row, printed), "no row of #{name} in:\n#{printed}"
      {name, String.to_float(median)}
    end
  end

  @tag timeout: 180_000
  @tag unemulated: "what it measures is the emulator"
  @tag :slow
  test "measures in any project, and builds once", %{tmp_dir: dir} do
    umbrella = make_umbrella(dir)

    {printed, status} = bench(umbrella)
    assert status == 0, printed
    assert printed =~ "building the native part once"
    assert printed =~ ~r/^upcall +#{Regex.escape(Mix.Project.config()[:version])}$/m
    assert printed =~ ~r/^compiler +(GNU|Clang) \d+\.\d+\.\d+ -O2/m
    assert printed =~ ~r/^boost +1\.\d+/m
    refute printed =~ "warning"
    medians = medians(printed)
    assert medians["apply"] < medians["frame"]
    assert medians["frame"] < medians["server"]

    {printed, status} = bench(Path.join(umbrella, "apps/one"))
    assert status == 0, printed
    refute printed =~ "building"
    medians(printed)
  end

  test "takes no arguments" do
    assert_raise Mix.Error,
                 "mix upcall.bench takes no arguments, got: --fast; " <>
                   "mix help upcall.bench says what it does",
                 fn -> Mix.Tasks.Upcall.Bench.run(["--fast"]) end
  end

  describe "the build" do
    setup %{tmp_dir: dir} do
      unless Code.ensure_loaded?(Bench.Own.Build),
        do: Code.require_file(Path.join(@root, "bench/own/build.ex"))

      before = for name <- ["CXX", "CXXFLAGS"], do: {name, System.get_env(name)}
      on_exit(fn -> System.put_env(before) end)
      System.delete_env("CXXFLAGS")
      shell = Mix.shell()
      on_exit(fn -> Mix.shell(shell) end)
      Mix.shell(Mix.Shell.Process)

      compiler = Path.join(dir, "c++")
      File.write!(compiler, compiler_code(dir))
      File.chmod!(compiler, 0o755)
      System.put_env("CXX", compiler)
      # A dynamic call, as the module is in the benchmarks.
      %{build: fn -> apply(Bench.Own.Build, :run, [Path.join(dir, "build")]) end}
    end

    # Writes down what it is asked for, and fails where a file says so.
    defp compiler_code(dir) do
      """
      #!/bin/sh
      cd '#{Path.expand(dir)}'
      case "$*" in
        *-E*)
          test -e no_boost_headers || echo '#define BOOST_LIB_VERSION "1_74"'
          printf '#define __GNUC__ 12\\n#define __GNUC_MINOR__ 2\\n#define __GNUC_PATCHLEVEL__ 0\\n' ;;
        *probe.cpp*) test ! -e no_boost_library ;;
        *)
          if test -e broken; then echo 'error: this is no C++'; exit 1; fi
          while test "$1" != -o; do shift; done
          touch "$2"
          basename "$2" >>built ;;
      esac
      """
    end

    defp built(dir) do
      path = Path.join(dir, "built")
      names = if File.exists?(path), do: path |> File.read!() |> String.split(), else: []
      File.rm(path)
      Enum.sort(names)
    end

    @libraries ["own_nif.so", "square_plain.so"]

    test "is done again when what it is made of has changed", %{tmp_dir: dir, build: build} do
      build.()
      assert built(dir) == @libraries

      assert File.read!(Path.join(dir, "build/versions.txt")) ==
               "compiler: GNU 12.2.0 -O2\nboost: 1.74\n"

      build.()
      assert built(dir) == []

      System.put_env("CXXFLAGS", "-O3 -march=native")
      build.()
      assert built(dir) == @libraries
      assert File.read!(Path.join(dir, "build/versions.txt")) =~ "12.2.0 -O2 -O3 -march=native\n"

      File.rm!(Path.join(dir, "build/native/own_nif.so"))
      build.()
      assert built(dir) == @libraries

      build.()
      assert built(dir) == []
    end

    test "that has failed is done again", %{tmp_dir: dir, build: build} do
      File.touch!(Path.join(dir, "broken"))
      error = assert_raise Mix.Error, build

      assert error.message =~
               ~r/^the C\+\+ compiler failed:\n\n.*own_nif.*\nerror: this is no C\+\+/

      assert error.message =~ "Upcall needs g++ 12, clang 14 or newer; CXX says"

      File.rm!(Path.join(dir, "broken"))
      build.()
      assert built(dir) == @libraries
    end

    test "names a compiler that is not there", %{build: build} do
      System.put_env("CXX", "/nonexistent -pipe")

      assert_raise Mix.Error,
                   "the C++ compiler /nonexistent was not found; install one (Debian: apt-get " <>
                     "install g++) or set CXX to one that is there: g++ 12, clang 14 or newer",
                   build
    end

    for missing <- ["no_boost_headers", "no_boost_library"] do
      test "says what to install: #{missing}", %{tmp_dir: dir, build: build} do
        File.touch!(Path.join(dir, unquote(missing)))

        assert_raise Mix.Error,
                     ~r/^Boost.Context's static .* not found; install them \(Debian: .*-dev\) or set CXXFLAGS/,
                     build

        assert built(dir) == []
      end
    end

    test "says where Erlang's headers are not", %{tmp_dir: dir} do
      assert_raise Mix.Error,
                   "erl_nif.h is not in #{dir}/usr/include; install Erlang's headers (Debian: " <>
                     "apt-get install erlang-dev)",
                   fn -> apply(Bench.Own.Build, :run, [Path.join(dir, "build"), dir]) end
    end
  end
end
