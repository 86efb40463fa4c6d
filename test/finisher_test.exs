Code.require_file("support/finisher.exs", __DIR__)
Code.require_file("support/frame_abandoned.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies Upcall.FinisherTest, native: UpcallTest.Finisher do
  use ExUnit.Case, async: false

  import UpcallTest.FrameKill
  import UpcallTest.Wait, only: [until: 1, until_no_frames: 1]

  setup do
    {made, destroyed} = Native.objects()
    Native.open_gate(false)
    on_exit(fn -> Native.open_gate(true) end)
    %{made: made, destroyed: destroyed}
  end

  defp abandon(count, call), do: kill(suspend(count, call))

  defp assert_finished(context, objects) do
    until_no_frames(Native)
    assert Native.objects() == {context.made + objects, context.destroyed + objects}
    assert %{finishing: 0} = Upcall.info(Native)
  end

  describe "abandoned frames that take long to unwind" do
    test "do not keep others from being finished", context do
      abandon(20, &Native.end_slowly/1)
      until(fn -> Native.at_gate() == 20 end)
      assert %{abandoned: 20, finishing: 20} = Upcall.info(Native)

      abandon(100, &Native.end_at_once/1)
      until(fn -> Upcall.info(Native).abandoned == 20 end)
      Native.open_gate(true)
      assert_finished(context, 120)
    end

    test "take no more than 64 threads, and all end", context do
      abandon(80, &Native.end_slowly/1)
      until(fn -> Native.at_gate() == 64 end)
      assert %{abandoned: 80, finishing: 64} = Upcall.info(Native)
      Native.open_gate(true)
      assert_finished(context, 80)
    end
  end

  # The rest is not about bodies.
  if @body == :fiber do
    @tag :tmp_dir
    @tag :slow
    test "native code that nobody waits for and that goes on is reported, once for each function",
         %{tmp_dir: directory} do
      calls = [:end_slowly, :end_slowly, :end_slowly_too, :end_slowly_pinned]

      code = """
      import UpcallTest.FrameKill
      alias #{inspect(Native)}, as: Native
      path = #{inspect(Path.join(directory, "stderr"))}
      Native.redirect_stderr(path)
      Native.open_gate(false)
      for call <- #{inspect(calls)}, do: kill(suspend(2, &apply(Native, call, [&1])))
      told? = &(File.read!(path) =~ "the caller of \#{&1}/1 has died")
      UpcallTest.Wait.until(fn -> Enum.all?(#{inspect(calls)}, told?) end)
      Native.open_gate(true)
      UpcallTest.Wait.until_no_frames(Native)
      IO.puts(File.read!(path))
      """

      {output, status} =
        UpcallTest.ChildVM.run(code,
          require: ["support/finisher.exs", "support/frame_abandoned.exs"]
        )

      assert {status, output} == {0, output}

      reported =
        Regex.scan(
          ~r/upcall: the caller of (\w+)\/1 has died, and for more than a second/,
          output
        )

      assert Enum.sort(for [_, name] <- reported, do: String.to_atom(name)) ==
               Enum.sort(Enum.uniq(calls))
    end
  end

  if @body == :fiber and :os.type() == {:unix, :linux} do
    describe "where no thread is to be had" do
      @describetag :tmp_dir

      # Runs `code` in a VM where none is while the file `path` is there.
      defp run_refusing(directory, code) do
        path = Path.join(directory, "no_threads")
        shim = UpcallTest.Native.path("refuse_threads") <> ".so"
        before = Enum.map_join(List.wrap(System.get_env("LD_PRELOAD")), &"#{&1}:")

        UpcallTest.ChildVM.run(
          """
          import UpcallTest.FrameKill
          path = #{inspect(path)}
          load = fn -> Code.require_file("test/support/finisher.exs") end
          #{code}
          """,
          require: ["support/frame_abandoned.exs"],
          env: [{"LD_PRELOAD", before <> shim}, {"UPCALL_TEST_NO_THREADS", path}]
        )
      end

      @tag :slow
      test "abandoned frames wait until there is one", %{tmp_dir: directory} do
        {output, status} =
          run_refusing(directory, """
          load.()
          alias #{inspect(Native)}, as: Native
          pids = suspend(10, &Native.end_at_once/1)
          File.touch!(path)
          kill(pids)
          UpcallTest.Wait.until(fn -> File.exists?(path <> ".refused") end)
          UpcallTest.Wait.until(fn -> match?(%{abandoned: 10}, Upcall.info(Native)) end)
          IO.inspect(Upcall.info(Native).finishing, label: "finishing")
          File.rm!(path)
          UpcallTest.Wait.until_no_frames(Native)
          IO.inspect(Native.objects(), label: "objects")
          """)

        assert {status, output} == {0, output}
        assert output =~ "finishing: 0"
        assert output =~ "objects: {10, 10}"
      end

      @tag :slow
      test "a library is not loaded, and that is said", %{tmp_dir: directory} do
        {output, _status} =
          run_refusing(directory, "File.touch!(path)\nload.()\n#{inspect(Native)}.objects()")

        assert output =~ "no thread could be started"
        assert output =~ "UndefinedFunctionError"
      end
    end
  end
end
