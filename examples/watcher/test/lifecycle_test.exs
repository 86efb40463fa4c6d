defmodule Watcher.LifecycleTest do
  use WatcherTest.Case
  alias Watcher.Event

  test "a watcher has a thread of its own, and stopping it ends that", %{tmp_dir: dir} do
    watcher = start_watcher!(dir, tell_test())
    assert_receive %Event{kind: :started}
    assert Watcher.Native.threads() == 1
    assert threads_of_kernel() == 1

    monitor = Process.monitor(watcher)
    Watcher.stop(watcher)
    assert_received {:DOWN, ^monitor, :process, ^watcher, :normal}
    # At once, not soon.
    assert Watcher.Native.threads() == 0
    assert threads_of_kernel() == 0
    touch!(dir, "a")
    refute_received %Event{}
  end

  test "stopping waits for the handler, and drops what comes after", %{tmp_dir: dir} do
    watcher = start_watcher!(dir, wait_for_test())
    assert_receive {:inside, worker, %Event{kind: :started}}
    touch!(dir, "a")

    stopping = Task.async(fn -> Watcher.stop(watcher) end)
    # It can't be done before the handler is, however long that takes: let it try.
    assert Task.yield(stopping, 50) == nil
    go_on(worker)
    assert Task.await(stopping) == :ok
    assert Watcher.Native.threads() == 0
    refute_received {:inside, _worker, _event}
  end

  test "stopping does not wait for a pool that is not there", %{tmp_dir: dir} do
    watcher = start_watcher_alone!(dir, tell_test())
    wait_until(fn -> Watcher.counts(watcher).retried > 0 end)
    Watcher.stop(watcher)
    assert Watcher.Native.threads() == 0
  end

  test "a watch may be stopped often, by several at once, and counts afterwards", context do
    start_pool!()
    test = self()
    watch = Watcher.Native.start(context.tmp_dir, tell_test(), WatcherTest.Pool, 5_000, test)
    assert_receive %Event{kind: :started}

    1..4
    |> Enum.map(fn _ -> Task.async(fn -> Watcher.Native.stop(watch) end) end)
    |> Task.await_many()

    assert Watcher.Native.stop(watch) == :ok
    assert %Watcher.Counts{handled: 1} = Watcher.Native.count(watch)
  end

  test "a watcher that is killed takes its thread with it", %{tmp_dir: dir} do
    start_pool!()
    {:ok, watcher} = Watcher.start_link(dir: dir, handler: tell_test(), pool: WatcherTest.Pool)
    assert_receive %Event{kind: :started}
    Process.unlink(watcher)
    Process.exit(watcher, :kill)
    wait_until(fn -> Watcher.Native.threads() == 0 and threads_of_kernel() == 0 end)
  end

  test "a watcher that is killed while its handler runs, as well", %{tmp_dir: dir} do
    start_pool!()

    {:ok, watcher} =
      Watcher.start_link(dir: dir, handler: wait_for_test(), pool: WatcherTest.Pool)

    assert_receive {:inside, worker, %Event{kind: :started}}
    Process.unlink(watcher)
    monitor = Process.monitor(watcher)
    Process.exit(watcher, :kill)
    assert_receive {:DOWN, ^monitor, :process, ^watcher, :killed}
    assert Watcher.Native.threads() == 1
    go_on(worker)
    wait_until(fn -> Watcher.Native.threads() == 0 end)
  end

  test "a killed watcher is restarted, and says that it has started", %{tmp_dir: dir} do
    watcher = start_watcher!(dir, tell_test())
    assert_receive %Event{kind: :started}
    Process.exit(watcher, :kill)
    assert_receive %Event{kind: :started}
    path = touch!(dir, "a")
    assert_receive %Event{kind: :created, path: ^path}
    wait_until(fn -> Watcher.Native.threads() == 1 end)
  end

  test "two watchers share a pool, and each hears of its directory", %{tmp_dir: dir} do
    [one, two] = for name <- ["one", "two"], do: Path.join(dir, name)
    for below <- [one, two], do: File.mkdir!(below)
    test = self()
    watchers = for below <- [one, two], do: [dir: below, handler: &send(test, {below, &1})]

    {:ok, supervisor} =
      Watcher.Supervisor.start_link(
        pool: [name: WatcherTest.Pool, size: 2],
        watchers: watchers
      )

    for below <- [one, two] do
      assert_receive {^below, %Event{kind: :started, path: ^below}}
      path = touch!(below, "a")
      assert_receive {^below, %Event{kind: :created, path: ^path}}
    end

    assert Watcher.Native.threads() == 2
    Supervisor.stop(supervisor)
    assert Watcher.Native.threads() == 0
    refute_received {_below, %Event{}}
  end

  test "fifty watchers start and stop at once", %{tmp_dir: dir} do
    start_pool!()
    dirs = for number <- 1..50, do: Path.join(dir, "#{number}")
    Enum.each(dirs, &File.mkdir!/1)
    handler = tell_test()

    dirs
    |> Enum.map(fn below ->
      Task.async(fn ->
        {:ok, watcher} = Watcher.start_link(dir: below, handler: handler, pool: WatcherTest.Pool)

        touch!(below, "a")
        Watcher.stop(watcher)
      end)
    end)
    |> Task.await_many()

    assert Watcher.Native.threads() == 0
  end

  test "a thread goes on when its library is loaded anew, and ends with its watcher", context do
    start_pool!()

    {:ok, watcher} =
      Watcher.start_link(dir: context.tmp_dir, handler: tell_test(), pool: WatcherTest.Pool)

    assert_receive %Event{kind: :started}

    :code.purge(Watcher.Native)
    {:module, Watcher.Native} = :code.load_file(Watcher.Native)
    :code.purge(Watcher.Native)

    path = touch!(context.tmp_dir, "a")
    assert_receive %Event{kind: :created, path: ^path}
    assert threads_of_kernel() == 1

    Process.unlink(watcher)
    Process.exit(watcher, :kill)
    wait_until(fn -> threads_of_kernel() == 0 end)
  end

  # In VMs of their own, as it ends them.
  describe "the VM ends normally" do
    for {how, code} <- [
          {"with System.halt", "System.halt(0)"},
          {"with System.stop", "System.stop(0); Process.sleep(:infinity)"},
          {"with System.halt inside a handler", "send(worker, :halt); Process.sleep(:infinity)"}
        ] do
      test how, %{tmp_dir: dir} do
        code = """
        {:ok, _} = Application.ensure_all_started(:watcher)
        main = self()
        handler = fn event ->
          send(main, {:inside, self(), event.kind})
          receive do: (:go_on -> :ok; :halt -> System.halt(0))
        end
        {:ok, _} = Watcher.Supervisor.start_link(
          pool: [name: Halt, size: 2], watchers: [[dir: #{inspect(dir)}, handler: handler]])
        worker = receive do: ({:inside, worker, :started} -> worker)
        send(worker, :go_on)
        File.write!(#{inspect(Path.join(dir, "a"))}, "text")
        worker = receive do: ({:inside, worker, :created} -> worker)
        1 = Watcher.Native.threads()
        #{unquote(code)}
        """

        paths = Enum.flat_map([:watcher, :upcall], &["-pa", Application.app_dir(&1, "ebin")])
        assert {"", 0} = System.cmd("elixir", paths ++ ["-e", code], stderr_to_stdout: true)
      end
    end
  end
end
