defmodule Bench.Growth.Memory do
  @moduledoc false
  # Each figure is from a VM of its own: one that has had as many before asks the system for nothing.
  # Below a hundred, what the allocators have in store drowns it.

  @behaviour Bench.Part

  alias Bench.Growth
  alias Bench.Growth.Suspended

  @resident "/proc/self/smaps_rollup"

  @impl true
  def title,
    do: "resident memory of a suspended native call and its process, by how many there are"

  @impl true
  def setting,
    do: Map.merge(Growth.setting("suspended native calls"), %{unit: "bytes", repetitions: 3})

  @impl true
  def table(contenders, rows), do: Growth.table(contenders, rows)

  @impl true
  def contenders do
    if File.exists?(@resident) do
      for {name, about, _} <- Suspended.ways(), count <- Growth.powers(100_000), count >= 100 do
        Growth.contender(name, about, count, count,
          prepare: fn -> in_own_vm(name, count) end,
          run: & &1.suspended,
          expected: count,
          gauge: & &1.bytes
        )
      end
    else
      IO.puts("\ngrowth: no memory: there is no #{@resident} on this system")
      []
    end
  end

  defp in_own_vm(name, count) do
    {:ok, peer, _node} =
      :peer.start_link(%{
        connection: :standard_io,
        args: Enum.flat_map(:code.get_path(), &[~c"-pa", &1])
      })

    measured = :peer.call(peer, __MODULE__, :measure, [name, count], :infinity)
    :peer.stop(peer)
    measured
  end

  @doc """
  Returns how many calls were suspended, and the bytes that they took. Runs in the other VM.
  """
  @spec measure(String.t(), pos_integer()) :: %{suspended: pos_integer(), bytes: integer()}
  def measure(name, count) do
    {^name, _about, serve} = List.keyfind(Suspended.ways(), name, 0)
    # What the first one needs once is not that of each.
    first = Suspended.suspend(serve, 1)
    before = resident()
    processes = Suspended.suspend(serve, count)
    bytes = resident() - before
    Enum.each([first, processes], &Suspended.release/1)
    %{suspended: length(processes), bytes: bytes}
  end

  defp resident do
    [_, kilobytes] = Regex.run(~r/^Rss:\s+(\d+) kB$/m, File.read!(@resident))
    1024 * String.to_integer(kilobytes)
  end
end
