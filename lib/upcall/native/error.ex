defmodule Upcall.Error do
  @moduledoc false
  # How errors cross the border, in both directions. See docs/errors.md.

  @longest_text 1_000
  @most_shown 10
  @deepest 10
  # Which entries of a map are shown is up to Elixir. A larger one is shown as it is.
  @most_narrowed 100
  @widest 2 ** 1_000

  @doc """
  Shapes what a function did instead of returning, for the native side:
  `[class, reason, exception | stack_trace]`. `exception` is what the reason of a raise is to Elixir where
  it is not that already (`:badarith`), else nil.

  It runs for every raise that passes through native code, so it makes no text, and calls nothing of the
  user's.
  """
  @spec outcome(:error | :exit | :throw, term(), Exception.stacktrace()) :: nonempty_list()
  def outcome(:error, %{__exception__: true} = reason, stack_trace),
    do: [:error, reason, nil | stack_trace]

  def outcome(:error, reason, stack_trace),
    do: [:error, reason, exception_of(reason, stack_trace) | stack_trace]

  def outcome(class, reason, stack_trace), do: [class, reason, nil | stack_trace]

  # What Elixir would inspect to make an exception of it.
  defp exception_of({:badarg, _}, _stack_trace), do: ArgumentError.exception([])

  # Without its location, which may name a module of the user's that formats the error.
  defp exception_of(reason, stack_trace) do
    case stack_trace do
      [{module, function, arity, _location} | _] ->
        Exception.normalize(:error, reason, [{module, function, arity, []}])

      _ ->
        Exception.normalize(:error, reason, [])
    end
  catch
    _, _ -> ErlangError.exception(original: reason)
  end

  @doc """
  Returns the text that Elixir prints of an outcome, cut.
  """
  @spec banner(nonempty_list()) :: String.t()
  def banner([class, reason, _exception | stack_trace]) do
    class
    |> Exception.format_banner(reason, stack_trace)
    |> String.slice(0, @longest_text)
  catch
    # An exception of the user's formats itself, and may fail at that.
    _, _ -> "#{class} whose reason could not be formatted"
  end

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
  Makes the error of a function that returned what native code cannot take.
  """
  @spec bad_return(
          {module(), String.t(), arity()},
          fun(),
          String.t(),
          String.t(),
          term()
        ) :: Exception.t()
  def bad_return({module, name, arity}, fun, where, expected, got) do
    ArgumentError.exception(
      "#{inspect(module)}.#{name}/#{arity}: #{blame(fun, where, expected)}, got: #{show(got)}"
    )
  end

  defp blame(fun, "", expected), do: "expected #{expected} from #{inspect(fun)}"

  defp blame(fun, where, expected),
    do: "in what #{inspect(fun)} returned: #{where}expected #{expected}"

  # Texts of C and C++ have any encoding; a message that is no string breaks who prints it.
  defp printable(text), do: if(String.valid?(text), do: text, else: replace_invalid(text, ""))

  defp replace_invalid(<<good::utf8, rest::binary>>, done),
    do: replace_invalid(rest, <<done::binary, good::utf8>>)

  defp replace_invalid(<<_, rest::binary>>, done),
    do: replace_invalid(rest, <<done::binary, 0xFFFD::utf8>>)

  defp replace_invalid("", done), do: done

  # An integer has no limit of its own, and takes long to print: its size says enough.
  defp show(term) when is_integer(term) and (term > @widest or term < -@widest) do
    "an integer of #{byte_size(:binary.encode_unsigned(abs(term)))} bytes"
  end

  defp show(term) do
    text = term |> narrow(@deepest) |> inspect(limit: @most_shown, printable_limit: 100)

    if String.length(text) > @longest_text,
      do: String.slice(text, 0, @longest_text) <> "…",
      else: text
  catch
    # An `Inspect` of the user's may do as it likes; this error is not about it.
    _class, _reason -> "a term that can't be inspected"
  end

  # Puts its text in the place of each integer that is too wide, as far as the term is shown.
  defp narrow(integer, _depth)
       when is_integer(integer) and (integer > @widest or integer < -@widest),
       do: show(integer)

  defp narrow(term, 0) when is_list(term) or is_tuple(term) or is_map(term), do: :...
  defp narrow([_ | _] = list, depth), do: narrow_list(list, @most_shown, depth - 1)

  defp narrow(tuple, depth) when is_tuple(tuple),
    do: tuple |> Tuple.to_list() |> narrow_list(@most_shown, depth - 1) |> List.to_tuple()

  # How a struct is shown is up to its `Inspect`.
  defp narrow(struct, _depth) when is_struct(struct), do: struct

  defp narrow(map, depth) when is_map(map) and map_size(map) <= @most_narrowed,
    do: Map.new(map, fn {key, value} -> {narrow(key, depth - 1), narrow(value, depth - 1)} end)

  defp narrow(term, _depth), do: term

  defp narrow_list([head | tail], left, depth) when left > 0,
    do: [narrow(head, depth) | narrow_list(tail, left - 1, depth)]

  defp narrow_list(rest, _left, _depth), do: rest
end
