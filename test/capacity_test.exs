defmodule UpcallTest.CapacityTest do
  use ExUnit.Case

  @moduletag :slow

  alias UpcallTest.ChildVM

  @sanitizer UpcallTest.Machine.sanitized?()
  # A sanitizer and an emulator have memory of their own among it.
  @measured not UpcallTest.Machine.slow?()

  # In the child: what is seen of the VM's own health while no stack is left.
  @healthy """
  spawned = for i <- 1..1_000, do: Task.async(fn -> Enum.sum(Enum.to_list(1..i)) end)
  sums = Enum.sum(Task.await_many(spawned, 60_000))
  binary = :binary.copy(<<1>>, 64 * 1024 * 1024)
  healthy = sums == 167_167_000 and byte_size(binary) == 64 * 1024 * 1024
  """

  @tag timeout: 300_000
  test "100,000 frames at once, of at most 10 KB each" do
    count = if @sanitizer, do: 1_000, else: 100_000

    seen =
      run([], """
      # What the first call needs once, and what the processes need without it, is not a frame's.
      {first, 1, []} = hold_many(1)
      release(first, :return)
      before = resident()
      {processes, held, refused} = hold_many(#{count})
      bytes = div(resident() - before, #{count})
      info = Upcall.info(UpcallTest.Capacity)
      release(processes, :return)
      returned = Upcall.info(UpcallTest.Capacity)
      {processes, again, _} = hold_many(#{count})
      release(processes, :kill)
      killed = Upcall.info(UpcallTest.Capacity)
      %{held: held, refused: Enum.uniq(refused), bytes: bytes, info: info, again: again,
        returned: returned, killed: killed, resident: resident() - before}
      """)

    if seen.info.light_guards do
      assert %{held: ^count, refused: [], again: ^count} = seen
      assert seen.info.suspended == count
      if @measured, do: assert(seen.bytes <= 10 * 1024, "#{seen.bytes} bytes for each frame")
    else
      assert seen.held == min(count, seen.info.max_stacks)
      assert seen.refused in [[], [%SystemLimitError{}]]
    end

    for info <- [seen.returned, seen.killed] do
      assert %{suspended: 0, abandoned: 0, parked: 0} = info
      # The second time needs no more than the first.
      assert info.stacks == seen.info.stacks
    end

    # Some stacks stay warm; the kernel has the others' memory back.
    if @measured, do: assert(seen.resident < 2 * 1024 * seen.held)
  end

  test "with guards by mprotect as many as the cap, then SystemLimitError, and a healthy VM" do
    # The leak check of the sanitizer takes long with many stacks.
    options = if @sanitizer, do: [max_stacks: 200], else: []

    seen =
      run([guard_pages: :mprotect] ++ options, """
      more = Upcall.info(UpcallTest.Capacity).max_stacks + 2_000
      {processes, held, refused} = hold_many(more)
      info = Upcall.info(UpcallTest.Capacity)
      #{@healthy}
      release(processes, :kill)
      {processes, again, refused_again} = hold_many(more)
      release(processes, :return)
      %{held: held, refused: Enum.frequencies(refused), again: again, healthy: healthy, info: info,
        refused_again: length(refused_again), after: Upcall.info(UpcallTest.Capacity)}
      """)

    cap = seen.info.max_stacks
    refute seen.info.light_guards
    assert %{held: ^cap, again: ^cap, refused_again: 2_000, healthy: true} = seen
    assert seen.refused == %{%SystemLimitError{} => 2_000}
    assert seen.info.suspended == cap
    assert %{suspended: 0, abandoned: 0, parked: 0} = seen.after

    # Two mappings a stack, and most of what the kernel allows left to the VM.
    allowed = "/proc/sys/vm/max_map_count" |> File.read!() |> String.trim() |> String.to_integer()
    unless @sanitizer, do: assert(cap in div(allowed, 16)..div(allowed, 4))
  end

  for guard_pages <- [:auto, :mprotect] do
    test "max_stacks holds with guard_pages: #{inspect(guard_pages)}" do
      seen =
        run([guard_pages: unquote(guard_pages), max_stacks: 10], """
        {processes, held, refused} = hold_many(15)
        info = Upcall.info(UpcallTest.Capacity)
        #{@healthy}
        release(processes, :return)
        {processes, again, refused_again} = hold_many(10)
        release(processes, :kill)
        %{held: held, refused: refused, again: again, refused_again: refused_again, info: info,
          healthy: healthy, after: Upcall.info(UpcallTest.Capacity)}
        """)

      assert %{held: 10, again: 10, refused_again: [], healthy: true} = seen
      assert seen.refused == List.duplicate(%SystemLimitError{}, 5)
      assert %{suspended: 10, stacks: 10, max_stacks: 10} = seen.info
      assert %{suspended: 0, stacks: 10} = seen.after
    end
  end

  # Gives what the code gives, in a VM whose library has been loaded with these options.
  defp run(options, code) do
    {printed, status} =
      ChildVM.run(
        "import UpcallTest.Capacity; seen = (#{code}); IO.puts([\"\\nseen: \", inspect(seen)])",
        flags: "+P 300000",
        require: ["support/capacity.exs"],
        env: [{"UPCALL_TEST_STACKS", inspect(options)}]
      )

    assert status == 0, printed
    [_, seen] = String.split(printed, "\nseen: ")
    {seen, _} = Code.eval_string(seen)
    seen
  end
end
