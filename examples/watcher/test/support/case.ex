defmodule WatcherTest.Case do
  @moduledoc false
  # A directory and a pool for each test. They are not async: they count native threads.

  use ExUnit.CaseTemplate
  import ExUnit.Callbacks

  @pool WatcherTest.Pool

  using do
    quote do
      @moduletag :tmp_dir
      import WatcherTest.Case
    end
  end

  setup do
    assert threads_of_kernel() == 0
    on_exit(fn -> wait_until(fn -> threads_of_kernel() == 0 end) end)
  end

  @doc "Starts a pool, and a watcher whose handler runs there."
  def start_watcher!(dir, handler, options \\ []) do
    start_pool!(options)
    start_watcher_alone!(dir, handler, options)
  end

  def start_pool!(options \\ []) do
    options = Keyword.take(options, [:size, :max_queue])
    start_supervised!({Upcall.Pool, [name: @pool, size: 2] |> Keyword.merge(options)})
  end

  def start_watcher_alone!(dir, handler, options \\ []) do
    options = Keyword.drop(options, [:size, :max_queue])
    start_supervised!({Watcher, [dir: dir, handler: handler, pool: @pool] ++ options})
  end

  @doc "A handler that sends each event to the test."
  def tell_test do
    test = self()
    fn event -> send(test, event) end
  end

  @doc "A handler that says to the test that it runs, and waits until `go_on/1`."
  def wait_for_test do
    test = self()

    fn event ->
      send(test, {:inside, self(), event})
      receive do: (:go_on -> :ok)
    end
  end

  def go_on(worker), do: send(worker, :go_on)

  @doc "Makes an empty file, for which there is one event of the kind `:created`, and returns its path."
  def touch!(dir, name) do
    path = Path.join(dir, name)
    # A link is no file that is opened and closed.
    File.ln_s!("nowhere", path)
    path
  end

  @doc "Waits for what happens on a native thread, which sends no message."
  def wait_until(done?, tries \\ 10_000) do
    cond do
      done?.() -> :ok
      tries == 0 -> flunk("what was waited for has not happened in time")
      true -> receive do: (:never -> :ok), after: (1 -> wait_until(done?, tries - 1))
    end
  end

  @doc "Counts the watching threads that the kernel sees, those of older builds of the library included."
  def threads_of_kernel do
    Enum.count(Path.wildcard("/proc/#{System.pid()}/task/*/comm"), fn file ->
      File.read(file) == {:ok, "watcher\n"}
    end)
  end
end
