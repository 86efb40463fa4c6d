defmodule Upcall.RemoteServer do
  @moduledoc false
  # An executor that has functions run on another node, several at a time. See `Upcall.Server`.

  use GenServer

  defmodule State do
    @moduledoc false
    # `place`: in the counters of a pool, or nil. `pending`: the requests under way, labelled with their
    # tickets.
    @enforce_keys [:node, :place, :pending]
    defstruct [:node, :place, :pending]
  end

  @impl true
  def init({node, place}) do
    Upcall.Monitor.watch_me()
    {:ok, %State{node: node, place: place, pending: :erpc.reqids_new()}}
  end

  @impl true
  def handle_info({:upcall, {_, _} = ticket, _caller, function, arguments}, state) do
    case Upcall.Executor.tell(ticket, :begin, nil) do
      true ->
        Upcall.Counters.begun(state.place)
        {:noreply, request(state, ticket, function, arguments)}

      _late ->
        {:noreply, state}
    end
  end

  def handle_info(message, state), do: {:noreply, check(message, state)}

  defp request(state, ticket, {module, name}, arguments) do
    pending = :erpc.send_request(state.node, module, name, arguments, ticket, state.pending)
    %{state | pending: pending}
  end

  defp request(state, ticket, function, arguments),
    do: request(state, ticket, {:erlang, :apply}, [function, arguments])

  defp check(message, state) do
    case :erpc.check_response(message, state.pending, true) do
      {{:response, value}, ticket, pending} ->
        Upcall.Executor.tell(ticket, :returned, value)
        Upcall.Counters.ended(state.place, :done)
        %{state | pending: pending}

      _stray ->
        state
    end
  catch
    class, {reason, ticket, pending} ->
      answer_failure(ticket, class, reason)
      Upcall.Counters.ended(state.place, :failed)
      %{state | pending: pending}
  end

  defp answer_failure(ticket, :error, {:erpc, :noconnection}),
    do: Upcall.Executor.tell(ticket, :down, :noconnection)

  defp answer_failure(ticket, :error, {:exception, reason, stack_trace}),
    do: Upcall.Executor.failed(ticket, :error, reason, stack_trace)

  defp answer_failure(ticket, :exit, {:exception, reason}),
    do: Upcall.Executor.failed(ticket, :exit, reason, [])

  defp answer_failure(ticket, class, reason),
    do: Upcall.Executor.failed(ticket, class, reason, [])
end
