defmodule Watcher.OptionsTest do
  use WatcherTest.Case

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  defp handle(_event), do: :ok

  test "a directory that is not there gives an error that says so, and what to do" do
    assert {:error, %Watcher.Error{dir: "/no/such"} = error} =
             Watcher.start_link(dir: "/no/such", handler: &handle/1)

    assert Exception.message(error) ==
             ~s(can't watch "/no/such": No such file or directory; ) <>
               "make the directory before the watcher starts, or correct :dir"
  end

  test "so does a file in the place of a directory", %{tmp_dir: dir} do
    path = Path.join(dir, "file")
    File.write!(path, "")
    assert {:error, error} = Watcher.start_link(dir: path, handler: &handle/1)
    assert Exception.message(error) =~ "Not a directory; give :dir the directory that it is in"
  end

  test "wrong options are named", %{tmp_dir: dir} do
    good = [dir: dir, handler: &handle/1]

    for {wrong, message} <- [
          {[dir: nil], "option :dir: expected a path, as a string without NUL, got: nil"},
          {[dir: "a\0"], "option :dir: expected a path, as a string without NUL, got: <<97, 0>>"},
          {[handler: nil],
           "option :handler: expected a function of one argument or {module, function}, got: nil"},
          {[pool: nil], "option :pool: expected a registered name or a pid, got: nil"},
          {[timeout: :infinity],
           "option :timeout: expected a positive number of milliseconds, got: :infinity"},
          {[on_failure: 1], "option :on_failure: expected a function of two arguments, got: 1"}
        ],
        start <- [&Watcher.start_link/1, &Watcher.child_spec/1] do
      error = assert_raise ArgumentError, fn -> start.(Keyword.merge(good, wrong)) end
      assert Exception.message(error) == "Watcher: " <> message
    end

    assert_raise ArgumentError, ~r/unknown keys \[:directory\]/, fn ->
      Watcher.start_link(directory: dir)
    end

    assert_raise ArgumentError, ~r/missing pool: \[name: …\]/, fn ->
      Watcher.Supervisor.start_link(watchers: [good])
    end
  end

  test "a specification gives the handler time to end", %{tmp_dir: dir} do
    assert %{id: {Watcher, ^dir}, shutdown: 3_000} =
             Watcher.child_spec(dir: dir, handler: &handle/1, timeout: 2_000)
  end
end
