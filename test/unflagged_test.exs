Code.require_file("support/unflagged.exs", __DIR__)

defmodule UpcallTest.UnflaggedTest do
  use ExUnit.Case, async: true
  alias UpcallTest.Unflagged.Point

  # Two libraries with the same code, which were built without -fvisibility=hidden.
  for native <- [UpcallTest.Unflagged, UpcallTest.UnflaggedSecond] do
    describe "#{inspect(native)}, one of two libraries that hide nothing of theirs," do
      @native native

      test "knows its atoms" do
        for color <- [:red, :green], do: assert(@native.same_color(color) == color)
        assert @native.same_point(%Point{x: 1.5, shade: :green}) == %Point{x: 1.5, shade: :green}
        assert @native.depth([]) == 3
        assert @native.depth(depth: 4) == 4
        assert @native.depth(depth: 4, step: &(&1 * 2)) == 8
      end

      test "has resources, objects and threads of its own" do
        counter = @native.new_counter()
        for expected <- 1..3, do: assert(@native.count(counter) == expected)

        for other <- [UpcallTest.Unflagged, UpcallTest.UnflaggedSecond] -- [@native] do
          assert_raise ArgumentError, fn -> other.count(counter) end
        end
      end

      test "calls and yields as ever" do
        points = [%Point{}, %Point{x: 1.0, shade: :green}]
        double = fn point -> %{point | x: point.x * 2} end
        doubled = Enum.map(points, double)
        executor = start_supervised!({Upcall.Server, []})

        assert @native.mapped(double, points) == doubled
        assert @native.mapped_pinned(double, points) == doubled
        assert @native.mapped_in_coroutine(double, points) == doubled
        assert @native.mapped_on(double, executor, points) == doubled ++ [%Point{}]
        assert Enum.to_list(@native.generate(points)) == points
        assert Enum.to_list(@native.generate_on_fiber(points)) == points
        assert @native.to_list(points) == points
        assert @native.through_callback(fn :green -> :red end) == :red
      end
    end
  end
end
