defmodule Upcall.StackOverflowTest do
  use ExUnit.Case, async: true

  alias UpcallTest.ChildVM

  @one "support/stack_overflow.exs"
  @other "support/stack_overflow_other.exs"
  @foreign "support/foreign_handler.exs"

  # What the shell says of a program that SIGSEGV has ended.
  @segmentation_fault 128 + 11
  @foreign_line "the foreign handler was here\n"

  @aliases "alias UpcallTest.{StackOverflow, StackOverflowOther}; _ = {StackOverflow, StackOverflowOther}; "

  defp run(code, options \\ []) do
    options = Keyword.put_new(options, :require, [@one])
    ChildVM.run_to_crash(@aliases <> code, options)
  end

  # The whole line of a function that has overflowed such a stack.
  defp line(function, size, advice \\ "give it upcall::stack_size{1 << 20} in its UPCALL_NIF"),
    do:
      "upcall: UpcallTest.#{function} has overflowed its stack of #{size}, and the VM ends; " <>
        "#{advice}, or recurse less (docs/choosing_a_stack_size.md)\n"

  describe "a native function that overflows its stack is named, with what to write, before the VM ends" do
    test "at its first step, and at a later one" do
      assert run("StackOverflow.recurse_at_once()") ==
               {line("StackOverflow.recurse_at_once/0", "256 KB"), @segmentation_fault}

      assert run("StackOverflow.recurse(& &1)") ==
               {line("StackOverflow.recurse/1", "256 KB"), @segmentation_fault}
    end

    test "with guards made by mprotect" do
      assert run("StackOverflow.recurse(& &1)", env: [{"UPCALL_TEST_GUARD_PAGES", "mprotect"}]) ==
               {line("StackOverflow.recurse/1", "256 KB"), @segmentation_fault}
    end

    test "on dirty CPU and dirty IO schedulers" do
      for kind <- ["cpu", "io"] do
        assert run("StackOverflow.recurse_dirty_#{kind}(& &1)") ==
                 {line("StackOverflow.recurse_dirty_#{kind}/1", "256 KB"), @segmentation_fault}
      end
    end

    test "with stacks of any size" do
      for {function, size, advice} <- [
            {"recurse_64_kb", "64 KB", "give it upcall::stack_size{256 << 10} in its UPCALL_NIF"},
            {"recurse_64_mb", "64 MB", "that is the most there is: make it upcall::pinned"}
          ] do
        assert run("StackOverflow.#{function}(& &1)") ==
                 {line("StackOverflow.#{function}/1", size, advice), @segmentation_fault}
      end
    end

    test "in a codec" do
      assert run("StackOverflow.recurse_in_codec(& &1, fn -> 1 end)") ==
               {line("StackOverflow.recurse_in_codec/2", "256 KB"), @segmentation_fault}
    end

    test "while it is finished on a thread of the library, as its caller was killed" do
      assert run("""
             #{caller("StackOverflow.recurse_when_abandoned")}
             Process.exit(caller, :kill)
             receive(do: (:never -> :ok))
             """) ==
               {line("StackOverflow.recurse_when_abandoned/1", "256 KB"), @segmentation_fault}
    end
  end

  describe "of two libraries in one VM" do
    test "the one that overflows says so, once, in whatever order they were loaded" do
      for order <- [[@one, @other], [@other, @one]] do
        assert run("StackOverflow.recurse(& &1)", require: order) ==
                 {line("StackOverflow.recurse/1", "256 KB"), @segmentation_fault}
      end
    end

    test "neither touches the death by a wild pointer" do
      assert run("StackOverflow.poke(16, & &1)", require: [@one, @other]) ==
               {"", @segmentation_fault}
    end

    @tag :slow
    test "a foreign one that handles faults gets each, wherever it stands, and hands it on" do
      for order <- [[@one, @foreign], [@foreign, @one], [@one, @foreign, @other]] do
        assert {said, @segmentation_fault} = run("StackOverflow.recurse(& &1)", require: order)
        overflow = line("StackOverflow.recurse/1", "256 KB")

        assert said ==
                 if(hd(order) == @one,
                   do: @foreign_line <> overflow,
                   else: overflow <> @foreign_line
                 )

        assert run("StackOverflow.poke(16, & &1)", require: order) ==
                 {@foreign_line, @segmentation_fault}
      end
    end
  end

  describe "when a module is loaded again, an overflow is told once" do
    test "in the new library" do
      assert run("#{reload()}; StackOverflow.recurse(& &1)") ==
               {line("StackOverflow.recurse/1", "256 KB"), @segmentation_fault}
    end

    test "in the old one, where a call was under way" do
      assert run("""
             #{caller("StackOverflow.recurse")}
             #{reload()}
             send(caller, :go_on)
             receive(do: (:never -> :ok))
             """) == {line("StackOverflow.recurse/1", "256 KB"), @segmentation_fault}
    end

    test "in the old one after it was purged, which kills the callers" do
      assert run("""
             #{caller("StackOverflow.recurse_when_abandoned")}
             #{reload()}
             :code.purge(StackOverflow)
             receive(do: (:never -> :ok))
             """) ==
               {line("StackOverflow.recurse_when_abandoned/1", "256 KB"), @segmentation_fault}
    end

    test "and a wild pointer ends the VM as ever" do
      assert run("#{reload()}; :code.purge(StackOverflow); StackOverflow.poke(16, & &1)") ==
               {"", @segmentation_fault}
    end
  end

  describe "a fault that is no overflow ends the VM without a word of ours" do
    test "at a null pointer, and at an address that no memory can have" do
      for address <- [0, 0x7FFF_FFFF_FFFF_0000] do
        assert run("StackOverflow.poke(#{address}, & &1)") == {"", @segmentation_fault}
      end
    end

    test "on a native thread" do
      assert run("StackOverflow.poke_on_thread(16)") == {"", @segmentation_fault}
    end

    test "in the guard of the stack of another call, which did nothing" do
      assert run("""
             parent = self()

             spawn(fn ->
               StackOverflow.with_guard(fn address ->
                 send(parent, {:guard, address})
                 receive(do: (:never -> 0))
               end)
             end)

             receive(do: ({:guard, address} -> StackOverflow.poke(address, & &1)))
             """) == {"", @segmentation_fault}
    end

    test "in the guard of a call that waits for this one" do
      assert run("StackOverflow.with_guard(fn address -> StackOverflow.poke(address, & &1) end)") ==
               {"", @segmentation_fault}
    end

    test "and no fault at all, but a signal from a process" do
      assert run("StackOverflow.signal_itself()") == {"", @segmentation_fault}
      assert run(kill_itself()) == {"", @segmentation_fault}
    end

    @tag :tmp_dir
    @tag :slow
    test "with a core, if others have one", %{tmp_dir: directory} do
      died = fn code ->
        {said, @segmentation_fault} = run(code, dump_core_in: directory)
        said |> String.split("\n", trim: true) |> List.last()
      end

      without_us = ChildVM.run_to_crash(kill_itself(), dump_core_in: directory)
      assert {said, @segmentation_fault} = without_us
      assert said =~ "Segmentation fault"

      assert died.("StackOverflow.poke(16, & &1)") == String.trim(said)
      assert died.("StackOverflow.recurse(& &1)") == String.trim(said)
    end
  end

  # AddressSanitizer is there before any library: what is no overflow, and what is, goes on to it.
  if UpcallTest.Machine.sanitized?() do
    @aborted 128 + 6

    test "AddressSanitizer reports an overflow after us, and a wild pointer as ever" do
      reporting = [env: [{"ASAN_OPTIONS", "handle_segv=1:detect_leaks=0:abort_on_error=1"}]]
      run = &ChildVM.run(@aliases <> &1, [require: [@one, @other]] ++ reporting)

      assert {said, @aborted} = run.("StackOverflow.recurse(& &1)")
      assert String.starts_with?(said, line("StackOverflow.recurse/1", "256 KB"))
      assert said =~ "AddressSanitizer: stack-overflow on address"

      assert {said, @aborted} = run.("StackOverflow.poke(16, & &1)")
      refute said =~ "upcall: "
      assert said =~ "AddressSanitizer: SEGV on unknown address 0x000000000010"
    end
  end

  # Starts a process that is suspended in a native call, until it is told to go on.
  defp caller(function) do
    """
    parent = self()

    wait = fn x ->
      send(parent, {:waits, self()})
      receive(do: (:go_on -> x))
    end

    caller = spawn(fn -> #{function}(wait) end)
    receive(do: ({:waits, ^caller} -> :ok))
    """
  end

  defp reload do
    """
    Code.compiler_options(ignore_module_conflict: true)
    Code.compile_file(#{inspect(Path.join(__DIR__, @one))})
    """
  end

  defp kill_itself do
    """
    System.cmd("kill", ["-SEGV", System.pid()])
    receive(do: (:never -> :ok))
    """
  end
end
