defmodule Upcall.Executor do
  @moduledoc false
  # What an executor does with a call, which comes as the message
  #
  #     {:upcall, ticket, caller, function, arguments}
  #
  # `ticket` is `{module, slot}`: where the call waits, and by whose NIF it is answered. `caller` is the
  # process that the native code works for, or nil. `function` is a function, or the name of one.

  require Logger

  @type ticket :: {module(), reference()}
  @type function_or_name :: fun() | {module(), atom()}

  @doc """
  Runs a call and answers it, unless nobody waits for it any more.

  Returns what it came to: `:done`, `:failed` (the function did not return) or `:late`.
  """
  @spec run(ticket(), pid() | nil, function_or_name(), [term()]) :: :done | :failed | :late
  def run(ticket, caller, function, arguments) do
    case tell(ticket, :begin, nil) do
      true -> run_begun(ticket, caller, function, arguments)
      _ -> :late
    end
  end

  defp run_begun(ticket, caller, function, arguments) do
    if caller, do: Process.put(:"$callers", [caller])

    try do
      call(function, arguments)
    catch
      class, reason ->
        failed(ticket, class, reason, __STACKTRACE__)
        :failed
    else
      value ->
        tell(ticket, :returned, value)
        :done
    end
  after
    Process.delete(:"$callers")
  end

  defp call({module, name}, arguments), do: apply(module, name, arguments)
  defp call(function, arguments), do: apply(function, arguments)

  @doc """
  Answers a call whose function did not return. Where nobody wants an answer, it is logged.
  """
  @spec failed(ticket(), :error | :exit | :throw, term(), Exception.stacktrace()) :: :ok
  def failed(ticket, class, reason, stack_trace) do
    if tell(ticket, :raised, Upcall.Error.outcome(class, reason, stack_trace)) == :unheard do
      Logger.error(
        "a function that native code cast to #{inspect(self())} failed: " <>
          Exception.format(class, reason, stack_trace)
      )
    end

    :ok
  end

  @doc """
  Tells the library that made a call something about it.

  Returns nil, and logs why, where that can't be: the module is gone, or the ticket was forged.
  """
  @spec tell(ticket(), atom(), term()) :: term()
  def tell({module, slot}, word, content) do
    module.__upcall_tell__(slot, word, content)
  rescue
    error in [ArgumentError, UndefinedFunctionError] ->
      Logger.warning("Upcall: a call can't be answered: #{Exception.message(error)}")
      nil
  end
end
