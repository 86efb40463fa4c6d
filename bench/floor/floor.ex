defmodule Bench.Floor do
  @moduledoc false
  # What the VM and the operating system ask for, so that one sees which part of a price is Upcall's.

  @behaviour Bench.Part

  alias Bench.{Callback, Contender}

  defmodule Plain do
    @moduledoc false

    @on_load :load

    @spec square(integer()) :: integer()
    def square(_), do: :erlang.nif_error(:not_loaded)

    @spec dirty_cpu_square(integer()) :: integer()
    def dirty_cpu_square(_), do: :erlang.nif_error(:not_loaded)

    @spec dirty_io_square(integer()) :: integer()
    def dirty_io_square(_), do: :erlang.nif_error(:not_loaded)

    @spec condition_variable(pos_integer()) :: pos_integer()
    def condition_variable(_), do: :erlang.nif_error(:not_loaded)

    @spec begin(pos_integer()) :: integer() | nonempty_improper_list(integer(), reference())
    def begin(_), do: :erlang.nif_error(:not_loaded)

    @spec go_on(reference(), integer()) ::
            integer() | nonempty_improper_list(integer(), reference())
    def go_on(_, _), do: :erlang.nif_error(:not_loaded)

    @doc false
    def load, do: :erlang.load_nif(String.to_charlist(Bench.native_path("floor_plain")), 0)
  end

  defmodule Switch do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("switch_nif")

    @spec switches(pos_integer()) :: pos_integer()
    defnif switches(count)
  end

  @impl true
  def title, do: "what the VM and the operating system take for their part"

  @impl true
  def contenders do
    for {name, about, calls, prepare, run} <- [
          {"nif", "a plain NIF call", 100_000, &Contender.nothing/0,
           fn _, n -> calls(&Plain.square/1, n) end},
          {"by_hand", "a callback whose native loop is put aside by hand, unchecked", 100_000,
           &Callback.square/0, &by_hand/2},
          {"dirty_nif", "a dirty NIF call, CPU bound", 1000, &Contender.nothing/0,
           fn _, n -> calls(&Plain.dirty_cpu_square/1, n) end},
          {"dirty_io_nif", "a dirty NIF call, IO bound", 1000, &Contender.nothing/0,
           fn _, n -> calls(&Plain.dirty_io_square/1, n) end},
          {"message", "a message to a process, and its answer", 1000, &spawn_echo/0, &messages/2},
          {"condition_variable", "two threads that wake each other, there and back", 1000,
           &Contender.nothing/0, fn _, n -> Plain.condition_variable(n) end},
          {"fiber_switch", "Boost.Context, there and back", 100_000, &Contender.nothing/0,
           fn _, n -> Switch.switches(n) end}
        ] do
      %Contender{
        name: name,
        about: about,
        input: Integer.to_string(calls),
        calls: calls,
        prepare: prepare,
        run: fn state -> run.(state, calls) end,
        expected: calls
      }
    end
  end

  defp calls(square, count), do: calls(square, count, 0)
  defp calls(_, count, count), do: count

  defp calls(square, count, i) do
    _ = square.(i)
    calls(square, count, i + 1)
  end

  defp by_hand(fun, count) do
    sum = answer(fun, Plain.begin(count))
    if sum == Callback.expected_sum(count), do: count, else: {:wrong_sum, sum}
  end

  defp answer(fun, [x | state]), do: answer(fun, Plain.go_on(state, fun.(x)))
  defp answer(_, sum), do: sum

  defp spawn_echo, do: spawn_link(&echo/0)

  defp echo do
    receive do
      {from, i} -> send(from, i)
    end

    echo()
  end

  defp messages(echo, count), do: messages(echo, count, 0)
  defp messages(_, count, count), do: count

  defp messages(echo, count, i) do
    send(echo, {self(), i})

    receive do
      ^i -> messages(echo, count, i + 1)
    end
  end
end
