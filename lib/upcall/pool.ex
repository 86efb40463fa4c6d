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
  the workers: a library asks the pool once who they are, and from then on sends each call to a worker that
  has none of its calls. While all have one, calls wait in the library, in order, for the first worker that is
  idle again: a function that takes long holds up no other. `Upcall.Frame.info/1` says how many wait. Workers
  that die are replaced, and who waits for the function that one ran is told.

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
    @enforce_keys [:workers, :size, :max_queue, :node, :counters]
    defstruct [:workers, :size, :max_queue, :node, :counters]
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
  def handle_call(:info, _from, state) do
    pids = for {pid, _index} <- state.workers, do: pid
    {:reply, Map.put(Upcall.Counters.read(state.counters), :workers, pids), state}
  end

  # A library that does not know the workers yet, or has seen one die.
  @impl true
  def handle_info({:upcall, {_, _} = ticket, _caller, _function, _arguments} = call, state) do
    pids = for {pid, _index} <- state.workers, do: pid

    case Upcall.Executor.tell(ticket, :route, {pids, state.max_queue, call}) do
      {:forward, worker} ->
        send(worker, call)
        {:noreply, state}

      {:dead, worker} ->
        # It is linked, so that its end is to be told here, too.
        receive do
          {:EXIT, ^worker, _reason} -> handle_info(call, replace(state, worker))
        end

      # It waits with its library, or has been refused or given up.
      _ ->
        {:noreply, state}
    end
  end

  def handle_info({:EXIT, pid, reason}, state) do
    if List.keymember?(state.workers, pid, 0),
      do: {:noreply, replace(state, pid)},
      else: {:stop, reason, state}
  end

  def handle_info(_stray, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, state) do
    pids = for {pid, _index} <- state.workers, do: pid
    Enum.each(pids, &Process.exit(&1, :shutdown))
    Enum.each(pids, &await_exit/1)
  end

  # A function may have made its worker trap exits.
  defp await_exit(pid) do
    receive do
      {:EXIT, ^pid, _reason} -> :ok
    after
      1_000 -> Process.exit(pid, :kill)
    end
  end

  defp replace(state, dead) do
    {^dead, index} = List.keyfind!(state.workers, dead, 0)
    Upcall.Counters.died({state.counters, index})
    %{state | workers: List.keyreplace(state.workers, dead, 0, start_worker(state, index))}
  end

  defp start_worker(state, index) do
    {:ok, pid} = Upcall.Server.start_worker(state.node, {state.counters, index})
    {pid, index}
  end
end
