defmodule Bench.Errors do
  @moduledoc false
  # What does a function that raises cost, next to what it costs in Elixir, and is that so whatever it
  # raises?

  @behaviour Bench.Part

  alias Bench.{Contender, Ratio}

  # How many functions of a run raise.
  @raises 1000

  # The characters of a text, and the keys of a map that a `KeyError` has.
  @short 4
  @large 10_000

  @most_over_elixir 18
  @most_over_short 1.2

  @without_text ["raise_through_frame", "raise_through_task", "raise_caught_in_cpp"]

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("errors_nif")

    @spec through((() -> any())) :: no_return()
    defnif through(fun)

    @spec caught((() -> any())) :: 1
    defnif caught(fun)

    @spec read_text((() -> any())) :: 1
    defnif read_text(fun)
  end

  defmodule TaskNative do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("errors_task_nif")

    @spec through((() -> any())) :: no_return()
    defnif through(fun)
  end

  @impl true
  def title, do: "what a function that raises costs, by how much it raises"

  @impl true
  def contenders do
    for {name, about, run} <- [
          {"raise_elixir", "caught by the Elixir code that calls it",
           &rescued(fn f -> f.() end, &1)},
          {"raise_through_frame", "comes out of a NIF call on a fiber",
           &rescued(fn f -> Native.through(f) end, &1)},
          {"raise_through_task", "comes out of a NIF call that is a coroutine",
           &rescued(fn f -> TaskNative.through(f) end, &1)},
          {"raise_caught_in_cpp", "a NIF catches it", &Native.caught/1},
          {"raise_read_in_cpp", "a NIF catches it and reads its text", &Native.read_text/1}
        ],
        input <- [@short, @large] do
      %Contender{
        name: name,
        about: about,
        input: Integer.to_string(input),
        calls: @raises,
        prepare: fn -> failing(input) end,
        run: fn fun -> count(run, fun, @raises, 0) end,
        expected: @raises
      }
    end
  end

  @impl true
  def ratios do
    [short, large] = Enum.map([@short, @large], &Integer.to_string/1)

    over_elixir =
      for name <- @without_text, input <- [short, large] do
        Ratio.over({name, input}, {"raise_elixir", input}, @most_over_elixir)
      end

    over_short =
      for name <- @without_text do
        %Ratio{
          name: "#{name}: #{large} / #{short}",
          input: large,
          unit: "times",
          at_most: @most_over_short,
          of: fn ns -> ns[{name, large}] / ns[{name, short}] end
        }
      end

    over_elixir ++ over_short
  end

  # Raises a text of four characters, or what Elixir describes by ten thousand keys.
  defp failing(@short), do: fn -> raise "text" end

  defp failing(@large) do
    map = Map.new(1..@large, &{&1, &1})
    fn -> raise KeyError, key: :missing, term: map end
  end

  defp rescued(call, fun) do
    call.(fun)
    0
  catch
    :error, _ -> 1
  end

  defp count(_, _, 0, sum), do: sum
  defp count(run, fun, left, sum), do: count(run, fun, left - 1, sum + run.(fun))
end
