defmodule Bench.Growth.Payload do
  @moduledoc false
  # A binary goes to the function and comes back, a `std::string` at both ends.

  @behaviour Bench.Part

  alias Bench.{Blocking, Growth}

  @sizes for exponent <- [3, 6, 9, 12, 15, 18, 21, 23], do: Bitwise.bsl(1, exponent)

  @impl true
  def title, do: "time per callback, by the size of the binary that goes there and back"

  @impl true
  def setting, do: Growth.setting("bytes each way")

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: __MODULE__)

    for {name, about, call} <- [
          {"frame", "f(binary) on a fiber", &Growth.Native.payload/3},
          {"server", "f.on(server)(binary) on a thread", &on_server/3}
        ],
        size <- @sizes do
      calls = 1000 |> min(div(100_000_000, size)) |> max(5)

      Growth.contender(name, about, size, calls,
        prepare: fn -> & &1 end,
        run: &call.(&1, size, calls),
        expected: size * calls
      )
    end
  end

  defp on_server(fun, size, calls) do
    Growth.Native.payload_on_executor(fun, __MODULE__, size, calls, self())
    Blocking.await_sum()
  end
end
