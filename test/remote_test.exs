Code.require_file("support/executor_function.exs", __DIR__)
Code.require_file("support/thread_calls.exs", __DIR__)

defmodule Upcall.RemoteTest do
  use ExUnit.Case

  import ExUnit.CaptureLog
  import UpcallTest.ThreadCalls

  alias UpcallTest.Executor, as: Native
  alias UpcallTest.{ExecutorFunction, Wait}

  @at_once 10_000

  setup_all do
    # The port mapper daemon, without which there is no node with a name.
    {_, 0} = System.cmd("epmd", ["-daemon"])
    # It has become a process of its own by then, which may not listen yet.
    Wait.until(fn -> match?({:ok, _names}, :erl_epmd.names({127, 0, 0, 1})) end)

    # It stays one: a VM that stops to be a node has been seen to register no global name any more.
    unless Node.alive?() do
      {:ok, _} = Node.start(:"upcall_#{System.pid()}@127.0.0.1", :longnames)
    end

    :ok
  end

  setup do
    {peer, node} = start_peer()
    %{peer: peer, node: node}
  end

  # A node with our code paths. It ends with the test, which it is linked to. Hidden: global names are
  # not told to it, and so do not wait for nodes that end.
  defp start_peer do
    arguments = [~c"-hidden" | Enum.flat_map(:code.get_path(), &[~c"-pa", &1])]

    {:ok, peer, node} =
      :peer.start_link(%{
        name: :peer.random_name(~c"upcall"),
        host: ~c"127.0.0.1",
        args: arguments
      })

    {peer, node}
  end

  # As a machine that goes: at once, without a goodbye.
  defp stop(peer, node) do
    Process.unlink(peer)
    :erpc.cast(node, :erlang, :halt, [0, [flush: false]])
    Wait.until(fn -> node not in Node.list(:connected) end)
  end

  # There, these have no module of the test's: functions of modules that each node has.
  defp tell_and_wait, do: &:gen_server.call/3

  # A process here that answers, when it is told to, who calls it from there.
  defp gate do
    test = self()

    spawn_link(fn ->
      receive do
        {:"$gen_call", from, :enter} ->
          send(test, {:entered, self()})
          receive(do: (:go -> GenServer.reply(from, :went)))
      end
    end)
  end

  describe "a server with a node" do
    setup %{node: node} do
      %{server: start_supervised!({Upcall.Server, node: node, name: UpcallTest.Remote})}
    end

    test "runs functions there", %{node: node} do
      assert call(UpcallTest.Remote, &:erlang.node/0) == {:ok, node}
      assert call(UpcallTest.Remote, &:erlang.+/2, [1, 2]) == {:ok, 3}
      assert Native.apply_io(UpcallTest.Remote, &:erlang.node/0, [], 60_000) == {:ok, node}
      assert Native.apply_frame(UpcallTest.Remote, &:erlang.node/0, [], 60_000) == {:ok, node}
      assert Native.apply_typed(UpcallTest.Remote, &:erlang.abs/1, -5) == 5
    end

    test "tells what they did instead of returning", %{server: server} do
      assert {:error, {:exception, %ArithmeticError{}}} = call(server, &:erlang.+/2, [1, :a])
      assert call(server, &:erlang.exit/1, [:left]) == {:error, {:exit, :left}}
      assert call(server, &:erlang.throw/1, [:ball]) == {:error, {:throw, :ball}}

      assert {:error, {:exception, %UndefinedFunctionError{module: :no, function: :f, arity: 0}}} =
               call(server, Function.capture(:no, :f, 0))

      # The process there is the one that monitors the gate.
      gate = gate()
      start_call(server, tell_and_wait(), [gate, :enter, :infinity])
      assert_receive {:entered, ^gate}, @at_once
      {:monitored_by, [there]} = Process.info(gate, :monitored_by)
      Process.exit(there, :kill)
      assert await_outcome() == {:error, {:exit, {:signal, :killed}}}

      # It runs on.
      assert {:ok, 3} = call(server, &:erlang.+/2, [1, 2])
    end

    test "runs several at once", %{server: server} do
      gates = for _ <- 1..10, do: gate()
      for gate <- gates, do: start_call(server, tell_and_wait(), [gate, :enter, :infinity])
      for gate <- gates, do: assert_receive({:entered, ^gate}, @at_once)
      assert call(server, &:erlang.+/2, [1, 2]) == {:ok, 3}
      for gate <- gates, do: send(gate, :go)
      for _ <- gates, do: assert(await_outcome() == {:ok, :went})
    end

    test "that is down from the start, tells so at once", %{
      server: server,
      peer: peer,
      node: node
    } do
      stop(peer, node)
      assert call(server, &:erlang.node/0) == {:error, {:down, :noconnection}}
      assert Process.alive?(server)
    end

    test "that goes down during calls, tells all of them so at once", context do
      gates = for _ <- 1..5, do: gate()

      for gate <- gates,
          do: start_call(context.server, tell_and_wait(), [gate, :enter, :infinity])

      for gate <- gates, do: assert_receive({:entered, ^gate}, @at_once)

      task =
        Task.async(fn -> Native.apply_io(context.server, &:timer.sleep/1, [:infinity], 60_000) end)

      frame =
        Task.async(fn ->
          Native.apply_frame(context.server, &:timer.sleep/1, [:infinity], 60_000)
        end)

      Wait.until(fn ->
        length(:sys.get_state(context.server).pending |> :erpc.reqids_to_list()) == 7
      end)

      stop(context.peer, context.node)
      for _ <- gates, do: assert(await_outcome() == {:error, {:down, :noconnection}})
      assert Task.await(task) == {:error, {:down, :noconnection}}
      assert Task.await(frame) == {:error, {:down, :noconnection}}
    end

    test "that goes down, logs once how many casts are lost with it, and counts them", context do
      gate = gate()
      start_call(context.server, tell_and_wait(), [gate, :enter, :infinity])
      assert_receive {:entered, ^gate}, @at_once
      before = Upcall.info(ExecutorFunction).lost_casts

      for _ <- 1..20,
          do: assert(ExecutorFunction.cast_on(&:timer.sleep/1, context.server, 60_000))

      Wait.until(fn -> :erpc.reqids_size(:sys.get_state(context.server).pending) == 21 end)

      log =
        capture_log(fn ->
          stop(context.peer, context.node)
          assert await_outcome() == {:error, {:down, :noconnection}}
          Wait.until(fn -> Upcall.info(ExecutorFunction).calls == 0 end)
          :sys.get_state(context.server)
        end)

      assert [_, _] = String.split(log, "was lost with 20 cast(s)")
      assert Upcall.info(ExecutorFunction).lost_casts == before + 20
    end

    test "has as many under way as :max_queue, and lets as many wait", %{node: node} do
      server = start_supervised!({Upcall.Server, node: node, max_queue: 3}, id: :bounded)
      assert call(server, &:erlang.+/2, [1, 2]) == {:ok, 3}
      gates = for _ <- 1..3, do: gate()
      for gate <- gates, do: start_call(server, tell_and_wait(), [gate, :enter, :infinity])
      for gate <- gates, do: assert_receive({:entered, ^gate}, @at_once)
      for n <- 1..3, do: start_call(server, &:erlang.abs/1, [-n])
      Wait.until(fn -> Upcall.info(Native).waiting == 3 end)
      assert call(server, &:erlang.abs/1, [-4]) == {:error, :overloaded}
      for gate <- gates, do: send(gate, :go)
      outcomes = for _ <- 1..6, do: await_outcome()
      assert Enum.sort(outcomes) == [ok: 1, ok: 2, ok: 3, ok: :went, ok: :went, ok: :went]
    end

    test "drops what comes after the timeout", %{server: server} do
      gate = gate()
      start_call(server, tell_and_wait(), [gate, :enter, :infinity], 20)
      assert_receive {:entered, ^gate}, @at_once
      assert await_outcome() == {:error, :timeout}
      send(gate, :go)
      assert call(server, &:erlang.+/2, [1, 2]) == {:ok, 3}
      Wait.until(fn -> :erpc.reqids_size(:sys.get_state(server).pending) == 0 end)

      Wait.until(fn -> Upcall.info(Native).calls == 0 end)
    end

    test "never runs what timed out before it was asked", %{server: server} do
      gate = gate()
      :sys.suspend(server)
      start_call(server, tell_and_wait(), [gate, :enter, :infinity], 5)
      assert await_outcome() == {:error, :timeout}
      :sys.resume(server)
      assert call(server, &:erlang.+/2, [1, 2]) == {:ok, 3}
      refute_received {:entered, _}
    end

    test "that is killed releases its callers", %{server: server} do
      gate = gate()
      start_call(server, tell_and_wait(), [gate, :enter, :infinity])
      assert_receive {:entered, ^gate}, @at_once
      Process.exit(server, :kill)
      assert await_outcome() == {:error, {:down, :killed}}
    end

    test "takes no harm of stray messages", %{server: server} do
      for stray <- [
            :hello,
            {make_ref(), 1},
            {:DOWN, make_ref(), :process, self(), :x},
            {:upcall, 1, 2, 3, 4},
            {:upcall, Native, make_ref()}
          ],
          do: send(server, stray)

      assert call(server, &:erlang.+/2, [1, 2]) == {:ok, 3}
      assert Process.whereis(UpcallTest.Remote) == server
    end
  end

  describe "a pool with a node" do
    test "runs functions there, and counts them", %{node: node} do
      pool = start_supervised!({Upcall.Pool, node: node, size: 2, max_queue: 100})
      for n <- 1..20, do: assert(call(pool, &:erlang.abs/1, [-n]) == {:ok, n})
      assert call(pool, &:erlang.node/0) == {:ok, node}
      {:error, {:throw, 1}} = call(pool, &:erlang.throw/1, [1])
      Wait.until(fn -> match?(%{done: 21, failed: 1, running: 0}, Upcall.Pool.info(pool)) end)
    end

    test "whose node goes down tells so, and works again when that is back", context do
      pool = start_supervised!({Upcall.Pool, node: context.node, size: 2})
      gate = gate()
      start_call(pool, tell_and_wait(), [gate, :enter, :infinity])
      assert_receive {:entered, ^gate}, @at_once
      stop(context.peer, context.node)
      assert await_outcome() == {:error, {:down, :noconnection}}
      assert call(pool, &:erlang.node/0) == {:error, {:down, :noconnection}}

      [name, _] = context.node |> to_string() |> String.split("@")
      paths = Enum.flat_map(:code.get_path(), &[~c"-pa", &1])

      {:ok, _, node} =
        :peer.start_link(%{name: String.to_atom(name), host: ~c"127.0.0.1", args: paths})

      assert node == context.node
      assert call(pool, &:erlang.node/0) == {:ok, node}
    end
  end
end
