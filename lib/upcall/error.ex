defmodule Upcall.Error do
  @moduledoc false
  # How errors cross the border, in both directions. See docs/errors.md.

  @longest_text 1_000

  @doc """
  Shapes what a function did instead of returning, for the native side: `[class, reason, stack_trace | text]`.
  """
  @spec outcome(:error | :exit | :throw, term(), Exception.stacktrace()) :: maybe_improper_list()
  def outcome(class, reason, stack_trace) do
    [class, reason, stack_trace | text(class, reason, stack_trace)]
  end

  @doc """
  Makes the exception that a native call has ended with.
  """
  @spec exception(tuple(), module()) :: Exception.t()
  def exception({:raise_exception, exception, argument}, _module) do
    exception.exception(argument)
  end

  def exception({:bad_term, name, arity, where, expected, got}, module) do
    ArgumentError.exception(
      "#{inspect(module)}.#{name}/#{arity}: #{where}expected #{expected}, got: #{show(got)}"
    )
  end

  @doc """
  Raises that a function returned what native code cannot take.
  """
  @spec raise_bad_return(
          {module(), String.t(), arity()},
          fun(),
          String.t(),
          String.t(),
          term()
        ) :: no_return()
  def raise_bad_return({module, name, arity}, fun, where, expected, got) do
    raise ArgumentError,
          "#{inspect(module)}.#{name}/#{arity}: #{where}expected #{expected} " <>
            "from #{inspect(fun)}, got: #{show(got)}"
  end

  # An exception of the user's formats itself, and may fail at that; the upcall's outcome must not.
  defp text(class, reason, stack_trace) do
    class
    |> Exception.format_banner(reason, stack_trace)
    |> String.slice(0, @longest_text)
  rescue
    _ -> "#{class} whose reason could not be formatted"
  end

  defp show(term), do: inspect(term, limit: 10, printable_limit: 100)
end
