import UpcallTest.Bodies

for_both_bodies UpcallTest.FrameDirty do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("frame_dirty_nif", @body)

  defnif objects()
  defnif normal_steps(f)
  defnif dirty_cpu_steps(f)
  defnif dirty_io_steps(f)
  defnif dirty_cpu_call(f)
  defnif dirty_io_call(f)
  defnif at_gate()
  defnif open_gate(opened)
  defnif cpu_waits_first(f)
  defnif cpu_waits_between(f)
  defnif cpu_waits_last(f)
  defnif io_waits_first(f)
  defnif io_waits_between(f)
  defnif io_waits_last(f)
end

for_both_bodies Upcall.FrameDirtyTest, native: UpcallTest.FrameDirty do
  use ExUnit.Case

  alias UpcallTest.Wait

  setup do
    on_exit(fn ->
      Wait.until_no_frames(Native)
      assert {count, count} = Native.objects()
      assert Upcall.info(Native).parked == 0
    end)
  end

  describe "the steps of a native call run" do
    # Whatever comes of the function, and after a yield.
    @may_raise quote(do: fn x -> if x == 1, do: raise("in the middle"), else: x end)

    test "on normal schedulers by default" do
      assert Native.normal_steps(unquote(@may_raise)) == List.duplicate("normal", 5)
    end

    test "on dirty CPU schedulers" do
      assert Native.dirty_cpu_steps(unquote(@may_raise)) == List.duplicate("dirty cpu", 5)
    end

    test "on dirty IO schedulers" do
      assert Native.dirty_io_steps(unquote(@may_raise)) == List.duplicate("dirty io", 5)
    end
  end

  describe "no dirty scheduler is held while a function runs:" do
    for kind <- [:cpu, :io] do
      test "more #{kind} calls may wait than there are schedulers" do
        call = &apply(Native, :"dirty_#{unquote(kind)}_call", [&1])
        count = 4 * schedulers(unquote(kind))
        test = self()

        waiting =
          for number <- 1..count do
            Task.async(fn ->
              call.(fn 1 ->
                send(test, {:in_function, number})
                receive(do: (:return -> number))
              end)
            end)
          end

        for number <- 1..count, do: assert_receive({:in_function, ^number}, 5_000)
        assert Upcall.info(Native).suspended == count

        # The schedulers are free, also for a call inside a function.
        assert call.(fn 1 -> call.(fn 1 -> 10 end) end) == 12

        for task <- waiting, do: send(task.pid, :return)
        assert Task.await_many(waiting) == Enum.map(1..count, &(&1 + 1))
      end
    end
  end

  describe "a process is killed while a dirty step runs:" do
    for kind <- [:cpu, :io], step <- [:first, :between, :last] do
      test "the #{step} one of a dirty #{kind} call, and the frame is finished all the same" do
        call = &apply(Native, :"#{unquote(kind)}_waits_#{unquote(step)}", [&1])
        count = schedulers(unquote(kind))
        {made, destroyed} = Native.objects()

        for _ <- 1..5 do
          Native.open_gate(false)
          processes = for _ <- 1..count, do: spawn_monitor(fn -> call.(& &1) end)
          Wait.until(fn -> Native.at_gate() == count end)

          for {pid, reference} <- processes do
            Process.exit(pid, :kill)
            assert_receive {:DOWN, ^reference, :process, ^pid, :killed}, 5_000
          end

          Native.open_gate(true)
          Wait.until(fn -> Native.at_gate() == 0 end)
        end

        Wait.until(fn -> Native.objects() == {made + 5 * count, destroyed + 5 * count} end)
        Wait.until_no_frames(Native)
      end
    end
  end

  defp schedulers(:cpu), do: :erlang.system_info(:dirty_cpu_schedulers_online)
  # The IO schedulers are many; the cores to run at the gate are not.
  defp schedulers(:io), do: min(:erlang.system_info(:dirty_io_schedulers), 4)
end
