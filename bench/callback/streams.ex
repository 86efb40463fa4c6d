defmodule Bench.Callback.Streams do
  @moduledoc false
  # What an element of a native enumerable costs, and one of an enumerable that native code reads; next to
  # the same sums by Elixir, and to the least that the protocol and the VM's functions for lists allow.

  alias Bench.Contender

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("streams_nif")

    @spec numbers(non_neg_integer()) :: Enumerable.t()
    defnif numbers(size)

    @spec sum(Enumerable.t()) :: integer()
    defnif sum(numbers)

    @spec sum_in_task(Enumerable.t()) :: integer()
    defnif sum_in_task(numbers)
  end

  defmodule Walk do
    @moduledoc false
    # A sum by hand, in a library without Upcall.

    @on_load :load

    @spec sum([integer()]) :: integer()
    def sum(_), do: :erlang.nif_error(:not_loaded)

    @doc false
    def load, do: :erlang.load_nif(String.to_charlist(Bench.native_path("walk_plain")), 0)
  end

  @size 1_000_000

  @doc """
  Returns how many elements each contender sums.
  """
  @spec size() :: pos_integer()
  def size, do: @size

  @spec contenders() :: [Contender.t()]
  def contenders do
    list = fn -> Enum.to_list(1..@size) end
    none = fn -> nil end

    for {name, about, prepare, run} <- [
          {"sum_list", "Enum.sum/1 of a list, an element", list, &Enum.sum/1},
          {"sum_enumerable", "Enum.sum/1 of the list behind Enumerable",
           fn -> behind_protocol(list.()) end, &Enum.sum/1},
          {"generator", "Enum.sum/1 of an upcall::generator", none,
           fn _ -> Enum.sum(Native.numbers(@size)) end},
          {"walk", "the list read by hand in C", list, &Walk.sum/1},
          {"sequence", "the list as an upcall::sequence, on a fiber", list, &Native.sum/1},
          {"sequence_in_task", "the same in a coroutine", list, &Native.sum_in_task/1},
          {"sequence_of_range", "a range, on a fiber", fn -> 1..@size end, &Native.sum/1}
        ] do
      %Contender{
        name: name,
        about: about,
        input: Integer.to_string(@size),
        calls: @size,
        prepare: prepare,
        run: run,
        expected: div(@size * (@size + 1), 2)
      }
    end
  end

  # `Enum.sum/1` knows a shorter way for lists themselves.
  defp behind_protocol(list), do: &Enumerable.reduce(list, &1, &2)
end
