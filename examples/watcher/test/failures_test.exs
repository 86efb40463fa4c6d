defmodule Watcher.FailuresTest do
  use WatcherTest.Case
  import ExUnit.CaptureLog
  alias Watcher.Event

  # Does `bad` for the file "bad", and tells the test of every other event.
  defp start_with_bad!(dir, bad, options \\ []) do
    test = self()

    handler = fn event ->
      if Path.basename(event.path) == "bad", do: bad.(), else: send(test, event)
    end

    on_failure = fn event, reason -> send(test, {:failed, event, reason}) end
    start_watcher!(dir, handler, [on_failure: on_failure] ++ options)
  end

  defp assert_goes_on(watcher, dir, counts) do
    path = touch!(dir, "good")
    assert_receive %Event{kind: :created, path: ^path}
    wait_until(fn -> Map.take(Watcher.counts(watcher), Map.keys(counts)) == counts end)
  end

  for {what, bad, reason} <- [
        {"raises", quote(do: raise("no")), quote(do: {:exception, %RuntimeError{message: "no"}})},
        {"exits", quote(do: exit(:no)), quote(do: {:exit, :no})},
        {"throws", quote(do: throw(:no)), quote(do: {:throw, :no})},
        {"kills its worker", quote(do: Process.exit(self(), :kill)), quote(do: {:down, :killed})}
      ] do
    test "a handler that #{what} is reported, and the watcher goes on", %{tmp_dir: dir} do
      watcher = start_with_bad!(dir, fn -> unquote(bad) end)
      path = touch!(dir, "bad")
      assert_receive {:failed, %Event{kind: :created, path: ^path}, unquote(reason)}
      assert_goes_on(watcher, dir, %{handled: 2, failed: 1})
    end
  end

  test "a handler that kills every worker that it is given ends no pool", %{tmp_dir: dir} do
    watcher = start_with_bad!(dir, fn -> Process.exit(self(), :kill) end)

    for number <- 1..20 do
      path = Path.join(dir, "bad")
      File.ln_s!("nowhere", path)
      File.rename!(path, Path.join(dir, "#{number}"))
    end

    for _ <- 1..40, do: assert_receive({:failed, %Event{}, {:down, :killed}})
    for number <- 1..20, do: assert_path_moved(dir, number)
    assert_goes_on(watcher, dir, %{failed: 40})
  end

  defp assert_path_moved(dir, number) do
    path = Path.join(dir, "#{number}")
    assert_receive %Event{kind: :moved_to, path: ^path}
  end

  test "a handler that takes too long is reported, and the watcher goes on", %{tmp_dir: dir} do
    test = self()

    hang = fn ->
      send(test, {:hanging, self()})
      receive do: (:go_on -> :ok)
    end

    watcher = start_with_bad!(dir, hang, timeout: 50)
    touch!(dir, "bad")
    assert_receive {:hanging, worker}
    assert_receive {:failed, %Event{kind: :created}, :timeout}
    # On the other worker.
    assert_goes_on(watcher, dir, %{handled: 2, failed: 1})
    go_on(worker)
  end

  test "without :on_failure, a failure is logged with its stack trace", %{tmp_dir: dir} do
    test = self()

    log =
      capture_log(fn ->
        start_watcher!(dir, fn _event ->
          send(test, :inside)
          raise "no"
        end)

        assert_receive :inside
        stop_supervised!({Watcher, dir})
      end)

    assert log =~ "the handler of %Watcher.Event{"
    assert log =~ "** (RuntimeError) no"
    assert log =~ "test/failures_test.exs"
  end

  test "what fails while the watcher is stopped is reported as well", %{tmp_dir: dir} do
    test = self()

    fail = fn ->
      send(test, {:inside, self()})
      receive do: (:go_on -> raise "no")
    end

    watcher = start_with_bad!(dir, fail)
    path = touch!(dir, "bad")
    assert_receive {:inside, worker}
    stopping = Task.async(fn -> Watcher.stop(watcher) end)
    wait_until(fn -> Process.info(watcher, :current_stacktrace) |> inspect() =~ "terminate" end)
    go_on(worker)
    assert Task.await(stopping) == :ok
    assert_received {:failed, %Event{path: ^path}, {:exception, %RuntimeError{message: "no"}}}
  end

  test "what :on_failure leaves behind does not end the watcher", %{tmp_dir: dir} do
    test = self()

    on_failure = fn event, _reason ->
      send(self(), :stray)
      Task.start_link(fn -> :ok end)
      send(test, {:failed, event.path})
    end

    watcher = start_watcher!(dir, fn _event -> raise "no" end, on_failure: on_failure)
    paths = for number <- 1..20, do: touch!(dir, "#{number}")
    for path <- paths, do: assert_receive({:failed, ^path})
    assert %{failed: 21} = Watcher.counts(watcher)
  end

  test "without a pool the events wait for one", %{tmp_dir: dir} do
    {watcher, log} =
      with_log(fn ->
        watcher = start_watcher_alone!(dir, tell_test())
        wait_until(fn -> Watcher.counts(watcher).retried > 2 end)
        watcher
      end)

    assert log =~ "the events of #{dir} wait for the pool of their handler: :noproc"
    path = touch!(dir, "a")
    refute_received %Event{}

    start_pool!()
    assert_receive %Event{kind: :started}
    assert_receive %Event{kind: :created, path: ^path}
    wait_until(fn -> match?(%{handled: 2, failed: 0}, Watcher.counts(watcher)) end)
  end

  test "what happens while the pool is killed and restarted is not lost", %{tmp_dir: dir} do
    test = self()
    on_failure = fn event, reason -> send(test, {:failed, event.path, reason}) end

    {:ok, supervisor} =
      Watcher.Supervisor.start_link(
        pool: [name: WatcherTest.Pool, size: 2],
        watchers: [[dir: dir, handler: wait_for_test(), on_failure: on_failure]]
      )

    [watcher] =
      for {_id, pid, :worker, [Watcher]} <- Supervisor.which_children(supervisor), do: pid

    assert_receive {:inside, worker, %Event{kind: :started}}
    paths = for number <- 1..100, do: touch!(dir, "#{number}")
    go_on(worker)
    [in_doubt | others] = paths
    assert_receive {:inside, _worker, %Event{path: ^in_doubt}}
    Process.exit(Process.whereis(WatcherTest.Pool), :kill)

    # The handler had begun: it is not run again, but reported.
    assert_receive {:failed, ^in_doubt, {:down, _reason}}

    for path <- others do
      assert_receive {:inside, worker, %Event{kind: :created, path: ^path}}
      go_on(worker)
    end

    wait_until(fn -> match?(%{handled: 100, failed: 1}, Watcher.counts(watcher)) end)
    Supervisor.stop(supervisor)
  end

  test "where the pool has no room, the events wait for it", %{tmp_dir: dir} do
    [one, two] = for name <- ["one", "two"], do: Path.join(dir, name)
    for below <- [one, two], do: File.mkdir!(below)
    start_pool!(size: 1, max_queue: 0)
    start_watcher_alone!(one, wait_for_test())
    assert_receive {:inside, worker, %Event{path: ^one}}

    other = start_watcher_alone!(two, tell_test())
    wait_until(fn -> Watcher.counts(other).retried > 2 end)
    refute_received %Event{}
    go_on(worker)
    assert_receive %Event{kind: :started, path: ^two}
    wait_until(fn -> match?(%{handled: 1, failed: 0}, Watcher.counts(other)) end)
  end

  test "where no worker has time for them before their timeout, the events wait", %{tmp_dir: dir} do
    [one, two] = for name <- ["one", "two"], do: Path.join(dir, name)
    for below <- [one, two], do: File.mkdir!(below)
    start_pool!(size: 1, max_queue: 10)
    start_watcher_alone!(one, wait_for_test())
    assert_receive {:inside, worker, %Event{path: ^one}}

    other = start_watcher_alone!(two, tell_test(), timeout: 20)
    wait_until(fn -> Watcher.counts(other).retried > 2 end)
    refute_received %Event{}
    go_on(worker)
    assert_receive %Event{kind: :started, path: ^two}
    wait_until(fn -> match?(%{handled: 1, failed: 0}, Watcher.counts(other)) end)
  end
end
