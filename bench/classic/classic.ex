defmodule Bench.Classic do
  @moduledoc false
  # One function and one parameter, called in every way there is, in the table that users of Benchee
  # know.

  @behaviour Bench.Part

  alias Bench.{Blocking, Callback, Classic, Contender}

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("classic_nif")

    @spec once((integer -> integer), integer()) :: integer()
    defnif once(fun, x)

    @spec frame((integer -> integer), integer(), non_neg_integer()) :: integer()
    defnif frame(fun, x, count)

    @spec pinned((integer -> integer), integer(), non_neg_integer()) :: integer()
    defnif pinned(fun, x, count)

    @spec task((integer -> integer), integer(), non_neg_integer()) :: integer()
    defnif task(fun, x, count)

    @spec on_executor((integer -> integer), atom(), integer(), non_neg_integer(), pid()) :: :ok
    defnif on_executor(fun, executor, x, count, receiver)
  end

  @inputs [100, 100_000, 100_000_000]

  # A call is too short for the clock.
  @calls 1000

  @impl true
  def title, do: "a call of `fn x -> x * x end`"

  @impl true
  def setting, do: %{repetitions: 100, run_ns: 2_000_000, benchee: true}

  @impl true
  def table(contenders, rows), do: Classic.Table.table(contenders, rows)

  @impl true
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: __MODULE__.Server)
    {:ok, _} = Upcall.Pool.start_link(name: __MODULE__.Pool)

    for param <- @inputs, {name, about, run} <- ways() do
      %Contender{
        name: name,
        about: about,
        input: Integer.to_string(param),
        calls: @calls,
        prepare: &Callback.square/0,
        run: fn fun -> run.(fun, param, @calls) end,
        expected: rem(rem(param * param, 1009) * @calls, 1009)
      }
    end
  end

  defp ways do
    [
      {"direct", "fun.(param)", &direct(&1, &2, &3, 0)},
      {"apply", "apply(fun, [param])", &apply_list(&1, &2, &3, 0)},
      {"frame_once", "a NIF on a fiber that calls it once", &once(&1, &2, &3, 0)},
      {"frame", "the same, one NIF making #{@calls} calls", &Native.frame/3},
      {"task", "the same as a coroutine", &Native.task/3},
      {"pinned", "the same in a pinned NIF", &Native.pinned/3},
      {"server", "by a native thread, through a server",
       &on_executor(&1, __MODULE__.Server, &2, &3)},
      {"pool", "by a native thread, through a pool", &on_executor(&1, __MODULE__.Pool, &2, &3)}
    ]
  end

  defp direct(_, _, 0, sum), do: sum
  defp direct(fun, x, count, sum), do: direct(fun, x, count - 1, rem(sum + fun.(x), 1009))

  defp apply_list(_, _, 0, sum), do: sum

  defp apply_list(fun, x, count, sum),
    do: apply_list(fun, x, count - 1, rem(sum + apply(fun, [x]), 1009))

  defp once(_, _, 0, sum), do: sum
  defp once(fun, x, count, sum), do: once(fun, x, count - 1, rem(sum + Native.once(fun, x), 1009))

  defp on_executor(fun, executor, x, count) do
    Native.on_executor(fun, executor, x, count, self())
    Blocking.await_sum()
  end
end
