defmodule Watcher do
  @moduledoc """
  Calls a function for everything that happens in a directory, on Linux.

      children = [
        {Upcall.Pool, name: MyApp.Pool},
        {Watcher, dir: "/srv/inbox", handler: {MyApp.Inbox, :handle}, pool: MyApp.Pool}
      ]

      Supervisor.start_link(children, strategy: :one_for_one)

  `Watcher.Supervisor` does the same. The handler is given a `Watcher.Event`. What is in directories below
  is not watched.

  ## Options

    * `:dir` - the directory, required
    * `:handler` - a function of one argument, or `{module, function}`, required. A function is copied for
      each event, with all that it has captured
    * `:pool` - the `Upcall.Pool` or `Upcall.Server` that runs the handler, by its registered name or pid;
      by default `Watcher.Pool`
    * `:timeout` - how many milliseconds the handler may take, by default 5,000
    * `:on_failure` - a function of an event that was not handled and the reason; it runs in the
      watcher's process. By default, it is logged
    * `:name` - what the watcher is registered as

  ## What is promised

  One event of a watcher is under way at a time. They are handled in their order; while a handler runs, those
  that follow wait in the kernel (16,384 of them, by default). Several watchers run in the pool side by side.

  An event is handled at most once, and none is lost without a word:

    * A handler that raises, exits, throws, takes longer than `:timeout` or ends its worker does not end the
      watcher. `:on_failure` is told of the event.
    * While the pool is not running, or has no room (`:max_queue`) or no worker with time for it, the event is
      kept and tried again.
    * Where the kernel's queue was too short, the handler gets an event of the kind `:overflow`.
    * A watcher that starts, or is restarted, begins with an event of the kind `:started`.

  A watcher that stops drops what it has not begun to handle. It waits for the handler that runs, so a
  handler must not stop its own watcher: it would wait for itself until its `:timeout`.
  """

  use GenServer
  require Logger

  defmodule State do
    @moduledoc false
    @enforce_keys [:watch, :dir, :on_failure]
    defstruct [:watch, :dir, :on_failure]
  end

  @known_options [:dir, :handler, :on_failure, :name, pool: Watcher.Pool, timeout: 5_000]
  # For `terminate/2`, beyond the time that a handler may take.
  @spare_time 1_000

  @type reason ::
          {:exception, Exception.t()}
          | {:exit, term()}
          | {:throw, term()}
          | {:down, term()}
          | :timeout

  @type option ::
          {:dir, Path.t()}
          | {:handler, (Watcher.Event.t() -> term()) | {module(), atom()}}
          | {:pool, pid() | atom()}
          | {:timeout, pos_integer()}
          | {:on_failure, (Watcher.Event.t(), reason() -> term())}
          | {:name, GenServer.name()}

  @doc """
  Starts a watcher, linked to the calling process.

  A wrong option raises `ArgumentError`; a directory that can't be watched gives
  `{:error, %Watcher.Error{}}`.
  """
  @spec start_link([option()]) :: GenServer.on_start()
  def start_link(options) do
    options = validate!(options)
    GenServer.start_link(__MODULE__, options, Keyword.take(options, [:name]))
  end

  @doc """
  Returns a specification to start it under a supervisor, which gives its handler time to end.
  """
  @spec child_spec([option()]) :: Supervisor.child_spec()
  def child_spec(options) do
    options = validate!(options)

    %{
      id: options[:name] || {__MODULE__, options[:dir]},
      start: {__MODULE__, :start_link, [options]},
      restart: :transient,
      shutdown: options[:timeout] + @spare_time
    }
  end

  @doc """
  Counts what has become of the events so far.
  """
  @spec counts(GenServer.server()) :: Watcher.Counts.t()
  def counts(watcher), do: GenServer.call(watcher, :counts)

  @doc """
  Stops a watcher. Its handler is not running afterwards, unless it has taken longer than its timeout.
  """
  @spec stop(GenServer.server()) :: :ok
  def stop(watcher), do: GenServer.stop(watcher)

  @impl true
  def init(options) do
    # So that `terminate/2` is called.
    Process.flag(:trap_exit, true)
    dir = Path.expand(options[:dir])
    handler = handler(options[:handler])
    watch = Watcher.Native.start(dir, handler, options[:pool], options[:timeout], self())
    {:ok, %State{watch: watch, dir: dir, on_failure: options[:on_failure]}}
  rescue
    error in Watcher.Error -> {:stop, error}
  end

  @impl true
  def handle_call(:counts, _from, state), do: {:reply, Watcher.Native.count(state.watch), state}

  # From the native thread: see c_src/owner.hpp.
  @impl true
  def handle_info({:watch_failed, event, reason, stack_trace}, state) do
    report(state, event, reason, stack_trace)
    {:noreply, state}
  end

  def handle_info({:watch_waiting, reason}, state) do
    Logger.warning(
      "the events of #{state.dir} wait for the pool of their handler: #{inspect(reason)}"
    )

    {:noreply, state}
  end

  def handle_info({:watch_ended, :gone}, state) do
    Logger.warning("#{state.dir} is gone, and its watcher ends")
    {:stop, {:shutdown, :gone}, state}
  end

  def handle_info({:watch_ended, why}, state), do: {:stop, {:watch_ended, why}, state}

  # Of what `:on_failure` has started, and left behind.
  def handle_info({:EXIT, _from, reason}, state) when reason != :normal,
    do: {:stop, reason, state}

  def handle_info(_stray, state), do: {:noreply, state}

  # Where this is not called, as the process is killed, the watch is collected with the process, and its
  # thread ends by itself.
  @impl true
  def terminate(_reason, state) do
    Watcher.Native.stop(state.watch)
    report_the_last(state)
  end

  # What the thread has told before its end, and this process has not heard yet.
  defp report_the_last(state) do
    receive do
      {:watch_failed, event, reason, stack_trace} ->
        report(state, event, reason, stack_trace)
        report_the_last(state)
    after
      0 -> :ok
    end
  end

  # A function by name runs the newest code of its module.
  defp handler({module, name}), do: Function.capture(module, name, 1)
  defp handler(function), do: function

  defp report(%State{on_failure: nil}, event, reason, stack_trace) do
    Logger.error("the handler of #{inspect(event)} failed: " <> describe(reason, stack_trace))
  end

  defp report(%State{on_failure: tell}, event, reason, _stack_trace), do: tell.(event, reason)

  defp describe({:exception, error}, stack), do: Exception.format(:error, error, stack)
  defp describe({:exit, reason}, stack), do: Exception.format(:exit, reason, stack)
  defp describe({:throw, value}, stack), do: Exception.format(:throw, value, stack)
  defp describe(reason, _stack), do: inspect(reason)

  defp validate!(options) do
    options = Keyword.validate!(options, @known_options)

    check!(options, :dir, "a path, as a string without NUL", &path?/1)
    check!(options, :handler, "a function of one argument or {module, function}", &handler?/1)
    check!(options, :pool, "a registered name or a pid", &pool?/1)
    check!(options, :timeout, "a positive number of milliseconds", &(is_integer(&1) and &1 > 0))

    check!(
      options,
      :on_failure,
      "a function of two arguments",
      &(&1 == nil or is_function(&1, 2))
    )

    options
  end

  defp check!(options, name, expected, valid?) do
    unless valid?.(options[name]) do
      raise ArgumentError,
            "Watcher: option #{inspect(name)}: expected #{expected}, got: #{inspect(options[name])}"
    end
  end

  defp path?(path), do: is_binary(path) and path != "" and not String.contains?(path, <<0>>)

  defp pool?(pool), do: is_pid(pool) or (is_atom(pool) and pool not in [nil, true, false])

  defp handler?({module, name}), do: is_atom(module) and is_atom(name)
  defp handler?(function), do: is_function(function, 1)
end
