defmodule Bench.Callback.Nif do
  @moduledoc false
  # What a native call costs that calls nothing back.
  import Bitwise

  alias Bench.{Callback, Contender}

  defmodule Native do
    @moduledoc false
    # As one writes it by hand, in a library without Upcall.

    @on_load :load

    @spec square(integer()) :: integer()
    def square(_), do: :erlang.nif_error(:not_loaded)

    @doc false
    def load do
      path = Bench.native_path("square_plain")

      with {:error, {_, text}} <- :erlang.load_nif(String.to_charlist(path), 0) do
        raise "cannot load #{path}.so: #{text}; bench/run.sh builds it"
      end
    end
  end

  @spec contenders() :: [Contender.t()]
  def contenders do
    for count <- Callback.counts() do
      %Contender{
        name: "nif",
        about: "a plain NIF call, which calls nothing back",
        input: Integer.to_string(count),
        calls: count,
        run: fn _ -> loop(count, 0, 0) end,
        expected: Callback.expected_sum(count)
      }
    end
  end

  defp loop(count, count, sum), do: sum

  defp loop(count, i, sum),
    do: loop(count, i + 1, rem(sum + Native.square(i &&& 1023), 1009))
end
