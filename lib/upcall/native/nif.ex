defmodule Upcall.Nif do
  @moduledoc """
  Makes a module the Elixir side of a native library whose C++ functions may call Elixir functions.

      defmodule Demo.Native do
        use Upcall.Nif, otp_app: :demo, path: "demo_native"

        @spec integrate((float -> float), float, float) :: float
        defnif integrate(f, a, b)
      end

  `Demo.Native.integrate/3` calls the C++ function that `UPCALL_NIF(integrate)` names. While C++ waits
  for `f`, no scheduler waits: the native call is suspended, `f` runs in the process that called, and
  what it raises comes out of `integrate/3` with its own stack trace. A NIF that C++ declares
  `upcall::pinned` has a thread of its own, and is the same to this module and its callers.

  A NIF that yields values gives an `Upcall.Generator`, a lazy enumerable; one that takes an
  `upcall::sequence` takes any enumerable.

  The library is loaded with the module. Where that fails, an error names the path and the reason.

  ## Options

  #{Upcall.Library.option_docs()}

  ## Types

  A `@spec` above a `defnif` is for readers and Dialyzer; where it says that an argument is a function,
  as `(float -> float)` does, the function's arity is checked before any native code runs.
  """

  @doc """
  Loads a native library into the calling module and defines what carries its upcalls.

  The options are described above; a wrong one raises `ArgumentError` when the module is compiled.
  """
  defmacro __using__(options) do
    quote do
      import Upcall.Nif, only: [defnif: 1]
      Module.register_attribute(__MODULE__, :upcall_nifs, accumulate: true)
      @upcall_options Upcall.Library.options!(unquote(options))
      @before_compile Upcall.Nif
    end
  end

  @doc """
  Declares a native function by its head: `defnif integrate(f, a, b)`.

  Documentation and specs are written above it as above any function. It raises `ArgumentError` when an
  argument has not the type that the C++ function takes, and whatever the C++ function raises or lets
  pass from the functions that it calls.
  """
  defmacro defnif(head) do
    {name, arguments} = decompose(head)
    native = __native_name__(name)

    # Unquoted while the module's body runs: only then are the specs above known.
    quote bind_quoted: [name: name, arguments: Macro.escape(arguments), native: native] do
      @upcall_nifs {name, length(arguments)}

      def unquote(name)(unquote_splicing(arguments)) do
        unquote_splicing(Upcall.Nif.__arity_checks__(__MODULE__, name, arguments))

        # Not a tail call, so that this function stands in the stack traces of what it calls.
        case __upcall_run__(unquote(native)(unquote_splicing(arguments))) do
          {:return, value} ->
            value

          {:raise, class, reason, stack_trace} ->
            :erlang.raise(class, reason, stack_trace)

          # The arguments are named by the native call, as nobody here is to keep them meanwhile.
          {:generate, _, _} = generate ->
            __upcall_generator__(generate, unquote(native))

          failure ->
            :erlang.error(Upcall.Error.exception(failure, __MODULE__))
        end
      end

      @doc false
      def unquote(native)(unquote_splicing(Upcall.Nif.__unused__(length(arguments)))),
        do:
          :erlang.nif_error(
            Upcall.Library.no_function(__MODULE__, unquote(name), unquote(length(arguments)))
          )
    end
  end

  # What the library asks for while a native call is suspended, and how it is done. `token` is the
  # library's mark of the pending upcall. The commonest shapes are the smallest: a number is the argument of
  # a function, and its own token, so that a callback makes no garbage. What only raises is an `:erlang.nif_error`:
  # from Elixir 1.18 on the compiler infers of other calls that they never return, and warns the user's module.
  @requests [
    {quote(do: token), quote(do: is_number(token)), quote(do: fun.(token))},
    {quote(do: {token, y}), quote(do: is_number(token)), quote(do: fun.(token, y))},
    {quote(do: [token | x]), true, quote(do: fun.(x))},
    {quote(do: {token, x, y}), quote(do: is_integer(token)), quote(do: fun.(x, y))},
    {quote(do: {:apply, token, arguments}), true, quote(do: apply(fun, arguments))},
    {quote(do: {:mfa, token, module, name, arguments}), true,
     quote(do: apply(module, name, arguments))},
    {quote(do: {:yield, token}), true, quote(do: :erlang.yield())},
    {quote(do: {:wait, token, timeout}), true, quote(do: __upcall_await_turn__(frame, timeout))},
    {quote(do: {:bad_return, token, name, arity, where, expected, got}), true,
     quote(
       do:
         :erlang.nif_error(
           Upcall.Error.bad_return({__MODULE__, name, arity}, fun, where, expected, got)
         )
     )}
  ]

  # The requests of a pinned call and what they come to; its functions are named by their index in `roots`.
  @pinned_requests [
    {quote(do: {:apply, index, arguments}),
     quote(do: apply(:erlang.map_get(index, roots), arguments))},
    {quote(do: {:mfa, module, name, arguments}), quote(do: apply(module, name, arguments))},
    {quote(do: {:map, index, list}), quote(do: Enum.map(list, :erlang.map_get(index, roots)))},
    {quote(do: {:root, index}), quote(do: :erlang.map_get(index, roots))},
    {quote(do: {:banner, index}), quote(do: Upcall.Error.banner(:erlang.map_get(index, roots)))},
    {quote(do: {:bad_return, index, name, arity, where, expected, got}),
     quote(
       do:
         :erlang.nif_error(
           Upcall.Error.bad_return(
             {__MODULE__, name, arity},
             :erlang.map_get(index, roots),
             where,
             expected,
             got
           )
         )
     )}
  ]

  @stubs [
    __upcall_resume__: 4,
    __upcall_resume_raised__: 4,
    __upcall_wait__: 2,
    __upcall_tell__: 3,
    __upcall_next__: 4,
    __upcall_close_frame__: 3,
    __upcall_info__: 0,
    __upcall_nifs__: 0
  ]

  # The trampoline is the module's own: when new code is loaded, calls under way go on in the old. It calls
  # its module by local calls only, as not even a local fun would do: the VM takes those of two loads of
  # one module for the same, and runs the newer.
  @doc false
  defmacro __before_compile__(env) do
    nifs = Module.get_attribute(env.module, :upcall_nifs)

    quote do
      @on_load :__upcall_load__

      @doc false
      def __upcall_load__ do
        # Local functions: `load_nif` loads into the module that calls it, and no other module can call
        # this one until it is loaded.
        load = fn path, info -> :erlang.load_nif(path, info) end
        native_nifs = fn -> __upcall_nifs__() end
        Upcall.Library.load!(__MODULE__, @upcall_options, @upcall_nifs, load, native_nifs)
      end

      defp __upcall_run__({:upcall, frame, roots, fun, request}),
        do: __upcall_loop__(request, nil, {frame, roots, fun})

      defp __upcall_run__({:pinned, call, roots}),
        do: __upcall_serve__(call, roots, nil, nil)

      defp __upcall_run__(ended), do: ended

      unquote_splicing(Enum.map(@requests, &loop/1))

      defp __upcall_loop__({:update, roots, fun, request}, _, {frame, _, _}),
        do: __upcall_loop__(request, nil, {frame, roots, fun})

      # What a native call yields is for who enumerates it, and goes on from here.
      defp __upcall_loop__({:chunk, token, elements}, _, native_call),
        do: {:chunk, {native_call, token}, elements}

      defp __upcall_loop__({:generate, token, arguments}, _, native_call),
        do: {:generate, {native_call, token}, arguments}

      # Enumerations that native code does not go on with. Where the end of one fails, the native call
      # ends with that, unless it has failed already.
      defp __upcall_loop__({:halt, continuations, token, request}, _, native_call) do
        try do
          Upcall.Sequence.halt(continuations)
        catch
          class, reason ->
            unless token == :ended, do: __upcall_close__({native_call, token})

            if token == :ended and request != :ok and elem(request, 0) != :return,
              do: request,
              else: :erlang.raise(class, reason, __STACKTRACE__)
        else
          :ok -> __upcall_loop__(request, nil, native_call)
        end
      end

      defp __upcall_loop__(ended, _, _), do: ended

      # A native call that will yield has taken its arguments, and begins anew for who enumerates it.
      defp __upcall_generator__({:generate, suspended, arguments}, native) do
        __upcall_close__(suspended)
        %Upcall.Generator{module: __MODULE__, native: native, arguments: arguments}
      end

      unquote(Upcall.Generator.__trampoline__(nifs))

      # Serves a pinned call: `kind` and `outcome` are those of the request before. The reference is made
      # here for each wait, so that the receive skips all messages that were there before it.
      defp __upcall_serve__(call, roots, kind, outcome) do
        turn = make_ref()

        case __upcall_next__(call, kind, outcome, turn) do
          :waiting ->
            receive do
              {:upcall_turn, ^turn} -> __upcall_serve__(call, roots, nil, nil)
            end

          # What a function raised, and is too large to be copied: native code gets its index.
          {:keep, index} ->
            __upcall_serve__(call, Map.put(roots, index, outcome), nil, nil)

          request ->
            __upcall_answer__(call, roots, request)
        end
      end

      unquote_splicing(Enum.map(@pinned_requests, &answer/1))

      defp __upcall_answer__(call, roots, {:update, added, dropped, request}) do
        roots = roots |> Map.merge(Map.new(added)) |> Map.drop(dropped)
        __upcall_answer__(call, roots, request)
      end

      defp __upcall_answer__(_call, roots, {:raise_kept, index}) do
        [class, reason, _exception | stack_trace] = :erlang.map_get(index, roots)
        {:raise, class, reason, stack_trace}
      end

      defp __upcall_answer__(_call, _roots, ended), do: ended

      # Waits, `timeout` milliseconds at most, until what the frame waits for has come. The reference is
      # made here, and not by native code, so that the receive skips the messages that were there
      # before it.
      defp __upcall_await_turn__(frame, timeout) do
        turn = make_ref()

        case __upcall_wait__(frame, turn) do
          :granted ->
            :ok

          :waiting ->
            receive do
              {:upcall_turn, ^turn} -> :ok
            after
              timeout -> __upcall_withdraw__(frame, turn)
            end
        end
      end

      # Leaves no stray message behind: one that was sent in time is taken.
      defp __upcall_withdraw__(frame, turn) do
        with :granted <- __upcall_wait__(frame, nil) do
          receive do
            {:upcall_turn, ^turn} -> :ok
          end
        end
      end

      unquote_splicing(Enum.map(@stubs, &stub/1))
    end
  end

  # The second argument keeps the other two apart. The VM's compiler loads registers that are neighbours by one
  # instruction, which no processor begins before both stores to them have left its store buffer: it made a
  # callback cost 43 ns in the place of 37.
  defp loop({request, guard, call}) do
    quote do
      defp __upcall_loop__(unquote(request), _, native_call) when unquote(guard) do
        try do
          {frame, _, fun} = native_call
          unquote(call)
        catch
          class, reason ->
            {frame, roots, _} = native_call
            outcome = Upcall.Error.outcome(class, reason, __STACKTRACE__)
            request = __upcall_resume_raised__(frame, roots, token, outcome)
            __upcall_loop__(request, nil, native_call)
        else
          value ->
            {frame, roots, _} = native_call
            request = __upcall_resume__(frame, roots, token, value)
            __upcall_loop__(request, nil, native_call)
        end
      end
    end
  end

  defp answer({request, call}) do
    quote do
      defp __upcall_answer__(call, roots, unquote(request)) do
        try do
          unquote(call)
        catch
          class, reason ->
            outcome = Upcall.Error.outcome(class, reason, __STACKTRACE__)
            __upcall_serve__(call, roots, :raised, outcome)
        else
          value -> __upcall_serve__(call, roots, :returned, value)
        end
      end
    end
  end

  defp stub({name, arity}) do
    quote do
      @doc false
      def unquote(name)(unquote_splicing(__unused__(arity))), do: :erlang.nif_error(:not_loaded)
    end
  end

  @doc false
  @spec __native_name__(atom()) :: atom()
  def __native_name__(name), do: :"__native_#{name}__"

  @doc false
  @spec __name_of_native__(atom()) :: String.t()
  def __name_of_native__(native),
    do:
      native
      |> Atom.to_string()
      |> String.replace_prefix("__native_", "")
      |> String.replace_suffix("__", "")

  @doc false
  @spec __unused__(arity()) :: [Macro.t()]
  def __unused__(arity), do: List.duplicate({:_, [], nil}, arity)

  defp decompose({name, _, arguments}) when is_atom(name) and is_list(arguments) do
    unless Enum.all?(arguments, &match?({_, _, context} when is_atom(context), &1)) do
      raise ArgumentError, "defnif #{name}: expected names of arguments, as in: defnif add(a, b)"
    end

    {name, arguments}
  end

  defp decompose({name, _, context}) when is_atom(name) and is_atom(context), do: {name, []}

  defp decompose(other) do
    raise ArgumentError, "defnif: expected a function head, got: #{Macro.to_string(other)}"
  end

  # The arities of the arguments that the function's spec says are functions; nil for the others.
  defp function_arities(module, name, arity) do
    unknown = List.duplicate(nil, arity)

    module
    |> Module.get_attribute(:spec, [])
    |> Enum.find_value(unknown, fn
      {:spec, {:when, _, [{:"::", _, [{^name, _, types}, _]}, _]}, _} -> arities(types, arity)
      {:spec, {:"::", _, [{^name, _, types}, _]}, _} -> arities(types, arity)
      _ -> nil
    end)
  end

  defp arities(types, arity) when length(types) == arity, do: Enum.map(types, &function_arity/1)
  defp arities(_, _), do: nil

  defp function_arity({:"::", _, [_name, type]}), do: function_arity(type)
  defp function_arity([{:->, _, [[{:..., _, _}], _]}]), do: nil
  defp function_arity([{:->, _, [arguments, _]}]), do: length(arguments)
  defp function_arity(_), do: nil

  # Checks of those arguments that the spec says are functions.
  @doc false
  @spec __arity_checks__(module(), atom(), [Macro.t()]) :: [Macro.t()]
  def __arity_checks__(module, name, arguments) do
    arities = function_arities(module, name, length(arguments))

    for {{expected, argument}, position} <- Enum.with_index(Enum.zip(arities, arguments), 1),
        expected != nil do
      failure =
        quote do
          {:bad_term, unquote(to_string(name)), unquote(length(arguments)),
           unquote("argument #{position}: "), unquote("a function of arity #{expected}"),
           unquote(argument)}
        end

      quote do
        unless is_function(unquote(argument), unquote(expected)) do
          :erlang.error(Upcall.Error.exception(unquote(failure), __MODULE__))
        end
      end
    end
  end
end
