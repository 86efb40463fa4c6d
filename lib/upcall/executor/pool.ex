defmodule Upcall.Pool do
  @schema [
    name: [type: :name, doc: "What the pool is registered as."],
    size: [
      type: :pos_integer,
      doc: "How many workers there are; without it, as many as schedulers are online."
    ],
    max_queue: [
      type: :non_neg_integer,
      default: 1_000,
      doc:
        "How many calls of one NIF library may wait for a worker; one more is refused at once, " <>
          "with `{:error, :overloaded}`."
    ],
    node: [type: :atom, doc: "The node on which functions run, as for `Upcall.Server`."]
  ]

  @moduledoc """
  Runs functions for native code on several workers, each an `Upcall.Server`.

      children = [{Upcall.Pool, name: Demo.Pool, size: 4, max_queue: 100}]

  Its name or pid is used in native code as that of a server. No process stands between native code and
  the workers: the pool tells each library that calls it who they are. Calls wait in the library, in order, for
  the first worker that is idle: a function that takes long holds up no other. `Upcall.info/1` says how
  many wait. Workers that die are replaced. Who waits for the function that one ran is told; what it had not
  begun runs in others.

  What was accepted runs, unless the worker that has begun it or the pool dies; casts that are lost then are
  logged and counted. A library that calls a pool for the first time does not know `:max_queue` yet. Until the
  pool has told, up to 10,000 calls wait, and all of them run.

  NIF libraries share no state: loads, and the bound `:max_queue`, are each library's own.

  ## When not to use it

    * For functions that have to run in order: use `Upcall.Server`.
    * For functions that call the same pool again, through native code: when all workers wait for each
      other, they do so until a timeout. Give such calls a pool of their own.
    * In a NIF that was given the function: it calls the function itself, in the calling process.

  ## Options

  #{Upcall.Options.docs(@schema)}
  """

  use GenServer

  defmodule State do
    @moduledoc false
    # `workers`: each pid and its number in the counters. `libraries`: those that are to be told of them.
    @enforce_keys [:workers, :size, :max_queue, :node, :counters]
    defstruct [:workers, :size, :max_queue, :node, :counters, libraries: []]
  end

  @typedoc """
  Counts of a pool:

    * `workers` - the pids of those that there are now
    * `running` - functions under way
    * `done` - functions that have returned
    * `failed` - functions that have raised, thrown, exited, or ended their worker
  """
  @type info :: %{
          workers: [pid()],
          running: non_neg_integer(),
          done: non_neg_integer(),
          failed: non_neg_integer()
        }

  @doc """
  Starts a pool, linked to the calling process.

  See the module's documentation for the options; a wrong one raises `ArgumentError`.
  """
  @spec start_link(keyword()) :: GenServer.on_start()
  def start_link(options \\ []) do
    options = Upcall.Options.validate!(options, @schema, "Upcall.Pool")
    GenServer.start_link(__MODULE__, options, Keyword.take(options, [:name]))
  end

  @doc """
  Returns a specification to start it under a supervisor, which gives the workers time to stop.
  """
  @spec child_spec(keyword()) :: Supervisor.child_spec()
  def child_spec(options) do
    %{
      id: options[:name] || __MODULE__,
      start: {__MODULE__, :start_link, [options]},
      type: :supervisor
    }
  end

  @doc """
  Counts the workers of a pool and what they have done.
  """
  @spec info(GenServer.server()) :: info()
  def info(pool), do: GenServer.call(pool, :info)

  @impl true
  def init(options) do
    Process.flag(:trap_exit, true)
    Upcall.Monitor.watch_me()
    size = Keyword.get_lazy(options, :size, &System.schedulers_online/0)

    state = %State{
      workers: [],
      size: size,
      max_queue: options[:max_queue],
      node: options[:node],
      counters: Upcall.Counters.new(size)
    }

    {:ok, %{state | workers: Enum.map(1..size, &start_worker(state, &1))}}
  end

  @impl true
  def handle_call(:info, _from, state),
    do: {:reply, Map.put(Upcall.Counters.read(state.counters), :workers, pids(state)), state}

  # A library that does not know the workers yet.
  @impl true
  def handle_info({:upcall, module, link}, state) when is_atom(module) and is_reference(link) do
    libraries = Enum.uniq([{module, link} | state.libraries])
    {:noreply, tell_workers(%{state | libraries: libraries})}
  end

  def handle_info({:DOWN, _monitor, :process, pid, _reason}, state) do
    if List.keymember?(state.workers, pid, 0),
      do: {:noreply, tell_workers(replace(state, pid))},
      else: {:noreply, state}
  end

  # A worker is linked only to end with the pool: a function may have undone that. Any other process that
  # has linked itself ends the pool as it would end a server, which does not trap exits.
  def handle_info({:EXIT, pid, reason}, state) do
    if reason == :normal or List.keymember?(state.workers, pid, 0),
      do: {:noreply, state},
      else: {:stop, reason, state}
  end

  def handle_info(_stray, state), do: {:noreply, state}

  # What is none of ours ends no executor, nor the calls that wait for it.
  @impl true
  def handle_cast(_stray, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, state) do
    Enum.each(pids(state), &Process.exit(&1, :shutdown))
    Enum.each(pids(state), &await_end/1)
  end

  # A function may have made its worker trap exits.
  defp await_end(pid) do
    receive do
      {:DOWN, _monitor, :process, ^pid, _reason} -> :ok
    after
      1_000 -> Process.exit(pid, :kill)
    end
  end

  # One that has died meanwhile is left out by the library, until it is replaced.
  defp tell_workers(state) do
    known = {pids(state), state.max_queue}
    %{state | libraries: Enum.filter(state.libraries, &Upcall.Executor.tell(&1, :workers, known))}
  end

  defp replace(state, dead) do
    # No exit of the dead one is to come when it is a worker no more.
    Process.unlink(dead)
    receive(do: ({:EXIT, ^dead, _reason} -> :ok), after: (0 -> :ok))
    {^dead, index} = List.keyfind!(state.workers, dead, 0)
    Upcall.Counters.died({state.counters, index})
    %{state | workers: List.keyreplace(state.workers, dead, 0, start_worker(state, index))}
  end

  defp start_worker(state, index) do
    {:ok, pid} =
      Upcall.Server.start_worker(
        node: state.node,
        max_queue: state.max_queue,
        place: {state.counters, index}
      )

    Process.monitor(pid)
    {pid, index}
  end

  defp pids(state), do: for({pid, _index} <- state.workers, do: pid)
end
