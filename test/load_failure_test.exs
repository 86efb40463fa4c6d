defmodule UpcallTest.LoadFailureTest do
  # Captures what the VM prints.
  use ExUnit.Case

  import ExUnit.CaptureIO

  @moduletag :tmp_dir
  @compiler System.get_env("CXX") || "c++"

  describe "a library that can't be loaded" do
    test "because nothing in it is UPCALL_INIT", %{tmp_dir: directory} do
      assert load_error(directory, "int nothing() { return 1; }") =~
               ~s|; write UPCALL_INIT("Elixir.UpcallTest.LoadFailureTest") once, outside of all namespaces, | <>
                 "in one of the files that are linked into it"
    end

    test "because a library that it uses was not linked", %{tmp_dir: directory} do
      message =
        load_error(directory, """
        extern "C" int sqlite3_open_of_tests();
        int use() { return sqlite3_open_of_tests(); }
        """)

      assert message =~ "undefined symbol: sqlite3_open_of_tests"

      assert message =~
               "; link the library that has sqlite3_open_of_tests behind your own files (-l…, or LINK … of " <>
                 "upcall_add_nif), or the file of yours that should define it"

      refute message =~ "build it for this machine"
    end

    test "because C++ of another library was not linked", %{tmp_dir: directory} do
      assert load_error(directory, """
             namespace other { void compute(); }
             void use() { other::compute(); }
             """) =~ "(c++filt _ZN5other7computeEv says what that is)"
    end

    test "because Boost.Context was not linked", %{tmp_dir: directory} do
      assert load_error(directory, """
             extern "C" int jump_fcontext();
             int use() { return jump_fcontext(); }
             """) =~ "; that is Boost.Context's: link its static library (-l:libboost_context.a"
    end

    test "because it was built for a newer Erlang/OTP", %{tmp_dir: directory} do
      assert load_error(directory, """
             extern "C" int enif_of_tomorrow();
             int use() { return enif_of_tomorrow(); }
             """) =~ "; this Erlang/OTP is older than the one whose erl_nif.h it was built with"
    end

    test "because a library that it needs is not there", %{tmp_dir: directory} do
      needed = Path.join(directory, "libneeded.so")
      compile(directory, "needed", "int needed() { return 1; }", ["-o", needed])

      library =
        compile(directory, "user", "int needed(); int use() { return needed(); }", [needed])

      File.rm!(needed)

      assert failure(library) =~ "; install that library on this machine, or link it statically"
    end

    test "because its application is in an escript", %{tmp_dir: directory} do
      escript = Path.join(directory, "demo")

      {:ok, {_, archive}} =
        :zip.create(~c"demo", [{~c"demo/priv/demo.so", "a library"}], [:memory])

      File.write!(escript, ["#!/usr/bin/env escript\n", archive])

      # The log would come too late: an escript that fails ends at once.
      told =
        capture_io(:stderr, fn ->
          assert failure(Path.join(escript, "demo/priv/demo")) =~
                   "demo/priv/demo.so: #{escript} is an archive (an escript?), and no library can be " <>
                     "loaded out of one; put the library beside it and give its absolute path as the :path option"
        end)

      assert told =~
               "#{inspect(__MODULE__)}: cannot load the native library #{escript}/demo/priv/demo.so"
    end
  end

  # As Clang's linker takes them.
  test "a library of which only some files were compiled with the runtime is told what to define" do
    text = "Library load-call unsuccessful (4)."

    assert Upcall.LoadFailure.message(Demo, "/priv/demo", :load, text) =~
             "some of its files were compiled with UPCALL_SEPARATE_COMPILATION and some without; define it in all"
  end

  # What other systems' linkers say, of which there is one here at most.
  test "an undefined symbol is told in the words of musl and of macOS, too" do
    for text <- [
          "Error relocating /priv/demo.so: deflate: symbol not found",
          "dlopen(/priv/demo.so, 0x0002): symbol not found in flat namespace '_deflate'",
          "dlopen(/priv/demo.so, 2): Symbol not found: _deflate"
        ] do
      assert Upcall.LoadFailure.message(Demo, "/priv/demo", :load_failed, text) =~
               "; link the library that has deflate behind your own files"
    end
  end

  defp load_error(directory, source),
    do: directory |> compile("library", source) |> failure()

  # Gives the path without `.so`.
  defp compile(directory, name, source, more \\ []) do
    path = Path.join(directory, name)
    File.write!(path <> ".cpp", source)

    arguments = ["-shared", "-fPIC", path <> ".cpp", "-o", path <> ".so"] ++ more
    {"", 0} = System.cmd(@compiler, arguments, stderr_to_stdout: true)
    path
  end

  defp failure(path) do
    load = fn path, info -> :erlang.load_nif(path, info) end

    assert_raise(RuntimeError, fn ->
      Upcall.Library.load!(__MODULE__, [otp_app: :upcall, path: path], [], load, fn -> [] end)
    end).message
  end
end
