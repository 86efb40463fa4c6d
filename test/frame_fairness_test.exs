import UpcallTest.Bodies

for_both_bodies Upcall.FrameFairnessTest, native: UpcallTest.FrameFairness do
  use ExUnit.Case

  @moduletag :slow

  alias UpcallTest.ChildVM

  # In microseconds.
  @bound 10_000

  # The wake-ups take 11 seconds for a thousand, which are for one body.
  @slow UpcallTest.Machine.slow?()
  @wake_ups if @slow, do: 100, else: if(@body == :fiber, do: 1_000, else: 300)
  @upcalls if @slow, do: 100_000, else: 10_000 * @wake_ups

  defp measure(wake_ups, native) do
    {output, status} =
      ChildVM.run("#{inspect(Native)}.measure(#{wake_ups}, fn -> #{native} end)",
        flags: "+S 1:1",
        require: ["support/frame_fairness.exs"]
      )

    assert {status, output} == {0, output}
    [result, delay] = output |> String.split() |> Enum.map(&String.to_integer/1)
    %{result: result, delay: delay}
  end

  defp assert_in_time(wake_ups, native) do
    measured = measure(wake_ups, native)
    assert measured.delay < @bound
    measured
  end

  describe "with one scheduler, another process wakes in time" do
    test "while a native call makes millions of upcalls" do
      native = "#{inspect(Native)}.make_upcalls(fn x -> x * x end)"
      assert %{result: upcalls} = assert_in_time(@wake_ups, native)
      assert upcalls > @upcalls
    end

    test "while a native call computes and yields" do
      assert_in_time(min(@wake_ups, 300), "#{inspect(Native)}.compute_with_yields()")
    end

    test "but not while one computes for long at a time: this measures it" do
      native = "#{inspect(Native)}.compute_without_yields(&:erlang.yield/0)"
      assert %{delay: delay} = measure(20, native)
      assert delay > @bound
    end
  end
end
