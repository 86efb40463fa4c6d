defmodule Upcall.Generator do
  @moduledoc """
  A lazy enumerable whose elements a native call computes.

  A NIF whose C++ function is an `upcall::generator`, or yields values on a fiber (`upcall::yields`),
  returns one. Nothing is computed before somebody enumerates it, and each enumeration begins a native
  call of its own, in the process that enumerates:

      primes = Demo.Native.primes()
      Enum.take(primes, 10)                      # computes ten
      primes |> Stream.zip(1..3) |> Enum.to_list()

  Elements come in chunks, which grow with what was taken: one by one at first, and later at most an eighth
  of what was taken before, as many as half a millisecond gives, and no more than `upcall::chunk_size` (1000
  where C++ does not say). So it may have computed some that nobody takes.

  The native call ends, and its C++ destructors have run, when the enumeration has: at its end, when the
  consumer stops early or raises, and some time after the consumer died or dropped a suspended enumeration.
  A suspended enumeration goes on once, in the process that began it. One that was begun in older code of the
  module ends there; where the same code was loaded again meanwhile, it raises `ArgumentError`.
  """

  @enforce_keys [:module, :native, :arguments]
  defstruct [:module, :native, :arguments]

  @typedoc "An enumerable; its fields are Upcall's own."
  @opaque t :: %__MODULE__{module: module(), native: atom(), arguments: [term()]}

  @doc false
  # The part of a module's trampoline that enumerates. It calls its module by local calls only, see
  # `Upcall.Nif`; only a new enumeration calls the newest code.
  @spec __trampoline__([{atom(), arity()}]) :: Macro.t()
  def __trampoline__(nifs) do
    quote do
      unquote_splicing(Enum.map(nifs, &native_clause/1))

      defp __upcall_native__(native, arguments),
        do:
          :erlang.nif_error(%UndefinedFunctionError{
            module: __MODULE__,
            function: native,
            arity: length(arguments)
          })

      @doc false
      def __upcall_reduce__(_native, _arguments, {:halt, acc}, _fun), do: {:halted, acc}

      def __upcall_reduce__(native, arguments, {:suspend, acc}, fun),
        do: {:suspended, acc, &__upcall_reduce__(native, arguments, &1, fun)}

      def __upcall_reduce__(native, arguments, {:cont, _} = acc, fun) do
        case __upcall_run__(__upcall_native__(native, arguments)) do
          {:generate, suspended, _arguments} ->
            __upcall_pull__(suspended, acc, fun)

          # A struct of older code, whose function yielded.
          {:return, _value} ->
            :erlang.error(Upcall.Generator.__no_generator__(__MODULE__, native, arguments))

          failure ->
            __upcall_fail__(failure)
        end
      end

      # Runs the native call until its next chunk.
      defp __upcall_pull__({{frame, roots, _} = native_call, token}, acc, fun) do
        request = __upcall_resume__(frame, roots, token, nil)

        case __upcall_loop__(request, nil, native_call) do
          {:chunk, suspended, elements} ->
            __upcall_hand_out__(elements, suspended, acc, fun)

          {:return, elements} ->
            __upcall_hand_out__(elements, :ended, acc, fun)

          failure ->
            __upcall_fail__(failure)
        end
      end

      defp __upcall_hand_out__(elements, suspended, acc, fun) do
        try do
          Upcall.Generator.__reduce__(elements, acc, fun)
        catch
          class, reason ->
            __upcall_close_quietly__(suspended)
            :erlang.raise(class, reason, __STACKTRACE__)
        else
          {:cont, acc} when suspended == :ended ->
            {:done, acc}

          {:cont, _} = acc ->
            __upcall_pull__(suspended, acc, fun)

          {:halt, acc} ->
            __upcall_close__(suspended)
            {:halted, acc}

          {:suspend, acc, left} ->
            {:suspended, acc, &__upcall_hand_out__(left, suspended, &1, fun)}
        end
      end

      defp __upcall_close__(:ended), do: :ok

      # The native call may have enumerations of its own to end.
      defp __upcall_close__({{frame, roots, _} = native_call, token}),
        do: __upcall_loop__(__upcall_close_frame__(frame, roots, token), nil, native_call)

      # In the place of an error of the consumer's, none of its own.
      defp __upcall_close_quietly__(suspended) do
        __upcall_close__(suspended)
      catch
        _class, _reason -> :ok
      end

      defp __upcall_fail__({:raise, class, reason, stack_trace}),
        do: :erlang.raise(class, reason, stack_trace)

      defp __upcall_fail__(failure),
        do: :erlang.error(Upcall.Error.exception(failure, __MODULE__))
    end
  end

  defp native_clause({name, arity}) do
    native = Upcall.Nif.__native_name__(name)
    arguments = Macro.generate_arguments(arity, __MODULE__)

    quote do
      defp __upcall_native__(unquote(native), unquote(arguments)),
        do: unquote(native)(unquote_splicing(arguments))
    end
  end

  @doc false
  @spec __no_generator__(module(), atom(), [term()]) :: Exception.t()
  def __no_generator__(module, native, arguments) do
    name = Upcall.Nif.__name_of_native__(native)

    ArgumentError.exception(
      "expected a native function that yields values, " <>
        "got: #{inspect(module)}.#{name}/#{length(arguments)}; call it again for what it gives now"
    )
  end

  @doc false
  @spec __reduce__([term()], Enumerable.acc(), Enumerable.reducer()) ::
          {:cont | :halt, term()} | {:suspend, term(), [term()]}
  def __reduce__([element | left], {:cont, acc}, fun),
    do: __reduce__(left, fun.(element, acc), fun)

  def __reduce__([], {:cont, _} = acc, _fun), do: acc
  def __reduce__(_left, {:halt, _} = acc, _fun), do: acc
  def __reduce__(left, {:suspend, acc}, _fun), do: {:suspend, acc, left}

  defimpl Enumerable do
    def reduce(%{module: module, native: native, arguments: arguments}, acc, fun),
      do: module.__upcall_reduce__(native, arguments, acc, fun)

    def count(_generator), do: {:error, __MODULE__}
    def member?(_generator, _element), do: {:error, __MODULE__}
    def slice(_generator), do: {:error, __MODULE__}
  end

  defimpl Inspect do
    import Inspect.Algebra

    def inspect(%{module: module, native: native, arguments: arguments}, options) do
      name = Upcall.Nif.__name_of_native__(native)
      call = container_doc("(", arguments, ")", options, &to_doc/2)
      concat(["#Upcall.Generator<", to_doc(module, options), ".", name, call, ">"])
    end
  end
end
