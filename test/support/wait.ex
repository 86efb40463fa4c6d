defmodule UpcallTest.Wait do
  @moduledoc false

  @doc """
  Waits until `done?` gives true, for what happens on threads that send no message.
  """
  @spec until((() -> boolean()), timeout()) :: :ok
  def until(done?, timeout \\ 20_000) do
    until(done?, System.monotonic_time(:millisecond) + timeout, 0)
  end

  @doc """
  Waits until all frames of a library have ended; `parked` ones have, for this purpose.
  """
  @spec until_no_frames(module()) :: :ok
  def until_no_frames(module) do
    until(fn -> match?(%{suspended: 0, abandoned: 0}, Upcall.info(module)) end)
  end

  @doc """
  Waits until a process waits for its turn with an `upcall::exclusive`.
  """
  @spec until_queued(pid()) :: :ok
  def until_queued(pid) do
    until(fn ->
      match?(
        [status: :waiting, current_function: {_, :__upcall_await_turn__, 2}],
        Process.info(pid, [:status, :current_function])
      )
    end)
  end

  # Most of it is a matter of microseconds, so that it asks often at first.
  defp until(done?, deadline, tries) do
    cond do
      done?.() ->
        :ok

      System.monotonic_time(:millisecond) > deadline ->
        raise "what was waited for has not happened in time"

      true ->
        receive do
        after
          if(tries < 100, do: 0, else: 1) -> until(done?, deadline, tries + 1)
        end
    end
  end
end
