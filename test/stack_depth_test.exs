Code.require_file("support/stack_depth.exs", __DIR__)

defmodule Upcall.StackDepthTest do
  use ExUnit.Case

  alias UpcallTest.{StackDepth, StackDepthMeasured}

  # What a native call uses besides, and a sanitizer adds to it.
  @besides if UpcallTest.Machine.sanitized?(), do: 64 * 1024, else: 8 * 1024
  @page 4096

  defp depth(module, name, arity), do: Upcall.info(module).stack_depths[{name, arity}]

  describe "info tells, of each native function that has run" do
    test "the size of its stacks, and the deepest at a suspension" do
      refute Upcall.info(StackDepth).measures_stacks

      for bytes <- [50_000, 100_000, 20_000] do
        StackDepth.suspended_deeply(bytes, fn _ -> 0 end)
      end

      assert %{size: 262_144, deepest: deepest} = depth(StackDepth, :suspended_deeply, 2)
      assert deepest in 100_000..(100_000 + @besides)

      StackDepth.suspended_on_1_mb(300_000, fn _ -> 0 end)
      assert %{size: 1_048_576, deepest: deepest} = depth(StackDepth, :suspended_on_1_mb, 2)
      assert deepest in 300_000..(300_000 + @besides)
    end

    test "that while it is suspended, too" do
      StackDepth.suspended_now(140_000, fn _ ->
        assert %{deepest: deepest} = depth(StackDepth, :suspended_now, 2)
        assert deepest in 140_000..(140_000 + @besides)
        0
      end)
    end

    test "that of a later suspension, where the first was not deep" do
      StackDepth.suspended_deeply_later(100_000, fn _ -> 0 end)
      assert %{deepest: deepest} = depth(StackDepth, :suspended_deeply_later, 2)
      assert deepest in 100_000..(100_000 + @besides)
    end

    test "not what it used in between" do
      StackDepth.deep_in_between(100_000, fn _ -> 0 end)
      assert depth(StackDepth, :deep_in_between, 2).deepest in 1..@besides
    end

    test "also where it was never suspended, and nothing of others" do
      StackDepth.never_suspended(100_000)
      assert depth(StackDepth, :never_suspended, 1).deepest in 1..@besides
      assert depth(StackDepth, :never_called, 0) == nil
    end
  end

  describe "info of a library that measures tells the deepest of all" do
    test "also where it was in the last step" do
      StackDepthMeasured.deep_at_the_end(100_000, fn _ -> 0 end)
      assert %{deepest: deepest} = depth(StackDepthMeasured, :deep_at_the_end, 2)
      assert deepest in 100_000..(100_000 + @besides + @page)
    end

    test "which was in between" do
      assert Upcall.info(StackDepthMeasured).measures_stacks

      for bytes <- [50_000, 100_000, 20_000] do
        StackDepthMeasured.deep_in_between(bytes, fn _ -> 0 end)
      end

      assert %{size: 262_144, deepest: deepest} = depth(StackDepthMeasured, :deep_in_between, 2)
      assert deepest in 100_000..(100_000 + @besides + @page)
    end

    test "and is that of no other call that used the stack before" do
      for _ <- 1..10 do
        StackDepthMeasured.never_suspended(200_000)
        StackDepthMeasured.shallow(fn _ -> 0 end)
      end

      assert depth(StackDepthMeasured, :never_suspended, 1).deepest in 200_000..262_144
      assert depth(StackDepthMeasured, :shallow, 1).deepest in 1..(@besides + @page)
    end
  end
end
