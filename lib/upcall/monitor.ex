defmodule Upcall.Monitor do
  @moduledoc false
  # Tells native libraries why an executor died, which the VM does not tell native monitors. No call
  # passes through it. A library asks for it once per executor, by the message
  # `{:watch, module, link, pid}`, and is told by `module.__upcall_tell__(link, :down, reason)`.

  use GenServer
  require Logger

  defmodule State do
    @moduledoc false
    # `links`: by pid, who wants to know; `monitors`: pid by monitor reference.
    defstruct links: %{}, monitors: %{}
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

  @impl true
  def init(nil), do: {:ok, %State{}}

  @impl true
  def handle_call({:watch, pid}, _from, state), do: {:reply, :ok, watch(state, pid)}

  @impl true
  def handle_info({:watch, module, link, pid}, state) do
    state = watch(state, pid)
    {:noreply, %{state | links: Map.update!(state.links, pid, &[{module, link} | &1])}}
  end

  def handle_info({:DOWN, monitor, :process, pid, reason}, state)
      when is_map_key(state.monitors, monitor) do
    {links, all_links} = Map.pop(state.links, pid, [])
    for {module, link} <- links, do: tell(module, link, reason)
    {:noreply, %{state | links: all_links, monitors: Map.delete(state.monitors, monitor)}}
  end

  def handle_info(_stray, state), do: {:noreply, state}

  defp watch(state, pid) when is_map_key(state.links, pid), do: state

  defp watch(state, pid) do
    monitor = Process.monitor(pid)

    %{
      state
      | links: Map.put(state.links, pid, []),
        monitors: Map.put(state.monitors, monitor, pid)
    }
  end

  # The module may be gone by now, and its callers with it.
  defp tell(module, link, reason) do
    module.__upcall_tell__(link, :down, reason)
  rescue
    error in [ArgumentError, UndefinedFunctionError] ->
      Logger.debug("Upcall: #{inspect(module)} is gone: #{Exception.message(error)}")
  end
end
