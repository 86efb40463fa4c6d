defmodule Pipeline.MemoryTest do
  # Looks at the memory of the whole VM.
  use ExUnit.Case, async: false
  alias PipelineTest.Source

  @repetitions 20
  @most_of_a_process 16_000_000
  # Far less than the repeated file has, which is 38 MB, and more than a busy VM varies by.
  @most_of_the_vm 16_000_000

  # The VM ends a process at the garbage collection where it has more.
  defp in_small_process(fun) do
    size = %{size: div(@most_of_a_process, 8), kill: true, error_logger: false}

    {pid, monitor} =
      spawn_monitor(fn ->
        Process.flag(:max_heap_size, size)
        exit({:gave, fun.()})
      end)

    receive do
      {:DOWN, ^monitor, _, ^pid, {:gave, value}} -> value
      {:DOWN, ^monitor, _, ^pid, reason} -> flunk("the process ended: #{inspect(reason)}")
    end
  end

  defp file(repetitions) do
    Source.stream(65_536) |> List.duplicate(repetitions) |> Stream.concat()
  end

  # The most that the VM has of the machine's memory, at every 1000th of the elements.
  defp most_memory(elements) do
    Enum.max(for _ <- Stream.take_every(elements, 1000), do: Demo.Memory.of_the_vm())
  end

  test "the limit of these tests is one that a list of the records breaks" do
    assert_raise ExUnit.AssertionError, ~r/the process ended: :killed/, fn ->
      in_small_process(fn ->
        file(@repetitions) |> Pipeline.records() |> Enum.to_list() |> length()
      end)
    end
  end

  test "records of a long stream need no more memory than those of a short one" do
    most = fn repetitions ->
      in_small_process(fn -> repetitions |> file() |> Pipeline.records() |> most_memory() end)
    end

    assert most.(@repetitions) <= most.(1) + @most_of_the_vm
  end

  test "nor does a text" do
    size = File.stat!(Source.path()).size

    most = fn repetitions ->
      in_small_process(fn ->
        text = repetitions |> file() |> Pipeline.records() |> Pipeline.encode()

        Enum.reduce(text, {0, 0}, fn block, {bytes, most} ->
          {bytes + byte_size(block), max(most, Demo.Memory.of_the_vm())}
        end)
      end)
    end

    {^size, once} = most.(1)
    {bytes, repeatedly} = most.(@repetitions)
    assert bytes == @repetitions * size
    assert repeatedly <= once + @most_of_the_vm
  end
end
