defmodule EventsTest do
  use ExUnit.Case, async: true

  test "tells events until the handler has had enough" do
    test = self()

    loop =
      Demo.Events.subscribe(
        fn event ->
          send(test, {:event, event, self()})
          event < 3
        end,
        Demo.Pool
      )

    for event <- 1..3, do: assert_receive({:event, ^event, worker} when worker != test, 5_000)
    refute_receive {:event, _, _}
    assert is_reference(loop)
  end

  test "ends when the handler fails" do
    test = self()

    handler = fn event ->
      send(test, {:event, event})
      raise "enough"
    end

    loop = Demo.Events.subscribe(handler, Demo.Pool)
    assert_receive {:event, 1}, 5_000
    refute_receive {:event, _}
    assert is_reference(loop)
  end

  test "ends when nobody refers to it" do
    test = self()

    {pid, monitor} =
      spawn_monitor(fn ->
        loop =
          Demo.Events.subscribe(fn event -> is_tuple(send(test, {:event, event})) end, Demo.Pool)

        receive do: (:go -> loop)
      end)

    assert_receive {:event, 1}, 5_000
    send(pid, :go)
    assert_receive {:DOWN, ^monitor, _, _, :normal}
    assert no_more_events?(1_000)
  end

  test "refuses what is no executor" do
    assert_raise ArgumentError,
                 ~r"^Demo.Events.subscribe/2: argument 2: expected an executor",
                 fn ->
                   Demo.Events.subscribe(fn _ -> true end, "Demo.Pool")
                 end
  end

  defp no_more_events?(0), do: false

  defp no_more_events?(tries) do
    receive do
      {:event, _} -> no_more_events?(tries - 1)
    after
      200 -> true
    end
  end
end
