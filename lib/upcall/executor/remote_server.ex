defmodule Upcall.RemoteServer do
  @moduledoc false
  # An executor that has functions run on another node, several at a time. See `Upcall.Server`.

  use GenServer
  require Logger

  alias Upcall.{Counters, Executor, Libraries}

  defmodule State do
    @moduledoc false
    # `place`: in the counters of a pool, or nil. `pending`: the requests under way, labelled with their
    # libraries and numbers. `lost`: casts that went with the connection and were not logged yet.
    @enforce_keys [:node, :place, :capacity, :libraries, :pending]
    defstruct [:node, :place, :capacity, :libraries, :pending, lost: 0]
  end

  @impl true
  def init(options) do
    Upcall.Monitor.watch_me()
    max_queue = options[:max_queue]

    {:ok,
     %State{
       node: options[:node],
       place: options[:place],
       capacity: {max_queue, options[:at_once] || max(max_queue, 1)},
       libraries: Libraries.new(),
       pending: :erpc.reqids_new()
     }}
  end

  @impl true
  def handle_info({:upcall, module, link}, state) when is_atom(module) and is_reference(link),
    do: {:noreply, request_all(note(state, &Libraries.add(&1, {module, link})))}

  def handle_info(:log_lost, state) do
    Logger.error(
      "the connection to #{inspect(state.node)} was lost with #{state.lost} cast(s) that " <>
        "#{inspect(self())} had begun there"
    )

    {:noreply, %{state | lost: 0}}
  end

  def handle_info(message, state), do: {:noreply, request_all(check(message, state))}

  # What is none of ours ends no executor, nor the calls that wait for it.
  @impl true
  def handle_cast(_stray, state), do: {:noreply, state}

  defp note(state, change), do: %{state | libraries: change.(state.libraries)}

  # No function runs in this process, so that it need not look around.
  defp request_all(state) do
    {_max_queue, at_once} = state.capacity

    with true <- :erpc.reqids_size(state.pending) < at_once,
         {library, call, libraries} <- Libraries.take(state.libraries, state.capacity) do
      Counters.begun(state.place)
      request_all(request(%{state | libraries: Libraries.add(libraries, library)}, library, call))
    else
      false -> state
      {:none, libraries} -> %{state | libraries: libraries}
    end
  end

  defp request(state, library, {number, caller, function, arguments}) when is_function(function),
    do: request(state, library, {number, caller, {:erlang, :apply}, [function, arguments]})

  defp request(state, library, {number, _caller, {module, name}, arguments}) do
    label = {library, number}
    pending = :erpc.send_request(state.node, module, name, arguments, label, state.pending)
    %{state | pending: pending}
  end

  defp check(message, state) do
    case :erpc.check_response(message, state.pending, true) do
      {{:response, value}, {library, number}, pending} ->
        more = Executor.returned(library, number, value)
        end_request(state, :done, pending, library, more)

      _stray ->
        state
    end
  catch
    class, {reason, {library, number}, pending} ->
      {state, more} = answer_failure(state, library, number, class, reason)
      end_request(state, :failed, pending, library, more)
  end

  defp end_request(state, outcome, pending, library, more) do
    Counters.ended(state.place, outcome)
    note(%{state | pending: pending}, &Libraries.note(&1, library, more))
  end

  defp answer_failure(state, library, number, :error, {:erpc, :noconnection}) do
    {heard, more} = Executor.lost(library, number, :noconnection)
    {if(heard == :unheard, do: count_lost(state), else: state), more}
  end

  defp answer_failure(state, library, number, :error, {:exception, reason, stack_trace}),
    do: {state, Executor.failed(library, number, :error, reason, stack_trace)}

  defp answer_failure(state, library, number, :exit, {:exception, reason}),
    do: {state, Executor.failed(library, number, :exit, reason, [])}

  defp answer_failure(state, library, number, class, reason),
    do: {state, Executor.failed(library, number, class, reason, [])}

  # All that one loss of the connection takes are told by messages that are here by now.
  defp count_lost(%{lost: 0} = state) do
    send(self(), :log_lost)
    %{state | lost: 1}
  end

  defp count_lost(state), do: %{state | lost: state.lost + 1}
end
