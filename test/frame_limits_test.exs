Code.require_file("support/frame_limits.exs", __DIR__)

import UpcallTest.Bodies

for_both_bodies Upcall.FrameLimitsTest, native: UpcallTest.FrameLimits do
  use ExUnit.Case, async: true

  describe "a term that is nested more deeply than the stack is" do
    @nested_too_deeply ~r/nested too deeply for the stack of/

    test "is refused as an argument" do
      for give_back <- [&Native.give_back/1, &Native.give_back_dirty/1] do
        assert give_back.(nest(50)) == nest(50)
        assert_raise ArgumentError, @nested_too_deeply, fn -> give_back.(nest(1_000_000)) end
      end
    end

    test "is refused as what a function returns" do
      assert Native.take(fn -> nest(50) end) == :ok

      assert_raise ArgumentError, @nested_too_deeply, fn ->
        Native.take(fn -> nest(1_000_000) end)
      end
    end

    defp nest(depth), do: Enum.reduce(1..depth, [], fn _, inner -> [inner] end)
  end

  # A coroutine has none of its own, and what it awaits needs none (task_test.exs).
  if @body == :fiber do
    # What the shell says of a program that SIGSEGV has ended.
    @segmentation_fault 128 + 11
    @returned 7

    # Makes a native call that uses so much stack, among others, and returns how its VM ended.
    defp status_after(native, bytes, guard_pages \\ :auto) do
      code = """
      parent = self()

      wait = fn _ ->
        send(parent, {:waits, self()})
        receive(do: (:never -> 0))
      end

      # Each stack is mapped below the one before it: these would be written over.
      neighbours = fn ->
        for _ <- 1..20 do
          pid = spawn(fn -> #{inspect(Native)}.#{native}(1_000, wait) end)
          receive(do: ({:waits, ^pid} -> :ok))
        end
      end

      #{inspect(Native)}.#{native}(#{bytes}, fn x -> if x == 1, do: neighbours.(); x end)
      :erlang.halt(7, flush: false)
      """

      {output, status} =
        UpcallTest.ChildVM.run_to_crash(code,
          require: ["support/frame_limits.exs"],
          env: [{"UPCALL_TEST_GUARD_PAGES", "#{guard_pages}"}]
        )

      # Nothing else is hit. (stack_overflow_test.exs tells the whole line.)
      if status == @segmentation_fault,
        do: assert(output =~ ~r/^upcall: .*\.#{native}\/2 has overflowed its stack of [^\n]*\n$/),
        else: assert(output == "")

      status
    end

    describe "native recursion" do
      test "goes as deep as the stack is" do
        assert Native.use_small_stack(24 * 1024, fn _ -> 0 end) > 50
        assert Native.use_default_stack(192 * 1024, fn _ -> 0 end) > 200
        assert Native.use_large_stack(900 * 1024, fn _ -> 0 end) > 1_000
        assert Native.use_large_dirty_stack(900 * 1024, fn _ -> 0 end) > 1_000
      end

      @tag :slow
      test "that is deeper than the stack hits its guard, which ends the VM" do
        assert status_after(:use_default_stack, 192 * 1024) == @returned
        assert status_after(:use_default_stack, 900 * 1024) == @segmentation_fault
        assert status_after(:use_small_stack, 192 * 1024) == @segmentation_fault
        assert status_after(:use_small_stack, 192 * 1024, :mprotect) == @segmentation_fault
      end

      @tag :slow
      test "that is deeper than a larger stack does so, too" do
        assert status_after(:use_large_stack, 2 * 1024 * 1024) == @segmentation_fault
        assert status_after(:use_large_dirty_stack, 2 * 1024 * 1024) == @segmentation_fault
      end
    end
  end
end
