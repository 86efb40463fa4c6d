Code.require_file("support/error_terms.exs", __DIR__)

import UpcallTest.Bodies

defmodule UpcallTest.ErrorTermsOf do
  @moduledoc false

  defmodule Told do
    # Says when somebody makes its text.
    defexception [:to]
    @impl true
    def message(%{to: to}) do
      send(to, :text_was_made)
      "told"
    end
  end

  defmodule Unprintable do
    defexception []
    @impl true
    def message(_), do: raise("no message")
  end

  defmodule Slow do
    # Never has made its text.
    defexception [:to]
    @impl true
    def message(%{to: to}) do
      send(to, :formatting)
      Process.sleep(:infinity)
    end
  end

  defmodule BadInfo do
    def format_error(_reason, _stack_trace), do: throw(:from_format_error)
  end

  def raise_bad_info, do: :erlang.error(:badarg, [1], error_info: %{module: BadInfo})

  # A term of some kilobytes whose copy would fill the memory of any machine.
  def bomb, do: Enum.reduce(1..12, :end, fn _, part -> List.duplicate(part, 60) end)

  # Large, and quickly copied.
  def large, do: {:big, Bitwise.bsl(1, 1_000_000)}
  # As large as OTP 28 lets integers be, and printed in a minute by OTP 25.
  def huge, do: {:big, Bitwise.bsl(1, 4_000_000)}

  # The message of a failed `Map.fetch!/2`, which is not the same in all versions of Elixir.
  def no_key_a(map), do: Exception.message(%KeyError{key: :a, term: map})

  # What comes out of a native call.
  def passed(call) do
    call.()
    :nothing
  catch
    class, reason -> {class, reason, __STACKTRACE__}
  end

  # To compare a bomb takes as long as to copy it.
  def same?(one, other), do: :erts_debug.same(one, other)

  # Moves all that the process has, so that a term that nobody keeps is gone.
  def collect do
    :erlang.garbage_collect()
    _ = Enum.map(1..10_000, &{&1, make_ref()})
    :erlang.garbage_collect()
    :ok
  end
end

