defmodule Upcall.Error do
  @moduledoc false
  # How errors cross the border, in both directions. See docs/errors.md.

  @longest_text 1_000
  @widest 2 ** 1_000

  @doc """
  Shapes what a function did instead of returning, for the native side:
  `[class, reason, stack_trace, exception | text]`. `exception` is what the reason of a raise is to
  Elixir where it is not that already (`:badarith`), else nil.
  """
  @spec outcome(:error | :exit | :throw, term(), Exception.stacktrace()) :: maybe_improper_list()
  def outcome(class, reason, stack_trace) do
    exception = exception_of(class, reason, stack_trace)
    [class, reason, stack_trace, exception | text(class, reason, stack_trace)]
  end

  defp exception_of(:error, %{__exception__: true}, _stack_trace), do: nil
  defp exception_of(:error, reason, stack), do: Exception.normalize(:error, reason, stack)
  defp exception_of(_class, _reason, _stack_trace), do: nil

  @doc """
  Makes the exception that a native call has ended with.
  """
  @spec exception(tuple(), module()) :: Exception.t()
  def exception({:raise_exception, exception, text}, _module) when is_binary(text) do
    exception.exception(printable(text))
  end

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
          "#{inspect(module)}.#{name}/#{arity}: #{blame(fun, where, expected)}, got: #{show(got)}"
  end

  defp blame(fun, "", expected), do: "expected #{expected} from #{inspect(fun)}"

  defp blame(fun, where, expected),
    do: "in what #{inspect(fun)} returned: #{where}expected #{expected}"

  # An exception of the user's formats itself, and may fail at that; the upcall's outcome must not.
  defp text(class, reason, stack_trace) do
    class
    |> Exception.format_banner(reason, stack_trace)
    |> String.slice(0, @longest_text)
  catch
    _, _ -> "#{class} whose reason could not be formatted"
  end

  # Texts of C and C++ have any encoding; a message that is no string breaks who prints it.
  defp printable(text) do
    case :unicode.characters_to_binary(text) do
      {_, good, <<_, rest::binary>>} -> good <> "\uFFFD" <> printable(rest)
      good -> good
    end
  end

  # An integer has no limit of its own, and takes long to print: its size says enough.
  defp show(term) when is_integer(term) and (term > @widest or term < -@widest) do
    "an integer of #{byte_size(:binary.encode_unsigned(abs(term)))} bytes"
  end

  defp show(term) do
    text = inspect(term, limit: 10, printable_limit: 100)

    if String.length(text) > @longest_text,
      do: String.slice(text, 0, @longest_text) <> "…",
      else: text
  end
end
