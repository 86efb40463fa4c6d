Code.require_file("support/thread_calls.exs", __DIR__)

defmodule Upcall.ServerTest do
  use ExUnit.Case

  import ExUnit.CaptureLog
  import UpcallTest.ThreadCalls

  alias UpcallTest.Executor, as: Native
  alias UpcallTest.Wait

  @at_once 10_000

  # They wait in the library, and in no mailbox.
  defp await_waiting(count),
    do: Wait.until(fn -> Upcall.info(Native).waiting == count end)

  describe "is started" do
    test "under a supervisor, which starts it again when it was killed" do
      name = UpcallTest.Supervised
      start_supervised!({Upcall.Server, name: name})
      first = Process.whereis(name)
      assert call(name, fn -> self() end) == {:ok, first}
      Process.exit(first, :kill)
      Wait.until(fn -> Process.whereis(name) not in [nil, first] end)
      assert call(name, fn -> self() end) == {:ok, Process.whereis(name)}
    end

    test "with a child specification that can be changed as that of any worker" do
      assert %{id: Upcall.Server, start: {Upcall.Server, :start_link, [[name: :demo]]}} =
               Upcall.Server.child_spec(name: :demo)

      start_supervised!(Supervisor.child_spec({Upcall.Server, []}, id: :one))
      start_supervised!(Supervisor.child_spec({Upcall.Server, []}, id: :two))
    end

    test "without a name" do
      server = start_supervised!(Upcall.Server)
      assert Process.info(server, :registered_name) == {:registered_name, []}
      assert call(server, fn -> self() end) == {:ok, server}
    end

    test "by {:global, term}, and called by its pid" do
      server = start_supervised!({Upcall.Server, name: {:global, {:upcall, 1}}})
      assert :global.whereis_name({:upcall, 1}) == server
      assert call(server, fn -> self() end) == {:ok, server}
    end

    test "by {:via, module, term}, and called by its pid" do
      start_supervised!({Registry, keys: :unique, name: UpcallTest.Registry})
      via = {:via, Registry, {UpcallTest.Registry, "server"}}
      server = start_supervised!({Upcall.Server, name: via})
      assert GenServer.whereis(via) == server
      assert call(server, fn -> self() end) == {:ok, server}
    end

    test "once under a name" do
      server = start_supervised!({Upcall.Server, name: UpcallTest.Once})

      assert Upcall.Server.start_link(name: UpcallTest.Once) ==
               {:error, {:already_started, server}}
    end

    for {options, message} <- [
          {[nmae: :a],
           "Upcall.Server: unknown option :nmae, known options are :name, :max_queue, :node"},
          {[name: "a"],
           "Upcall.Server: option :name: expected an atom, {:global, term} or " <>
             "{:via, module, term}, got: \"a\""},
          {[name: nil],
           "Upcall.Server: option :name: expected an atom, {:global, term} or " <>
             "{:via, module, term}, got: nil"},
          {[max_queue: -1],
           "Upcall.Server: option :max_queue: expected a non-negative integer, got: -1"},
          {[node: ~c"a@b"],
           "Upcall.Server: option :node: expected an atom, got: " <> inspect(~c"a@b")},
          {:demo, "Upcall.Server: expected a keyword list of options, got: :demo"}
        ] do
      test "not with #{inspect(options)}" do
        assert_raise ArgumentError, unquote(message), fn ->
          Upcall.Server.start_link(unquote(options))
        end
      end
    end
  end

  describe "a running server" do
    setup do
      %{server: start_supervised!(Upcall.Server)}
    end

    test "runs functions in the order in which they come, one at a time", %{server: server} do
      test = self()
      :sys.suspend(server)

      for n <- 1..50 do
        start_call(server, fn ->
          send(test, {:ran, n})
          n
        end)

        await_waiting(n)
      end

      :sys.resume(server)
      for _ <- 1..50, do: assert_receive({:thread, {:ok, _}}, @at_once)
      assert for(_ <- 1..50, do: receive(do: ({:ran, n} -> n))) == Enum.to_list(1..50)
    end

    test "is not ended by what its functions do", %{server: server} do
      assert {:error, {:exception, %RuntimeError{}}} = call(server, fn -> raise "no" end)
      assert {:error, {:throw, :no}} = call(server, fn -> throw(:no) end)

      for reason <- [:normal, :shutdown, :kill, :boom, {:shutdown, 1}] do
        assert call(server, fn -> exit(reason) end) == {:error, {:exit, reason}}
      end

      assert {:error, {:exception, %UndefinedFunctionError{}}} =
               call(server, Function.capture(:no_such_module, :f, 0))

      assert {:error, {:exception, %ErlangError{original: {:stop, :normal, nil}}}} =
               call(server, fn -> :erlang.error({:stop, :normal, nil}) end)

      assert call(server, fn -> throw({:stop, :normal, nil}) end) ==
               {:error, {:throw, {:stop, :normal, nil}}}

      # An exception that can't even be printed.
      assert {:error, {:exception, %KeyError{}}} =
               call(server, fn ->
                 raise %KeyError{key: 1, term: [1 | 2], message: {:no, :text}}
               end)

      assert call(server, fn -> self() end) == {:ok, server}
    end

    test "is ended by a signal that its function brings about, and its caller is told" do
      {:ok, server} = GenServer.start(Upcall.Server, max_queue: 1_000)

      linked = fn ->
        spawn_link(fn -> exit(:crash) end)
        receive(do: (:never -> :ok))
      end

      assert call(server, linked) == {:error, {:down, :crash}}
    end

    test "takes no harm of messages that are none of its own", %{server: server} do
      ref = make_ref()

      for stray <- [
            :hello,
            {:upcall},
            {:EXIT, self(), :normal},
            {:DOWN, ref, :process, self(), :normal},
            {ref, :late_reply},
            {:upcall_turn, ref},
            {:upcall, ref},
            {:upcall, ref, Native},
            {:upcall, Native, nil},
            {:upcall, {Native, ref}, nil, & &1, []},
            :upcall_next
          ],
          do: send(server, stray)

      assert call(server, fn -> self() end) == {:ok, server}
    end

    test "logs a link that is forged, once, and goes on", %{server: server} do
      log =
        capture_log(fn ->
          send(server, {:upcall, Native, make_ref()})
          send(server, {:upcall, NoSuchModule, make_ref()})
          for n <- 1..3, do: assert(call(server, fn -> n end) == {:ok, n})
        end)

      assert length(String.split(log, "expected a link of this library's to an executor")) == 2
      assert length(String.split(log, "NoSuchModule.__upcall_tell__/3")) == 2
    end

    test "can be looked at, suspended, traced and stopped by :sys", %{server: server} do
      assert {:status, ^server, {:module, :gen_server}, _} = :sys.get_status(server)
      assert call(server, fn -> :known_now end) == {:ok, :known_now}
      :sys.statistics(server, true)
      assert call(server, fn -> 1 end) == {:ok, 1}
      assert {:ok, statistics} = :sys.statistics(server, :get)
      assert statistics[:messages_in] == 1

      :sys.suspend(server)
      start_call(server, fn -> 2 end)
      await_waiting(1)
      refute_received {:thread, _}
      :sys.resume(server)
      assert_receive {:thread, {:ok, 2}}, @at_once
    end

    test "names the process that called the NIF in $callers, while it runs", %{server: server} do
      callers = fn -> Process.get(:"$callers") end
      assert Native.apply_io(server, callers, [], 60_000) == {:ok, [self()]}
      assert Native.apply_frame(server, callers, [], 60_000) == {:ok, [self()]}
      # A thread that no process waits for has none, and no former one's.
      assert call(server, callers) == {:ok, nil}
      assert {:error, {:throw, 1}} = Native.apply_io(server, fn -> throw(1) end, [], 60_000)
      assert {:dictionary, dictionary} = Process.info(server, :dictionary)
      refute List.keymember?(dictionary, :"$callers", 0)
    end

    test "takes calls from several libraries and threads at once", %{server: server} do
      tasks = for n <- 1..8, do: Task.async(fn -> Native.apply_io(server, & &1, [n], 60_000) end)
      for n <- 1..50, do: start_call(server, & &1, [n])
      seen = for _ <- 1..50, do: receive(do: ({:thread, {:ok, n}} -> n))
      assert Enum.sort(seen) == Enum.to_list(1..50)
      assert Task.await_many(tasks) == Enum.map(1..8, &{:ok, &1})
    end

    test "that is stopped tells who waits", %{server: server} do
      test = self()

      start_call(server, fn ->
        send(test, :running)
        receive(do: (:go -> 1))
      end)

      assert_receive :running, @at_once
      :ok = stop_supervised(Upcall.Server)
      assert_receive {:thread, {:error, {:down, :shutdown}}}, @at_once
    end
  end
end
