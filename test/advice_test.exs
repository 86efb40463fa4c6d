Code.require_file("support/advice.exs", __DIR__)

defmodule UpcallTest.AdviceTest do
  use ExUnit.Case, async: true

  alias UpcallTest.{Advice, ChildVM}

  @library ["support/advice.exs"]

  describe "a VM that ends because a thread of C++ did not catch" do
    test "the error of an upcall, says what to write instead" do
      {printed, status} =
        ChildVM.run_to_crash("UpcallTest.Advice.call_on_thread(& &1)", require: @library)

      assert status != 0

      assert printed =~
               "upcall: a thread that C++ has started did not catch an upcall::error, which ends the VM: " <>
                 "an upcall was made on a thread that runs no native call of Upcall; there, call a function " <>
                 "that is bound to an executor, f.on(executor), or declare the NIF upcall::pinned"
    end

    test "that the caller is gone, says so" do
      code = """
      caller = spawn(fn ->
        UpcallTest.Advice.call_on_thread_of_pinned(fn _ -> Process.exit(self(), :kill) end)
      end)
      monitor = Process.monitor(caller)
      receive do {:DOWN, ^monitor, _, _, _} -> Process.sleep(:infinity) end
      """

      {printed, status} = ChildVM.run_to_crash(code, require: @library)
      assert status != 0

      assert printed =~
               "upcall: a thread that C++ has started did not catch upcall::abandoned, which ends the VM: " <>
                 "nobody waits for its native call any more"
    end
  end

  # Each library has a handler, and the one that was loaded last is asked first.
  test "a frame that another library can't finish is not said to be a thread that ends the VM" do
    code = """
    caller = spawn(fn ->
      UpcallTest.FrameAbandoned.calls_in_noexcept(fn _ -> Process.exit(self(), :kill) end, false)
    end)
    monitor = Process.monitor(caller)
    receive do {:DOWN, ^monitor, _, _, _} -> :ok end
    UpcallTest.Wait.until(fn -> Upcall.info(UpcallTest.FrameAbandoned).parked == 1 end)
    """

    assert {printed, 0} =
             ChildVM.run(code, require: ["support/frame_abandoned.exs", "support/advice.exs"])

    assert printed =~ "a native frame of calls_in_noexcept/2 could not be finished"
    refute printed =~ "did not catch"
  end

  test "a term that an earlier call stored is not said to be older than an upcall" do
    stored = Advice.store(5)

    assert_raise ArgumentError,
                 "this term was borrowed in another native call (that stored it in an object, say) and is " <>
                   "stale in this one; store an upcall::owned_term in its place",
                 fn -> Advice.use_stored(stored) end
  end

  test "what is wrong deep in the value of a function is said to be of that value" do
    assert_raise ArgumentError,
                 ~r/^UpcallTest.Advice.first_of_grid\/1: in what #Function<.*> returned: element 2: element 1: expected a float, got: :x$/,
                 fn -> Advice.first_of_grid(fn -> [[1.0], [:x]] end) end

    server = start_supervised!(Upcall.Server)

    assert_raise ArgumentError,
                 ~r/^UpcallTest.Advice.first_of_grid_there\/2: executor #PID<.*>: in what the function returned: element 2: element 1: expected a float, got: :?x$/,
                 fn -> Advice.first_of_grid_there(fn -> [[1.0], [:x]] end, server) end
  end
end
