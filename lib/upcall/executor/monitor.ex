defmodule Upcall.Monitor do
  @moduledoc false
  # Tells native libraries why an executor died, which the VM does not tell native monitors, and executors
  # which libraries call them (`Upcall.Contacts`). No call passes through it. A library asks for it once per
  # executor, by the message `{:watch, module, link, pid}`, and is told by
  # `module.__upcall_tell__(link, :down, reason)`, which gives how many casts are lost with the executor. It logs
  # those, and by the message `{:lost, module, executor}` one for which a library found no executor.

  use GenServer
  require Logger

  alias Upcall.Contacts

  # Casts that are lost within so many milliseconds are logged together.
  @burst 1_000

  defmodule State do
    @moduledoc false
    # `watched`: the executors; `monitors`: pid by monitor reference; `lost`: how many casts are, and were not
    # logged yet, by library and executor.
    defstruct watched: MapSet.new(), monitors: %{}, lost: %{}
  end

  @spec start_link(keyword()) :: GenServer.on_start()
  def start_link(_options), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc """
  Watches the calling process from now on, so that the reason of its death is known, however soon after
  its first call it dies. Does nothing where the application `:upcall` is not started.
  """
  @spec watch_me() :: :ok
  def watch_me do
    GenServer.call(__MODULE__, {:watch, self()}, :infinity)
  catch
    :exit, _ -> :ok
  end

  # Those that an earlier one has watched.
  @impl true
  def init(nil), do: {:ok, Enum.reduce(Contacts.executors(), %State{}, &watch(&2, &1))}

  @impl true
  def handle_call({:watch, pid}, _from, state), do: {:reply, :ok, watch(state, pid)}

  @impl true
  def handle_info({:watch, module, link, pid}, state) do
    Contacts.add(pid, {module, link})
    {:noreply, watch(state, pid)}
  end

  def handle_info({:DOWN, monitor, :process, pid, reason}, state)
      when is_map_key(state.monitors, monitor) do
    for {module, link} <- Contacts.of(pid), do: tell(module, link, pid, reason)
    Contacts.forget(pid)
    watched = MapSet.delete(state.watched, pid)
    {:noreply, %{state | watched: watched, monitors: Map.delete(state.monitors, monitor)}}
  end

  # A cast that the library had accepted before it looked for its executor, by its pid or name.
  def handle_info({:lost, module, executor}, state) do
    if state.lost == %{}, do: Process.send_after(self(), :log_lost, @burst)
    {:noreply, %{state | lost: Map.update(state.lost, {module, executor}, 1, &(&1 + 1))}}
  end

  def handle_info(:log_lost, state) do
    for {{module, executor}, count} <- state.lost do
      Logger.error(
        "executor #{inspect(executor)} does not run, and #{count} cast(s) of #{inspect(module)} to it " <>
          "are lost"
      )
    end

    {:noreply, %{state | lost: %{}}}
  end

  def handle_info(_stray, state), do: {:noreply, state}

  defp watch(state, pid) do
    if pid in state.watched do
      state
    else
      monitor = Process.monitor(pid)
      watched = MapSet.put(state.watched, pid)
      %{state | watched: watched, monitors: Map.put(state.monitors, monitor, pid)}
    end
  end

  # The module may be gone by now, and its callers with it.
  defp tell(module, link, pid, reason) do
    lost = module.__upcall_tell__(link, :down, reason)
    if lost > 0, do: log_lost(module, pid, reason, lost)
  rescue
    error in [ArgumentError, UndefinedFunctionError] ->
      Logger.debug("Upcall: #{inspect(module)} is gone: #{Exception.message(error)}")
  end

  defp log_lost(module, pid, reason, lost) do
    Logger.error(
      "executor #{inspect(pid)} died with #{lost} cast(s) of #{inspect(module)} that had not run, " <>
        "or not to the end: #{Exception.format_exit(reason)}"
    )
  end
end