for_both_bodies Upcall.ErrorTermsTest, native: UpcallTest.ErrorTerms do
  use ExUnit.Case

  import UpcallTest.ErrorTermsOf

  alias UpcallTest.ErrorTermsOf.{Slow, Told, Unprintable}
  alias UpcallTest.{Hidden, Shown, Wait}

  @text_for "text in the place of a term that is too large to be copied"

  describe "the text of what a function raised" do
    test "is not made where nobody reads it" do
      test = self()

      for call <- [&Native.call/1, &Native.call_between(&1, fn -> :ok end, 1)] do
        assert {:error, %Told{}, _} = passed(fn -> call.(fn -> raise Told, to: test end) end)
        assert {:throw, %Shown{}, _} = passed(fn -> call.(fn -> throw(%Shown{to: test}) end) end)
        assert {:exit, %Shown{}, _} = passed(fn -> call.(fn -> exit(%Shown{to: test}) end) end)
        assert {:error, _, _} = passed(fn -> call.(fn -> raise_bad_info() end) end)
      end

      Native.drop(fn -> raise Told, to: test end)
      assert {"** " <> _, _, false, _} = Native.look(fn -> raise Told, to: test end)
      refute_received :text_was_made
      Native.banner(fn -> throw(%Shown{to: test}) end)
      assert_received :text_was_made
    end

    test "is read without Elixir: the class, the exception, its message" do
      for {f, text} <- [
            {fn -> raise "text" end, "** (RuntimeError) text"},
            {fn -> Map.fetch!(Hidden.value(%{b: 1}), :a) end, "** (KeyError) key :a not found"},
            {fn -> :erlang.error(:badarith) end,
             "** (ArithmeticError) bad argument in arithmetic expression"},
            {fn -> :erlang.error({:own, 1.5, "s", ~c"c"}) end,
             "** (ErlangError) Erlang error: {:own, 1.5, \"s\", [99]}"},
            {fn -> raise Unprintable end,
             "** (#{inspect(Unprintable)}) %#{inspect(Unprintable)}{}"},
            {fn -> throw(%{:a => [1 | 2], {1} => nil, "k" => Enum}) end,
             "** (throw) %{:a => [1 | 2]"},
            {fn -> exit(:normal) end, "** (exit) normal"},
            {fn -> exit({:noproc, "x"}) end, "** (exit) {:noproc, \"x\"}"},
            {fn -> throw([2 ** 70, -(2 ** 70), -1, 1.0e300, 2 ** 63]) end,
             "** (throw) [#{2 ** 70}, #{-(2 ** 70)}, -1, 1e+300, #{2 ** 63}]"},
            {fn -> throw({:"a b", :héé, <<255>>, "a\"\n", <<1::3>>}) end,
             "** (throw) {:\"a b\", :\"héé\", <<255>>, \"a\\\"\\n\", a bitstring}"}
          ] do
        {said, _, false, _} = Native.look(f)
        assert String.starts_with?(said, String.replace(text, ~r/^.*%\{.*$/, "** (throw) %{"))
        unless text =~ "%{", do: assert(said == text)
      end
    end

    test "has bounds, whatever the reason" do
      deep = Enum.reduce(1..100_000, [], fn _, inner -> [inner] end)
      map = Map.new(1..100_000, &{&1, &1})

      for reason <- [bomb(), large(), huge(), deep, map, Tuple.duplicate(:x, 100_000)] do
        {text, _, _, _} = Native.look(fn -> throw(reason) end)
        assert byte_size(text) <= 1_000
        assert String.valid?(text)
      end
    end

    test "is cut where a character begins" do
      for padding <- 0..3 do
        message = String.duplicate("x", padding) <> String.duplicate("ö€", 1_000)
        {text, _, _, _} = Native.look(fn -> raise message end)
        assert String.valid?(text)
        assert String.ends_with?(text, "…")
        assert byte_size(text) in 990..1_000
      end
    end
  end

  describe "what passes through a native call" do
    test "is the very term, however large" do
      for {make, class} <- [
            {fn reason -> throw(reason) end, :throw},
            {fn reason -> exit(reason) end, :exit},
            {fn reason -> :erlang.error(reason) end, :error}
          ],
          reason <- [bomb(), huge(), Map.new(1..100_000, &{&1, &1})] do
        assert {^class, out, _} = passed(fn -> Native.call(fn -> make.(reason) end) end)
        assert same?(out, reason)
      end
    end

    test "is the very term after five nested ones" do
      bomb = bomb()
      nested = Enum.reduce(1..5, fn -> throw(bomb) end, fn _, f -> fn -> Native.call(f) end end)
      assert {:throw, out, _} = passed(nested)
      assert same?(out, bomb)
    end

    test "is the very term where each of five nested ones has kept it meanwhile" do
      bomb = bomb()

      nested =
        Enum.reduce(1..5, fn -> throw(bomb) end, fn _, f ->
          fn -> Native.call_between(f, &collect/0, 3) end
        end)

      assert {:throw, out, _} = passed(nested)
      assert same?(out, bomb)
    end

    test "has its stack trace, with the arguments" do
      map = Map.new(1..10_000, &{&1, &1})

      assert {:error, {:badkey, :a}, stack_trace} =
               passed(fn ->
                 Native.call(fn -> Function.capture(:erlang, :map_get, 2).(:a, map) end)
               end)

      assert [{:erlang, :map_get, [:a, ^map], _} | _] = stack_trace
    end

    test "comes out as it was where a module fails to format it" do
      assert {:error, :badarg, [{_, :raise_bad_info, [1], info} | _]} =
               passed(fn -> Native.call(&raise_bad_info/0) end)

      assert info[:error_info] == %{module: UpcallTest.ErrorTermsOf.BadInfo}
      assert Native.banner(&raise_bad_info/0) =~ "could not be formatted"
    end
  end

  describe "an error that is looked at" do
    test "gives its reason and its stack trace" do
      reference = make_ref()

      assert {_, {:a, ^reference}, false, [{__MODULE__, _, _, _} | _]} =
               Native.look(fn -> throw({:a, reference}) end)

      assert {_, out, false, _} = Native.look(fn -> throw(large()) end)
      assert out == large()
    end

    test "gives a text in the place of a reason that is too large to be copied" do
      for f <- [fn -> throw(bomb()) end, fn -> exit(bomb()) end] do
        assert {"** (" <> _, text, true, [{_, _, _, _} | _]} = Native.look(f)
        assert text =~ @text_for
        assert text =~ ":end"
      end

      assert {"** (ErlangError)" <> _, %RuntimeError{message: message}, true, _} =
               Native.look(fn -> :erlang.error(bomb()) end)

      assert message =~ "ErlangError"
      assert message =~ @text_for
    end

    test "borrows the reason as it is" do
      for reason <- [bomb(), huge(), 1, "text"] do
        assert same?(Native.borrow(fn -> throw(reason) end), reason)

        assert same?(Native.borrow_later(fn -> throw(reason) end, &collect/0), reason) or
                 Native.borrow_later(fn -> throw(reason) end, &collect/0) == reason
      end
    end

    test "leaves large arguments out of its stack trace" do
      bomb = bomb()

      assert {_, _, _, [{:erlang, :map_get, 2, _} | _]} =
               Native.look(fn -> Function.capture(:erlang, :map_get, 2).(bomb, %{}) end)
    end

    test "is told as a term of its result, which is the very one" do
      bomb = bomb()
      assert {:error, {:throw, out}} = Native.outcome(fn -> throw(bomb) end)
      assert same?(out, bomb)
      assert {:error, {:exit, out}} = Native.outcome(fn -> exit(bomb) end)
      assert same?(out, bomb)

      for {f, exception} <- [
            {fn -> :erlang.error(:badarg) end, ArgumentError},
            {fn -> :erlang.error({:badarg, bomb}) end, ArgumentError},
            {fn -> :erlang.error(bomb) end, ErlangError},
            {&raise_bad_info/0, ArgumentError},
            {fn -> raise "text" end, RuntimeError},
            {fn -> Map.fetch!(Hidden.value(%{}), :a) end, KeyError},
            {fn -> apply(:no_such_module, :f, []) end, UndefinedFunctionError}
          ] do
        assert {:error, {:exception, %{__struct__: ^exception, __exception__: true}}} =
                 Native.outcome(f)
      end
    end
  end

  describe "an error that outlives the step that caught it" do
    test "is whole after other functions have run" do
      bomb = bomb()

      for reason <- [{:a, [1, 2.5], "text"}, bomb, huge()], times <- [1, 3] do
        assert {:throw, out, [{__MODULE__, _, _, _} | _]} =
                 passed(fn -> Native.call_between(fn -> throw(reason) end, &collect/0, times) end)

        if same?(reason, bomb), do: assert(same?(out, bomb)), else: assert(out == reason)
      end
    end

    test "can be looked at after other functions have run" do
      assert {"** (throw) {:a, \"text\"}", {:a, "text"}, false, _} =
               Native.look_later(fn -> throw({:a, "text"}) end, &collect/0)

      assert {"** (throw) [[" <> _, text, true, _} =
               Native.look_later(fn -> throw(bomb()) end, &collect/0)

      assert text =~ @text_for
    end

    test "holds no memory once it is gone" do
      bomb = bomb()
      assert Native.drop_many(fn -> throw(bomb) end, fn -> :ok end, 2_000) == 2_000
      {:total_heap_size, words} = Process.info(self(), :total_heap_size)
      :erlang.garbage_collect()
      assert words < 5_000_000
    end

    test "is whole in another native call, where it is small" do
      for is_between <- [false, true] do
        Native.leave(fn -> throw({:a, "text"}) end, &collect/0, is_between)
        collect()
        assert {:throw, {:a, "text"}, [{__MODULE__, _, _, _} | _]} = passed(&Native.raise_left/0)
      end
    end

    test "is a text in another native call, where it is large" do
      for is_between <- [false, true] do
        Native.leave(
          fn -> :erlang.error(%ArgumentError{message: bomb()}) end,
          &collect/0,
          is_between
        )

        collect()
        assert {:error, %{__struct__: struct, message: text}, _} = passed(&Native.raise_left/0)
        assert struct == RuntimeError
        assert text =~ @text_for

        Native.leave(fn -> throw(bomb()) end, &collect/0, is_between)
        assert {:throw, text, _} = passed(&Native.raise_left/0)
        assert text =~ @text_for
      end
    end

    # What a process is begun with is copied: it makes its own bomb.
    test "outlives its process" do
      for make <- [fn -> {:a, "text"} end, &bomb/0], is_between <- [false, true] do
        {pid, monitor} =
          spawn_monitor(fn ->
            Native.leave(fn -> throw(make.()) end, &collect/0, is_between)
          end)

        assert_receive {:DOWN, ^monitor, :process, ^pid, :normal}, 60_000
        assert {"** (throw) " <> _, out, is_text, _} = Native.look_at_left()
        if is_text, do: assert(out =~ @text_for), else: assert(out == {:a, "text"})
      end
    end

    test "outlives a process that was killed" do
      test = self()

      for make <- [fn -> {:a, "text"} end, &bomb/0] do
        wait = fn ->
          send(test, :between)
          Process.sleep(:infinity)
        end

        {pid, monitor} =
          spawn_monitor(fn -> Native.leave(fn -> throw(make.()) end, wait, true) end)

        assert_receive :between, 60_000
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, :process, ^pid, :killed}, 60_000
        Wait.until_no_frames(Native)
        assert {"** (throw) " <> _, out, is_text, _} = Native.look_at_left()
        if is_text, do: assert(out =~ @text_for), else: assert(out == {:a, "text"})
      end
    end

    test "can be looked at on another thread" do
      for look <- [
            &Native.look_on_thread/1,
            &Native.look_on_thread_later(&1, fn -> collect() end)
          ] do
        assert {"** (throw) {:a, \"text\"}", {:a, "text"}, false, [{__MODULE__, _, _, _} | _]} =
                 look.(fn -> throw({:a, "text"}) end)

        assert {"** (throw) [[" <> _, text, true, [{__MODULE__, _, _, _} | _]} =
                 look.(fn -> throw(bomb()) end)

        assert text =~ @text_for
      end
    end

    test "has a function in its reason as long as its native call lasts" do
      fun = fn -> self() end
      raise_it = fn -> throw({:fun, fun}) end

      assert {:throw, {:fun, ^fun}, _} =
               passed(fn -> Native.call_between(raise_it, &collect/0, 2) end)

      assert {_, _, true, _} = Native.look(raise_it)
    end
  end

  describe "Elixir's own text" do
    test "comes from a call" do
      test = self()

      for {f, text} <- [
            {fn -> raise Told, to: test end, "** (#{inspect(Told)}) told"},
            {fn -> Map.fetch!(Hidden.value(%{b: 1}), :a) end,
             "** (KeyError) " <> no_key_a(%{b: 1})},
            {fn -> throw(%{}) end, "** (throw) %{}"},
            {fn -> exit({:noproc, {:a, :b, [1]}}) end,
             Exception.format_exit({:noproc, {:a, :b, [1]}})}
          ] do
        assert Native.banner(f) =~ text
      end

      assert Native.native_banner() == "** (ArgumentError) of C++"
    end

    test "may be impossible to make" do
      assert Native.banner(fn -> raise Unprintable end) =~ "Unprintable"
    end

    test "is asked for by a process that is killed meanwhile" do
      {made, destroyed} = Native.objects()
      test = self()

      {pid, monitor} =
        spawn_monitor(fn ->
          Native.banner(fn -> raise Slow, to: test end)
        end)

      assert_receive :formatting, 60_000
      Process.exit(pid, :kill)
      assert_receive {:DOWN, ^monitor, :process, ^pid, :killed}, 60_000
      Wait.until_no_frames(Native)
      assert Native.objects() == {made + 1, destroyed + 1}
      assert %{parked: 0} = Upcall.info(Native)
    end
  end

  describe "an error with C++ exceptions around it" do
    test "keeps its class, reason and stack trace, and its message has their texts" do
      raised = fn -> raise ArgumentError, "inner" end

      for {outer, outermost, message} <- [
            {"runtime_error", "", "while opening: inner"},
            {"runtime_error", "invalid_argument", "bad path: while opening: inner"},
            {"untyped", "runtime_error", "while opening: inner"},
            {"untyped", "", "inner"},
            {"error", "", "outermost: inner"},
            {"error", "runtime_error", "while opening: outermost: inner"}
          ] do
        assert {:error, %ArgumentError{message: ^message}, [{__MODULE__, _, _, _} | _]} =
                 passed(fn -> Native.nest(raised, outer, outermost) end)
      end

      bomb = bomb()

      for {f, class, reason} <- [
            {fn -> throw(bomb) end, :throw, bomb},
            {fn -> exit(bomb) end, :exit, bomb},
            {fn -> :erlang.error(bomb) end, :error, bomb}
          ] do
        assert {^class, out, _} = passed(fn -> Native.nest(f, "runtime_error", "error") end)
        assert same?(out, reason)
      end

      assert {:error, {:badkey, :a}, _} =
               passed(fn ->
                 Native.nest(fn -> Map.fetch!(Hidden.value(%{}), :a) end, "runtime_error", "")
               end)
    end

    test "may be of C++ itself" do
      assert {:error, %ArgumentError{message: "while opening: of C++"}, _} =
               passed(fn -> Native.nest_own("runtime_error") end)
    end

    test "is found by a translator" do
      assert {:error, %ArgumentError{message: "translated: ** (RuntimeError) inner"}, _} =
               passed(fn -> Native.nest_translated(fn -> raise "inner" end) end)
    end
  end

  if @body == :fiber do
    describe "through a pinned call" do
      test "an error is the very term, however large" do
        bomb = bomb()
        fun = fn -> bomb end

        for reason <- [bomb, huge(), {fun, 1}],
            call <- [
              &Native.pinned_call/1,
              &Native.pinned_call_between(&1, fn -> collect() end, 3),
              &Native.pinned_call_beside(&1, fn -> fn -> 1 end end)
            ] do
          assert {:throw, out, [{_, _, _, _} | _]} =
                   passed(fn -> call.(fn -> throw(reason) end) end)

          assert same?(out, reason)
        end

        assert {:error, :badarg, _} = passed(fn -> Native.pinned_call(&raise_bad_info/0) end)
      end

      test "an error can be looked at, as a text where it is large" do
        assert {"** (throw) {:a, \"text\"}", {:a, "text"}, false, [{_, _, _, _} | _]} =
                 Native.pinned_look(fn -> throw({:a, "text"}) end)

        assert {"** (throw) " <> _, text, true, _} = Native.pinned_look(fn -> throw(bomb()) end)
        assert text =~ @text_for
      end

      test "large errors hold no memory once they are gone" do
        bomb = bomb()
        assert Native.pinned_drop_many(fn -> throw(bomb) end, fn -> :ok end, 1_000) == 1_000
      end

      test "Elixir's text comes from a call" do
        fun = fn -> 1 end

        assert Native.pinned_banner(fn -> Map.fetch!(Hidden.value(%{b: 1}), :a) end) ==
                 "** (KeyError) " <> no_key_a(%{b: 1})

        assert Native.pinned_banner(fn -> throw({:with, fun}) end) ==
                 "** (throw) {:with, #{inspect(fun)}}"
      end

      test "an error with C++ exceptions around it keeps what it is" do
        assert {:error, %ArgumentError{message: "while opening: inner"}, _} =
                 passed(fn ->
                   Native.pinned_nest(fn -> raise ArgumentError, "inner" end, "runtime_error")
                 end)

        bomb = bomb()

        assert {:throw, out, _} =
                 passed(fn -> Native.pinned_nest(fn -> throw(bomb) end, "runtime_error") end)

        assert same?(out, bomb)
      end

      test "an error that is kept past it is whole where it is small, else a text" do
        for make <- [fn -> {:a, "text"} end, &bomb/0], is_between <- [false, true] do
          Native.pinned_leave(fn -> throw(make.()) end, &collect/0, is_between)
          assert {"** (throw) " <> _, out, is_text, _} = Native.look_at_left()
          if is_text, do: assert(out =~ @text_for), else: assert(out == {:a, "text"})
        end
      end
    end

    describe "from an executor" do
      setup do
        %{server: start_supervised!(Upcall.Server)}
      end

      test "an error comes as a copy where that is small", %{server: server} do
        fun = fn -> self() end

        for reason <- [{:a, "text"}, large(), {fun, fn -> fun end, &Enum.map/2}] do
          assert {:throw, ^reason, [{_, _, _, _} | _]} =
                   passed(fn -> Native.executor_call(fn -> throw(reason) end, server) end)
        end

        assert {:error, {:badarity, {_, []}}, _} =
                 passed(fn ->
                   Native.executor_call(fn -> Hidden.value(fn x -> x end).() end, server)
                 end)
      end

      @tag unemulated: "a call waits for five seconds"
      test "an error comes as a text where a copy is too large", %{server: server} do
        for make <- [
              fn -> bomb() end,
              fn -> {:captured, fn -> bomb() end, captures(bomb())} end,
              fn -> captures(captures(captures(bomb()))) end,
              fn -> huge() end,
              fn -> Map.new(1..1_000_000, &{&1, &1}) end
            ] do
          assert {:throw, text, [{_, _, _, _} | _]} =
                   passed(fn -> Native.executor_call(fn -> throw(make.()) end, server) end)

          assert text =~ @text_for
        end

        assert {:error, %RuntimeError{message: text}, _} =
                 passed(fn ->
                   Native.executor_call(fn -> :erlang.error(bomb()) end, server)
                 end)

        assert text =~ @text_for
        assert {_, _, true, _} = Native.executor_look(fn -> throw(bomb()) end, server)
        assert {_, :a, false, _} = Native.executor_look(fn -> throw(:a) end, server)
      end

      test "an error comes as it was where a module fails to format it", %{server: server} do
        assert {:error, :badarg, [{_, :raise_bad_info, [1], _} | _]} =
                 passed(fn -> Native.executor_call(&raise_bad_info/0, server) end)

        log =
          ExUnit.CaptureLog.capture_log(fn ->
            assert Native.executor_cast(&raise_bad_info/0, server)
            assert {_, :a, _, _} = Native.executor_look(fn -> throw(:a) end, server)
          end)

        assert log =~ "could not be formatted"
        assert Process.alive?(server)
      end

      test "what nobody waits for is logged, in bounds", %{server: server} do
        log =
          ExUnit.CaptureLog.capture_log(fn ->
            assert Native.executor_cast(fn -> throw(huge()) end, server)
            assert Native.executor_cast(fn -> throw(bomb()) end, server)
            assert Native.executor_cast(fn -> Map.fetch!(Hidden.value(%{b: 1}), :a) end, server)
            assert {_, :a, _, _} = Native.executor_look(fn -> throw(:a) end, server)
          end)

        assert log =~ "** (throw) {:big, an integer of more than 2000 bits}"
        assert log =~ "** (throw) [[[["
        assert log =~ "** (KeyError) " <> no_key_a(%{b: 1})
      end

      defp captures(term), do: fn -> term end
    end
  end
end
