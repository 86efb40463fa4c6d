defmodule Watcher.EventsTest do
  use WatcherTest.Case
  alias Watcher.Event

  describe "the handler is told" do
    setup %{tmp_dir: dir} do
      start_watcher!(dir, tell_test())
      assert_receive %Event{kind: :started, path: ^dir, directory?: true, cookie: nil}
      :ok
    end

    test "that a file is made, written, closed and deleted, in this order", %{tmp_dir: dir} do
      path = Path.join(dir, "a")
      File.write!(path, "text")
      File.rm!(path)

      for kind <- [:created, :modified, :closed, :deleted] do
        assert %Event{kind: kind, path: path, directory?: false, cookie: nil} == next_event()
      end

      refute_received %Event{}
    end

    test "that a file is moved, by two events with one cookie", %{tmp_dir: dir} do
      from = touch!(dir, "from")
      to = Path.join(dir, "to")
      File.rename!(from, to)

      assert %Event{kind: :created, path: ^from} = next_event()
      assert %Event{kind: :moved_from, path: ^from, cookie: cookie} = next_event()
      assert %Event{kind: :moved_to, path: ^to, cookie: ^cookie} = next_event()
      assert is_integer(cookie)
    end

    test "of directories, but not of what is in them", %{tmp_dir: dir} do
      below = Path.join(dir, "below")
      File.mkdir!(below)
      touch!(below, "unseen")
      seen = touch!(dir, "seen")

      assert %Event{kind: :created, path: ^below, directory?: true} = next_event()
      assert %Event{kind: :created, path: ^seen, directory?: false} = next_event()
    end

    test "of names that are not UTF-8", %{tmp_dir: dir} do
      path = touch!(dir, <<"caf", 0xE9>>)
      assert %Event{kind: :created, path: ^path} = next_event()
    end
  end

  test "a directory that is deleted is told, and ends the watcher", %{tmp_dir: dir} do
    watcher = start_watcher!(dir, tell_test())
    monitor = Process.monitor(watcher)
    File.rmdir!(dir)
    assert_receive %Event{kind: :gone, path: ^dir}
    assert_receive {:DOWN, ^monitor, :process, ^watcher, {:shutdown, :gone}}
  end

  test "a relative directory is told by its full path", %{tmp_dir: dir} do
    start_watcher!(Path.relative_to_cwd(dir), tell_test())
    path = touch!(dir, "a")
    assert_receive %Event{kind: :created, path: ^path}
  end

  test "a handler is {module, function}, too", %{tmp_dir: dir} do
    Process.register(self(), __MODULE__)
    start_watcher!(dir, {__MODULE__, :handle})
    assert_receive {:handled, %Event{kind: :started}}
  end

  def handle(event), do: send(__MODULE__, {:handled, event})

  test "a slow handler holds up the events that follow, and all come in their order", context do
    watcher = start_watcher!(context.tmp_dir, wait_for_test())
    assert_receive {:inside, worker, %Event{kind: :started}}
    paths = for number <- 1..500, do: touch!(context.tmp_dir, "#{number}")

    # It can't come before the first goes on, however long that takes: let it try.
    refute_receive {:inside, _worker, _event}, 50
    assert Watcher.counts(watcher).handled == 0
    go_on(worker)

    for path <- paths do
      assert_receive {:inside, worker, %Event{kind: :created, path: ^path}}
      refute_received {:inside, _worker, _event}
      go_on(worker)
    end

    wait_until(fn -> match?(%{handled: 501, overflows: 0}, Watcher.counts(watcher)) end)
  end

  test "what the kernel has no room for is told as an overflow", %{tmp_dir: dir} do
    room = "/proc/sys/fs/inotify/max_queued_events" |> File.read!() |> String.trim()
    test = self()

    handler = fn
      %Event{kind: :started} ->
        send(test, {:inside, self()})
        receive do: (:go_on -> :ok)

      %Event{kind: kind} ->
        send(test, kind)
    end

    watcher = start_watcher!(dir, handler, timeout: 60_000)
    assert_receive {:inside, worker}

    # Two events a file, made by a shell: of the VM, each would be work for two schedulers.
    last = div(String.to_integer(room), 2)
    script = "i=0; while [ $i -le #{last} ]; do : > $i; i=$((i + 1)); done"
    {"", 0} = System.cmd("sh", ["-c", script], cd: dir)
    go_on(worker)
    assert_receive :overflow
    assert Watcher.counts(watcher).overflows == 1

    # And it goes on.
    flush()
    File.rm!(Path.join(dir, "0"))
    assert_receive :deleted
  end

  defp next_event do
    assert_receive %Event{} = event
    event
  end

  defp flush do
    receive do
      _ -> flush()
    after
      0 -> :ok
    end
  end
end
