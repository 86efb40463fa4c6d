defmodule UpcallTest.HaltTest do
  use ExUnit.Case, async: true

  @moduletag :slow

  alias UpcallTest.ChildVM

  # Calls of every kind that wait for a function, which never returns.
  @waiting_calls """
  test = self()
  {:ok, pool} = Upcall.Pool.start_link()
  [first, second] = for _ <- 1..2, do: elem(Upcall.Server.start_link(), 1)

  for_ever = fn _ ->
    send(test, :inside)
    Process.sleep(:infinity)
  end

  for call <- [
        fn -> UpcallTest.Pinned.sum(for_ever, 1) end,
        fn -> UpcallTest.Pinned.apply_on(for_ever, first, 1) end,
        fn -> UpcallTest.Executor.apply_io(second, for_ever, [1], 60_000) end,
        fn -> UpcallTest.ExecutorFunction.call_on(for_ever, pool, 1, 60_000) end,
        fn -> UpcallTest.Function.apply_one(for_ever, 1) end
      ] do
    spawn(call)
  end

  for _ <- 1..5, do: receive(do: (:inside -> :ok))
  # Threads that rest, and one that calls without end.
  UpcallTest.Pinned.leave_thread(fn x -> x end, self())
  for _ <- 1..10, do: 0 = UpcallTest.Pinned.sum(fn x -> x end, 1)
  """

  @libraries for name <- ~w(pinned executor executor_function function),
                 do: "support/#{name}.exs"

  # The race: threads of ours go on while the VM ends.
  for {how, code} <- [
        {"System.halt/1", "System.halt(7)"},
        {":init.stop/1", ":init.stop(7); Process.sleep(:infinity)"},
        {"System.stop/1", "System.stop(7); Process.sleep(:infinity)"}
      ] do
    test "#{how} ends the VM at once, while calls of all kinds wait" do
      for _ <- 1..2 do
        assert {_, 7} = ChildVM.run(@waiting_calls <> unquote(code), require: @libraries)
      end
    end
  end
end
