defmodule Upcall.Executor do
  @moduledoc false
  # What an executor does with the calls of a library. They wait in the library, and not in the mailbox,
  # where a function of the user's could take them. The library wakes an executor by the message
  #
  #     {:upcall, module, link}
  #
  # which says only that there may be something: `link` is what the library knows of the executor, and
  # `module` the one by whose NIF it is told of. The executor takes one call after another from the link,
  # each with a number, and says what came of it. Between two, it looks at the links that it knows
  # (`Upcall.Libraries`), so that nothing is lost with such a message.

  require Logger

  @type library :: {module(), reference()}
  @type call :: {non_neg_integer(), pid() | nil, function_or_name(), [term()]}
  @type function_or_name :: fun() | {module(), atom()}
  @typedoc "How many calls may wait, and how many may run at once."
  @type capacity :: {non_neg_integer(), pos_integer()}
  @typedoc "Whether the library has more calls; nil where it is gone."
  @type more :: boolean() | nil

  @doc """
  Takes the call that has waited longest. It has begun then, and has to be answered.
  """
  @spec take(library(), capacity()) :: call() | :none | nil
  def take(library, capacity), do: tell(library, :take, capacity)

  @doc """
  Asks whether there is a call to take.
  """
  @spec look(library()) :: more()
  def look(library), do: tell(library, :look, nil)

  @doc """
  Runs a call and answers it. Returns what came of it, and whether the library has more.
  """
  @spec run(library(), call()) :: {:done | :failed, more()}
  def run(library, {number, caller, function, arguments}) do
    if caller, do: Process.put(:"$callers", [caller])

    try do
      call(function, arguments)
    catch
      class, reason ->
        {:failed, failed(library, number, class, reason, __STACKTRACE__)}
    else
      value -> {:done, returned(library, number, value)}
    end
  after
    Process.delete(:"$callers")
  end

  defp call({module, name}, arguments), do: apply(module, name, arguments)
  defp call(function, arguments), do: apply(function, arguments)

  @doc """
  Answers a call whose function has returned.
  """
  @spec returned(library(), non_neg_integer(), term()) :: more()
  def returned(library, number, value) do
    {_heard, more} = answer(library, :returned, number, value)
    more
  end

  @doc """
  Answers a call whose function did not return. Where nobody wants an answer, it is logged.
  """
  @spec failed(library(), non_neg_integer(), :error | :exit | :throw, term(), list()) :: more()
  def failed(library, number, class, reason, stack_trace) do
    outcome = Upcall.Error.outcome(class, reason, stack_trace)
    {heard, more} = answer_raised(library, number, [outcome])

    case heard do
      :unheard -> log(fn -> Upcall.Error.banner(outcome) end, stack_trace)
      {:unheard, text} -> log(fn -> text end, stack_trace)
      _heard -> :ok
    end

    more
  end

  # Where an outcome has functions in it, what they have captured is copied too, and only Elixir sees it.
  defp answer_raised(library, number, seen) do
    case answer(library, :raised, number, seen) do
      {:functions, functions} ->
        answer_raised(library, number, [Enum.map(functions, &captured/1) | seen])

      heard_and_more ->
        heard_and_more
    end
  end

  defp captured(function) do
    {:env, captured} = Function.info(function, :env)
    captured
  end

  # Arguments in the stack trace may be of any size.
  defp log(text, stack_trace) do
    where = Enum.map(stack_trace, &without_arguments/1)

    Logger.error(fn ->
      "a function that native code cast to #{inspect(self())} failed: " <>
        text.() <> "\n" <> Exception.format_stacktrace(where)
    end)
  end

  defp without_arguments({module, function, arguments, location}) when is_list(arguments),
    do: {module, function, length(arguments), location}

  defp without_arguments(entry), do: entry

  @doc """
  Answers a call that is lost with where it ran. Returns whether somebody was told (`:ok`, `:dropped`), or
  it was a cast (`:unheard`), and whether there is more.
  """
  @spec lost(library(), non_neg_integer(), term()) :: {:ok | :dropped | :unheard, more()}
  def lost(library, number, reason), do: answer(library, :lost, number, reason)

  defp answer(library, word, number, content),
    do: tell(library, word, {number, content}) || {:dropped, nil}

  @doc """
  Tells the library something about its link, or asks it.

  Returns nil, and logs why, where that can't be: the module is gone, or the link was forged.
  """
  @spec tell(library(), atom(), term()) :: term()
  def tell({module, link}, word, content) do
    module.__upcall_tell__(link, word, content)
  rescue
    error in [ArgumentError, UndefinedFunctionError] ->
      Logger.warning("Upcall: a call can't be answered: #{Exception.message(error)}")
      nil
  end
end
