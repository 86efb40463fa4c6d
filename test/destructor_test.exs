Code.require_file("support/destructor.exs", __DIR__)

defmodule Upcall.DestructorTest do
  use ExUnit.Case

  import ExUnit.CaptureLog

  alias UpcallTest.{ChildVM, Wait}
  alias UpcallTest.Destructor, as: Native

  @at_once 10_000

  setup do
    on_exit(fn ->
      Wait.until_no_frames(Native)
      assert Upcall.info(Native).parked == 0
    end)

    Wait.until(fn -> match?({_, _, 0}, Native.counts()) end)
    {accepted, refused, 0} = Native.counts()
    name = :"#{__MODULE__}.#{System.unique_integer([:positive])}"
    server = start_supervised!({Upcall.Server, name: name})
    pool = start_supervised!({Upcall.Pool, size: 2})
    test = self()
    # In the executor: tells the test that it was told.
    tell = fn number, note -> send(test, {:told, number, note, self()}) end
    before = {accepted, refused}
    %{server: server, name: name, pool: pool, tell: tell, before: before}
  end

  defp assert_told(number) do
    assert_receive {:told, ^number, note, executor}, @at_once
    {note, executor}
  end

  # A cast is counted when it has returned, and may have been run before.
  defp assert_counts(%{before: {accepted, refused}}, more_accepted, more_refused) do
    Wait.until(fn -> match?({_, _, 0}, Native.counts()) end)
    assert Native.counts() == {accepted + more_accepted, refused + more_refused, 0}
  end

  # Makes something, and lets go of it: when it returns, the caller has no reference left.
  defp drop(make) do
    {pid, reference} =
      spawn_monitor(fn ->
        make.()
        :erlang.garbage_collect()
      end)

    assert_receive {:DOWN, ^reference, :process, ^pid, :normal}, @at_once
  end

  describe "a cast in the destructor of a resource is accepted, and run," do
    test "when the resource is collected", %{server: server, tell: tell} = context do
      pid =
        spawn(fn ->
          Native.make(tell, server, 1, :cast)
          :erlang.garbage_collect()
          receive(do: (:end -> :ok))
        end)

      assert assert_told(1) == {"normal", server}
      send(pid, :end)
      assert_counts(context, 1, 0)
    end

    test "by a pid or a name, of a server or a pool", %{tell: tell} = context do
      for where <- [context.server, context.name, context.pool] do
        drop(fn -> Native.make(tell, where, 2, :cast) end)
        assert {"normal", executor} = assert_told(2)
        if where != context.pool, do: assert(executor == context.server)
      end
    end

    # What a process with so large a heap leaves is collected on a dirty CPU scheduler.
    test "when a dirty CPU scheduler collects it", %{server: server, tell: tell} do
      test = self()

      spawn(fn ->
        kept = Enum.to_list(1..2_000_000)
        Native.make(tell, server, 3, :cast)
        :erlang.garbage_collect()
        send(test, {:kept, length(kept)})
      end)

      assert assert_told(3) == {"normal", server}
      assert_receive {:kept, 2_000_000}, @at_once
    end

    test "when the process that had it ends, or is killed",
         %{server: server, tell: tell} do
      test = self()

      for {number, ending} <- [{4, :end}, {5, :kill}] do
        pid =
          spawn(fn ->
            resource = Native.make(tell, server, number, :cast)
            send(test, :made)
            receive(do: (:end -> resource))
          end)

        assert_receive :made, @at_once
        if ending == :kill, do: Process.exit(pid, :kill), else: send(pid, :end)
        assert assert_told(number) == {"normal", server}
      end
    end

    test "when any kind of thread has let it go", %{server: server, tell: tell} do
      for native <- [
            &Native.drop_here/3,
            &Native.drop_on_dirty_cpu/3,
            &Native.drop_on_dirty_io/3,
            &Native.drop_pinned/3,
            &Native.drop_on_thread/3
          ] do
        native.(tell, server, 6)
        assert assert_told(6) == {"normal", server}
      end
    end

    test "10,000 times at once", %{tell: tell} = context do
      server = start_supervised!({Upcall.Server, max_queue: 10_000}, id: :roomy)
      drop(fn -> Native.make_many(tell, server, 10_000) end)
      for number <- 1..10_000, do: assert_told(number)
      assert_counts(context, 10_000, 0)
    end

    test "of another library, whose destructors bring no environment",
         %{server: server, tell: tell} = context do
      drop(fn -> Native.make_foreign(Native.make_caster(tell, server, 1, 100)) end)
      for number <- 1..100, do: assert(assert_told(number) == {"normal", server})
      assert_counts(context, 100, 0)
    end
  end

  describe "a cast in the destructor of a local object is accepted, and run," do
    test "in frames on every scheduler, and in pinned bodies",
         %{server: server, tell: tell} do
      for {native, thread} <- [
            {&Native.leave_scope/3, "normal"},
            {&Native.leave_scope_on_dirty_cpu/3, "dirty CPU"},
            {&Native.leave_scope_on_dirty_io/3, "dirty IO"},
            {&Native.leave_scope_pinned/3, "native"}
          ] do
        native.(tell, server, 1)
        assert assert_told(1) == {thread, server}
      end
    end

    test "when the process is killed while the call is suspended",
         %{server: server, tell: tell} do
      test = self()

      pid =
        spawn(fn ->
          Native.hold(tell, server, 1, fn ->
            send(test, :suspended)
            Process.sleep(:infinity)
          end)
        end)

      assert_receive :suspended, @at_once
      Process.exit(pid, :kill)
      assert assert_told(1) == {"native", server}
      assert assert_told(2) == {"normal", server}
    end

    # The VM takes no message from a process that was killed.
    test "when the process was killed while a dirty scheduler runs it", %{tell: tell} = context do
      for {native, thread} <- [
            {&Native.outlive_on_dirty_cpu/4, "dirty CPU"},
            {&Native.outlive_on_dirty_io/4, "dirty IO"}
          ],
          where <- [context.server, context.name] do
        pid = spawn(fn -> native.(nil, tell, where, 1) end)
        assert assert_told(0) == {thread, context.server}
        Process.exit(pid, :kill)
        assert assert_told(1) == {thread, context.server}
      end

      assert_counts(context, 8, 0)
    end
  end

  describe "plain C++ code on a scheduler" do
    test "casts in the order of its calls", %{tell: tell} = context do
      for {native, thread} <- [
            {&Native.cast_on_normal/1, "normal"},
            {&Native.cast_on_dirty_cpu/1, "dirty CPU"},
            {&Native.cast_on_dirty_io/1, "dirty IO"}
          ],
          where <- [context.server, context.name] do
        native.(Native.make_caster(tell, where, 1, 500))

        for number <- 1..500 do
          assert_receive {:told, told, ^thread, _}, @at_once
          assert told == number
        end
      end

      assert_counts(context, 3_000, 0)
    end

    test "sends what it casts before what it calls after that",
         %{server: server, tell: tell} do
      for _ <- 1..100 do
        caster = Native.make_caster(tell, server, 1, 3)
        assert {:ok, _} = Native.cast_and_apply(caster, server, tell, [4, "applied"])

        for number <- 1..4 do
          assert_receive {:told, told, _, _}, @at_once
          assert told == number
        end
      end
    end

    test "waits on a dirty IO scheduler for what it calls",
         %{server: server, tell: tell} do
      :ok = Native.call_on_dirty_io(Native.make_caster(tell, server, 1, 1))
      assert assert_told(1) == {"dirty IO", server}
    end

    test "gets the answer of a submitted call as a future",
         %{server: server, tell: tell} do
      :ok = Native.async_plain(Native.make_caster(tell, server, 7, 7))
      assert Native.await_asked() == :ok
      assert assert_told(7) == {"normal", server}

      :ok = Native.async_plain(Native.make_caster(tell, :no_such_executor, 7, 7))
      error = assert_raise Upcall.ExecutorError, fn -> Native.await_asked() end
      assert error.reason == :noproc
    end

    # What it casts is accepted before its executor is asked, and so has to be run.
    test "has all run that was accepted, of at most a thousand that wait",
         %{tell: tell} = context do
      test = self()
      pool = start_supervised!({Upcall.Pool, size: 1, max_queue: 0}, id: :narrow)

      blocking = fn number, note ->
        if number == 1 do
          send(test, {:blocked, self()})
          receive(do: (:go -> :ok))
        end

        send(test, {:told, number, note, self()})
      end

      :ok = Native.cast_on_normal(Native.make_caster(blocking, pool, 1, 1))
      assert_receive {:blocked, worker}, @at_once
      :ok = Native.cast_on_normal(Native.make_caster(blocking, pool, 2, 1_501))
      assert_counts(context, 1_001, 500)
      send(worker, :go)
      for number <- 1..1_001, do: assert_told(number)
      refute_received {:told, _, _, _}

      # There is room again.
      :ok = Native.cast_on_normal(Native.make_caster(tell, pool, 1, 1))
      assert_told(1)
      assert_counts(context, 1_002, 500)
    end

    test "has casts to an executor that does not run counted, and logged together", context do
      %{lost_casts: before} = Upcall.info(Native)

      log =
        capture_log(fn ->
          :ok = Native.cast_on_normal(Native.make_caster(context.tell, :no_such_executor, 1, 500))

          Wait.until(fn -> Upcall.info(Native).lost_casts == before + 500 end)
          Wait.until(fn -> :sys.get_state(Upcall.Monitor).lost == %{} end)
        end)

      counts =
        for [_, count] <- Regex.scan(~r/no_such_executor does not run, and (\d+) cast/, log),
            do: String.to_integer(count)

      assert Enum.sum(counts) == 500
      assert length(counts) < 10
      assert_counts(context, 500, 0)
    end

    test "is refused when there is no thread to send for it" do
      code = """
      {:ok, server} = Upcall.Server.start_link()
      test = self()
      tell = fn number, _ -> send(test, {:told, number}) end
      :ok = UpcallTest.Destructor.cast_without_threads(UpcallTest.Destructor.make_caster(tell, server, 1, 2))
      IO.inspect(UpcallTest.Destructor.counts())
      :ok = UpcallTest.Destructor.cast_on_normal(UpcallTest.Destructor.make_caster(tell, server, 3, 4))
      IO.inspect(for _ <- 1..2, do: receive(do: ({:told, number} -> number)))
      IO.inspect(UpcallTest.Destructor.counts())
      """

      assert {"{0, 2, 0}\n[3, 4]\n{2, 2, 0}\n", 0} =
               ChildVM.run(code, require: ["support/destructor.exs"])
    end
  end

  describe "in the destructor of a resource" do
    test "a call says what to use", %{server: server, tell: tell} do
      drop(fn -> Native.make(tell, server, 1, :call) end)

      assert assert_told(1) ==
               {"waiting for an executor in the destructor of a resource would block a scheduler of " <>
                  "the VM; in a destructor, use cast or try_call", server}

      drop(fn -> Native.make(tell, server, 2, :call_kept) end)

      assert assert_told(2) ==
               {"an upcall was made in the destructor of a resource, where no process waits for it; " <>
                  "in a destructor, use f.on(executor).cast(…), or try_call", server}
    end

    test "try_call and try_get give that as a value", %{server: server, tell: tell} do
      for way <- [:try_call, :try_call_kept, :try_get] do
        drop(fn -> Native.make(tell, server, 1, way) end)
        # The function itself may have been run, too: what is dropped may have begun.
        assert_receive {:told, 1, "" <> text, ^server} when text != "call", @at_once
        assert text =~ ~r/in the destructor of a resource.*in a destructor, use/
      end
    end

    test "a cast to an executor that does not run is refused", %{tell: tell} = context do
      dead = spawn(fn -> :ok end)
      Wait.until(fn -> not Process.alive?(dead) end)

      for {where, count} <- [{dead, 1}, {:no_such_executor, 2}] do
        drop(fn -> Native.make(tell, where, 1, :cast) end)
        Wait.until(fn -> elem(Native.counts(), 1) == elem(context.before, 1) + count end)
      end

      assert_counts(context, 0, 2)
    end

    test "an error that leaves it ends the VM, and says what to use" do
      code = """
      {:ok, server} = Upcall.Server.start_link()
      spawn(fn -> UpcallTest.Destructor.make(fn _, _ -> :ok end, server, 1, :throws) end)
      Process.sleep(:infinity)
      """

      {output, status} = ChildVM.run_to_crash(code, require: ["support/destructor.exs"])
      assert status != 0

      assert output =~
               "upcall: an exception left the destructor of a resource, on a scheduler, which ends the " <>
                 "VM: waiting for an executor in the destructor of a resource would block a " <>
                 "scheduler of the VM; in a destructor, use cast or try_call"
    end
  end

  describe "the destructors of a module's objects" do
    @keep """
    {:ok, server} = Upcall.Server.start_link()
    main = self()
    tell = fn number, _ -> send(main, {:told, number}) end

    keep = fn ->
      spawn(fn ->
        kept =
          {UpcallTest.Destructor.make(tell, server, 1, :cast),
           UpcallTest.Destructor.make_foreign(UpcallTest.Destructor.make_caster(tell, server, 2, 2))}

        send(main, :made)
        receive(do: (:end -> kept))
      end)
    end

    keeper = keep.()
    receive(do: (:made -> :ok))
    """
    @load "Code.compile_file(\"test/support/destructor.exs\")\n"
    @drop """
    Process.exit(keeper, :kill)
    Enum.sort(for _ <- 1..2, do: receive(do: ({:told, number} -> number))) |> IO.inspect()
    """

    @tag :slow
    test "tell when it was loaded again" do
      code =
        @keep <>
          "Code.compiler_options(ignore_module_conflict: true)\n" <>
          @load <> ":code.purge(UpcallTest.Destructor)\n" <> @drop

      assert {"[1, 2]\n", 0} = ChildVM.run(code, require: ["support/destructor.exs"])
    end

    @tag :slow
    test "do no harm when it is gone, and the executor logs that it can't ask it" do
      code =
        @keep <>
          """
          defmodule Told do
            def log(%{msg: {:string, text}}, %{config: main}), do: send(main, {:logged, "\#{text}"})
          end

          Enum.each(:logger.get_handler_ids(), &:logger.remove_handler/1)
          :logger.add_handler(:told, Told, %{config: self()})
          :code.delete(UpcallTest.Destructor)
          :code.purge(UpcallTest.Destructor)
          Process.exit(keeper, :kill)
          receive(do: ({:logged, "Upcall: a call can't be answered: " <> _} -> IO.puts("logged")))
          """ <> @load <> "keeper = keep.()\nreceive(do: (:made -> :ok))\n" <> @drop

      assert {"logged\n[1, 2]\n", 0} = ChildVM.run(code, require: ["support/destructor.exs"])
    end
  end

  describe "the library's thread" do
    test "does not keep the VM from halting" do
      code = """
      {:ok, server} = Upcall.Server.start_link()
      test = self()
      tell = fn _, _ -> send(test, :told) end
      for _ <- 1..4 do
        spawn(fn ->
          Enum.each(Stream.cycle([1]), fn _ ->
            UpcallTest.Destructor.make_foreign(UpcallTest.Destructor.make_caster(tell, server, 1, 10))
          end)
        end)
      end
      for _ <- 1..100, do: receive(do: (:told -> :ok))
      System.halt(7)
      """

      # What is on its way to its destructor when the VM halts looks lost.
      quiet = [{"ASAN_OPTIONS", "detect_leaks=0"}]
      assert {"", 7} = ChildVM.run(code, require: ["support/destructor.exs"], env: quiet)
    end
  end
end
