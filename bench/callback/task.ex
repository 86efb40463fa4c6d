defmodule Bench.Callback.Task do
  @moduledoc false
  import Bitwise

  alias Bench.{Callback, Contender}

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("task_nif")

    @spec many((integer -> integer), non_neg_integer()) :: integer()
    defnif many(fun, count)

    @spec once((integer -> integer), integer()) :: integer()
    defnif once(fun, x)

    @spec none((integer -> integer), integer()) :: integer()
    defnif none(fun, x)
  end

  # How many calls of a NIF that makes one upcall, or none, a run has.
  @nif_calls 1000

  @spec contenders() :: [Contender.t()]
  def contenders, do: many("task", &Callback.square/0) ++ [once(), none()]

  defp many(name, prepare) do
    for count <- Callback.counts() do
      %Contender{
        name: name,
        input: Integer.to_string(count),
        calls: count,
        prepare: prepare,
        run: fn fun -> Native.many(fun, count) end,
        expected: Callback.expected_sum(count)
      }
    end
  end

  defp once do
    %Contender{
      name: "task_once",
      input: "1",
      calls: @nif_calls,
      prepare: &Callback.square/0,
      run: fn fun -> once(fun, @nif_calls, 0, 0) end,
      expected: Callback.expected_sum(@nif_calls)
    }
  end

  defp none do
    %Contender{
      name: "task_none",
      input: "0",
      calls: @nif_calls,
      prepare: &Callback.square/0,
      run: fn fun -> none(fun, @nif_calls, 0, 0) end,
      expected: Callback.expected_sum(@nif_calls)
    }
  end

  defp once(_, count, count, sum), do: sum

  defp once(fun, count, i, sum),
    do: once(fun, count, i + 1, rem(sum + Native.once(fun, i &&& 1023), 1009))

  defp none(_, count, count, sum), do: sum

  defp none(fun, count, i, sum),
    do: none(fun, count, i + 1, rem(sum + Native.none(fun, i &&& 1023), 1009))
end
