defmodule Pipeline.LazinessTest do
  # Counts the suspended native calls, of which there are no others.
  use ExUnit.Case, async: false
  alias PipelineTest.Source

  @chunk_size 4096

  # Several chunks of records, so that native code is ahead of its consumer.
  @record_in_the_middle 1000

  defp suspended, do: Upcall.info(Pipeline.Native).suspended

  defp bytes_read do
    receive do
      {:read, bytes} -> bytes + bytes_read()
    after
      0 -> 0
    end
  end

  test "nothing is read before somebody enumerates" do
    self() |> Source.reported() |> Pipeline.records() |> Pipeline.encode()
    refute_received :opened
    assert suspended() == 0
  end

  test "three records read the beginning of the file, and close it" do
    assert [%{code: 0}, %{code: 1}, %{code: 2}] =
             self() |> Source.reported(@chunk_size) |> Pipeline.records() |> Enum.take(3)

    assert_received :opened
    assert_received :closed
    assert bytes_read() == @chunk_size
    assert suspended() == 0
  end

  test "a block of text reads the records that it is made of, and few more" do
    [block] =
      self()
      |> Source.reported(@chunk_size)
      |> Pipeline.records()
      |> Pipeline.encode()
      |> Enum.take(1)

    assert_received :closed
    # Chunks of records are an eighth ahead at most: of the parser and of what reads it.
    assert bytes_read() in byte_size(block)..(div(byte_size(block) * 81, 64) + @chunk_size)
    assert suspended() == 0
  end

  test "a consumer that raises closes the file" do
    assert_raise RuntimeError, "enough", fn ->
      self()
      |> Source.reported()
      |> Pipeline.records()
      |> Stream.with_index()
      |> Enum.each(fn {_, index} -> if index == @record_in_the_middle, do: raise("enough") end)
    end

    assert_received :closed
    assert suspended() == 0
  end

  test "a function between both that raises closes the file" do
    assert_raise RuntimeError, "enough", fn ->
      self()
      |> Source.reported()
      |> Pipeline.records()
      |> Stream.map(fn record -> if record.code == ?A, do: raise("enough"), else: record end)
      |> Pipeline.encode()
      |> Stream.run()
    end

    assert_received :closed
    assert suspended() == 0
  end

  test "a wrong line closes the file" do
    source = Stream.map(Source.reported(self()), &String.replace(&1, "DIGIT NINE", "DIGIT;NINE"))

    assert_raise Pipeline.FormatError, "line 58: expected 15 fields, got: 16", fn ->
      source |> Pipeline.records() |> Stream.run()
    end

    assert_received :closed
    assert suspended() == 0
  end

  test "native code lets go of all it has when its consumer is killed" do
    test = self()

    {pid, monitor} =
      spawn_monitor(fn ->
        Source.reported(test)
        |> Pipeline.records()
        |> Pipeline.encode()
        |> Enum.each(fn _block ->
          send(test, :block)
          Process.sleep(:infinity)
        end)
      end)

    assert_receive :block
    assert suspended() == 2
    Process.exit(pid, :kill)
    assert_receive {:DOWN, ^monitor, _, _, :killed}
    Source.wait_until_native_is_idle()
  end

  test "a suspended enumeration goes on" do
    records = Pipeline.records(Source.stream(@chunk_size))
    step = fn record, _ -> {:suspend, record} end
    {:suspended, first, continue} = Enumerable.reduce(records, {:cont, nil}, step)
    {:suspended, second, continue} = continue.({:cont, nil})
    assert {first.code, second.code} == {0, 1}
    assert suspended() == 1
    assert {:halted, nil} = continue.({:halt, nil})
    assert suspended() == 0
  end
end
