Code.require_file("executor.exs", __DIR__)

defmodule UpcallTest.ThreadCalls do
  # Calls of an executor on threads of native code, which tell their outcomes by messages.

  import ExUnit.Assertions

  @at_once 10_000

  def start_call(executor, fun, params \\ [], timeout \\ 60_000),
    do: :ok = UpcallTest.Executor.apply_thread(executor, fun, params, timeout)

  def await_outcome do
    assert_receive {:thread, outcome}, @at_once
    outcome
  end

  def call(executor, fun, params \\ []) do
    start_call(executor, fun, params)
    await_outcome()
  end
end
