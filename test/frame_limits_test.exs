Code.require_file("support/frame_limits.exs", __DIR__)

defmodule Upcall.FrameLimitsTest do
  use ExUnit.Case, async: true

  alias UpcallTest.{ChildVM, FrameLimits}

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
        pid = spawn(fn -> UpcallTest.FrameLimits.#{native}(1_000, wait) end)
        receive(do: ({:waits, ^pid} -> :ok))
      end
    end

    UpcallTest.FrameLimits.#{native}(#{bytes}, fn x -> if x == 1, do: neighbours.(); x end)
    :erlang.halt(7, flush: false)
    """

    {output, status} =
      ChildVM.run_to_crash(code,
        require: ["support/frame_limits.exs"],
        env: [{"UPCALL_TEST_GUARD_PAGES", "#{guard_pages}"}]
      )

    assert output == ""
    status
  end

  describe "native recursion" do
    test "goes as deep as the stack is" do
      assert FrameLimits.use_small_stack(24 * 1024, fn _ -> 0 end) > 50
      assert FrameLimits.use_default_stack(192 * 1024, fn _ -> 0 end) > 200
      assert FrameLimits.use_large_stack(900 * 1024, fn _ -> 0 end) > 1_000
      assert FrameLimits.use_large_dirty_stack(900 * 1024, fn _ -> 0 end) > 1_000
    end

    test "that is deeper than the stack hits its guard, which ends the VM" do
      assert status_after(:use_default_stack, 192 * 1024) == @returned
      assert status_after(:use_default_stack, 900 * 1024) == @segmentation_fault
      assert status_after(:use_small_stack, 192 * 1024) == @segmentation_fault
      assert status_after(:use_small_stack, 192 * 1024, :mprotect) == @segmentation_fault
    end

    test "that is deeper than a larger stack does so, too" do
      assert status_after(:use_large_stack, 2 * 1024 * 1024) == @segmentation_fault
      assert status_after(:use_large_dirty_stack, 2 * 1024 * 1024) == @segmentation_fault
    end
  end
end
