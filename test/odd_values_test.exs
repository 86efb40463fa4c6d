Code.require_file("support/odd_values.exs", __DIR__)

defmodule Upcall.OddValuesTest do
  use ExUnit.Case

  alias UpcallTest.{ChildVM, Unprintable}
  alias UpcallTest.OddValues, as: Native

  # What an odd value once did to the VM is for a VM of its own to find out.
  defp in_child(code) do
    code = """
    alias UpcallTest.OddValues, as: Native
    {:ok, _} = Application.ensure_all_started(:upcall)
    Logger.configure(level: :none)
    {:ok, server} = Upcall.Server.start_link([])
    _ = server
    #{code}
    IO.write("survived")
    """

    {output, status} = ChildVM.run(code, require: ["support/odd_values.exs"])
    assert {String.ends_with?(output, "survived"), status} == {true, 0}, output
  end

  describe "a handle of C++ that was moved from" do
    setup do
      {:ok, server: start_supervised!(Upcall.Server)}
    end

    test "tells nothing where it is destroyed, and the one that it was moved to does", %{
      server: server
    } do
      in_child("""
      test = self()
      Native.make_watch(&send(test, {:closed, &1}), server, 7)
      :erlang.garbage_collect()
      receive(do: ({:closed, 7} -> :ok))
      """)

      test = self()
      Native.make_watch(&send(test, {:closed, &1}), server, 7)
      :erlang.garbage_collect()
      assert_receive {:closed, 7}
      refute_received {:closed, _}
    end

    test "says so when it is used", %{server: server} do
      moved = "this function of Elixir's was moved from"

      assert Native.use_moved_from(&(&1 * 10), server) ==
               [moved, moved, moved, "refused", moved, moved, moved, moved, "20"]
    end

    test "has its term, where it is one" do
      assert Native.term_moved_from() == 7
    end

    test "refers to no object, where it is a resource" do
      assert_raise RuntimeError, ~r/this upcall::resource was moved from/, fn ->
        Native.resource_moved_from()
      end
    end

    test "has its text, where it is an error" do
      assert Native.text_of_moved_from(fn _ -> raise "told" end) ==
               "** (RuntimeError) told ** (RuntimeError) told"
    end
  end

  describe "a name that no atom has" do
    @long String.duplicate("a", 256)
    @shown String.duplicate("a", 50)

    for {name, call} <- [
          {"a function", quote(do: Native.call_named("erlang", @long))},
          {"a module", quote(do: Native.call_named(@long, "abs"))},
          {"a function", quote(do: Native.call_named_pinned("erlang", @long))},
          {"a module", quote(do: Native.call_named_pinned(@long, "abs"))},
          {"a function", quote(do: Native.call_named_in_task("erlang", @long))},
          {"an exception's module", quote(do: Native.raise_named(@long))},
          {"an exception's module", quote(do: Native.raise_named_pinned(@long))},
          {"an exception's module", quote(do: Native.raise_field(@long, "key"))},
          {"a field", quote(do: Native.raise_field("Elixir.KeyError", @long))},
          {"a field", quote(do: Native.raise_field_pinned("Elixir.KeyError", @long))}
        ] do
      test "is refused: #{Macro.to_string(call)}" do
        assert_raise ArgumentError,
                     "expected the name of #{unquote(name)} (at most 255 bytes), " <>
                       "got: \"#{@shown}...\" of 256 bytes",
                     fn -> unquote(call) end
      end
    end

    test "is not that of 255 bytes" do
      assert Native.call_named("erlang", "abs") == 1
      assert Native.call_named_pinned("erlang", "abs") == 1
      assert Native.call_named_in_task("erlang", "abs") == 1

      longest = String.duplicate("a", 255)
      assert_raise UndefinedFunctionError, fn -> Native.call_named("erlang", longest) end
      assert_raise UndefinedFunctionError, fn -> Native.raise_named("Elixir." <> @shown) end
    end
  end

  describe "a library that is loaded by hand, without options" do
    @tag :tmp_dir
    test "does what it can without the name of its module", %{tmp_dir: dir} do
      # A copy is a library of its own, which has never had options.
      copy = Path.join(dir, "by_hand")
      File.cp!(UpcallTest.Native.path("odd_values_nif") <> ".so", copy <> ".so")

      in_child("""
      functions = Native.module_info(:exports) -- [module_info: 0, module_info: 1, __info__: 1]
      for _ <- 1..2, do: {:code.purge(Native), :code.delete(Native)}

      stubs =
        for {name, arity} <- functions do
          arguments = Macro.generate_arguments(arity, nil)
          quote do
            def unquote(name)(unquote_splicing(arguments)), do: :erlang.nif_error(unquote(arguments))
          end
        end

      by_hand =
        quote do
          @on_load :load_by_hand
          def load_by_hand, do: :erlang.load_nif(String.to_charlist(#{inspect(copy)}), 0)
          unquote_splicing(stubs)
        end

      {:module, Native, _, _} = Module.create(Native, by_hand, file: "by_hand.ex")
      true = is_map(Native.__upcall_info__())
      """)
    end
  end

  describe "a name that is not ASCII" do
    for call <- [:call_named, :call_named_pinned, :call_named_in_task] do
      test "may be a module's and a function's: #{call}" do
        assert apply(Native, unquote(call), ["Elixir.UpcallTest.Größe", "größer_als"]) == 0
      end
    end

    test "may be an exception's and a field's" do
      assert %{__struct__: :"Elixir.UpcallTest.ZuGroß", message: "of C++"} =
               catch_error(Native.raise_named("Elixir.UpcallTest.ZuGroß"))

      for raise_field <- [&Native.raise_field/2, &Native.raise_field_pinned/2] do
        assert %{__struct__: :"Elixir.UpcallTest.ZuGroß", größe: 1} =
                 catch_error(raise_field.("Elixir.UpcallTest.ZuGroß", "größe"))
      end
    end

    test "may be a struct's and its field's" do
      struct = &struct!(:"Elixir.UpcallTest.Größe", größe: &1)
      assert Native.twice(struct.(3)) == struct.(6)

      assert_raise ArgumentError,
                   "UpcallTest.OddValues.size_of/1: argument 1: field größe: expected an integer from " <>
                     "-9223372036854775808 to 9223372036854775807, got: :\"∞\"",
                   fn -> Native.size_of(struct.(:"∞")) end

      assert_raise ArgumentError,
                   "UpcallTest.OddValues.size_of/1: argument 1: expected a %UpcallTest.Größe{}, got: 1",
                   fn -> Native.size_of(1) end
    end
  end

  describe "a text of C++ that is none" do
    test "is one of replacement characters, however long" do
      # A minute, where each byte costs a copy of all before.
      %RuntimeError{message: text} = catch_error(Native.fail_with_bytes(1_000_000))
      assert text == String.duplicate("\uFFFD", 1_000_000)
    end
  end

  describe "what was got in the place of an argument" do
    test "is told in a moment, wherever in it a large integer is" do
      # Each takes ten seconds to print.
      large = Bitwise.bsl(1, 2_000_000)

      for {got, text} <- [
            {large, "an integer of 250001 bytes"},
            {[large], ~s(["an integer of 250001 bytes"])},
            {{:a, [large | :b]}, ~s({:a, ["an integer of 250001 bytes" | :b]})},
            {List.to_tuple([large | Enum.to_list(1..20)]),
             ~s({"an integer of 250001 bytes", 1, 2, 3, 4, 5, 6, 7, 8, 9, ...})},
            {Enum.reduce(1..1000, large, fn _, inner -> [inner] end),
             ~s([[[[[[[[[[:...]]]]]]]]]])},
            {%{large => large},
             ~s(%{"an integer of 250001 bytes" => "an integer of 250001 bytes"})}
          ] do
        assert_raise ArgumentError, ~r/got: #{Regex.escape(text)}$/, fn ->
          Native.fail_with_bytes(got)
        end
      end
    end

    test "may be impossible to print" do
      for how <- [:throws, :exits] do
        assert_raise ArgumentError, ~r/got: a term that can't be inspected$/, fn ->
          Native.fail_with_bytes(%Unprintable{how: how})
        end
      end

      assert_raise ArgumentError, ~r/got: #Inspect.Error</, fn ->
        Native.fail_with_bytes(%Unprintable{how: :raises})
      end
    end
  end

  describe "a map that is raised and is no exception" do
    odd = [
      %{__exception__: true},
      %{__exception__: false, a: 1},
      %{__exception__: true, __struct__: 3},
      %{__exception__: true, __struct__: "x"},
      %{__exception__: false, __struct__: RuntimeError, message: "m"},
      %{__struct__: RuntimeError, message: "m"},
      %{__struct__: 5}
    ]

    for raised <- odd do
      @raised Macro.escape(raised)

      test "is told as an Erlang error, and comes out as it is: #{inspect(Map.to_list(raised))}" do
        in_child("""
        raised = #{Macro.to_string(@raised)}
        large = Map.put(raised, :large, Enum.to_list(1..100_000))
        kept = Map.put(raised, :kept, &self/0)

        "** (ErlangError) Erlang error: " <> _ = Native.text(fn _ -> :erlang.error(raised) end)

        for reason <- [raised, large, kept] do
          raise_it = fn _ -> :erlang.error(reason) end
          "** (" <> _ = Native.text(raise_it)
          "** (" <> _ = Native.text_pinned(raise_it)
          "** (" <> _ = Native.text_on(raise_it, server)
          "** (" <> _ = Native.text_at_end(raise_it, & &1)

          for pass <- [&Native.pass/1, &Native.pass_pinned/1] do
            try do
              pass.(raise_it)
            catch
              :error, ^reason -> :ok
            end
          end

          try do
            Native.fail_in_destructor(raise_it)
          rescue
            RuntimeError -> :ok
          end
        end
        """)
      end
    end
  end

  test "no term is refused where it is decoded" do
    assert_raise ArgumentError, ~r/^expected a term to decode, got: no term \(0\)/, fn ->
      Native.decode_nothing()
    end
  end

  describe "a thread that a pinned body has started, and that calls by try_call" do
    test "is told by a value that the caller was killed" do
      {:ok, server} = Upcall.Server.start_link([])
      test = self()

      caller =
        spawn(fn ->
          waits = fn _ ->
            send(test, :called)
            Process.sleep(:infinity)
          end

          Native.call_on_thread(waits, &send(test, {:told, &1}), server)
        end)

      assert_receive :called
      Process.exit(caller, :kill)
      assert_receive {:told, "the process that this native call worked for is gone" <> _}, 5_000
    end
  end

  test "a message of whatever kind that a function leaves behind ends no executor" do
    leave = fn _ ->
      GenServer.cast(self(), :left)
      send(self(), :left)
      "done" |> String.to_charlist() |> length()
    end

    server = start_supervised!(Upcall.Server)
    pool = start_supervised!({Upcall.Pool, size: 1})
    GenServer.cast(pool, :left)

    for executor <- [server, pool], _ <- 1..3 do
      assert Native.text_on(fn x -> raise "#{leave.(x)}" end, executor) == "** (RuntimeError) 4"
    end

    assert Process.alive?(server) and Process.alive?(pool)
  end

  describe "an outcome that is forged" do
    test "is an error of the pinned call that it answers" do
      in_child("""
      next = fn call, next ->
        case Native.__upcall_next__(call, nil, nil, make_ref()) do
          :waiting -> next.(call, next)
          request -> request
        end
      end
      for forged <- [[fn -> 1 end], [:error, fn -> 1 end], fn -> 1 end, [1, 2, fn -> 1 end | 3], 5] do
        {:pinned, call, _} = Native.__native_pass_pinned__(fn x -> x end)
        {:apply, _, [1]} = next.(call, next)
        Native.__upcall_next__(call, :raised, forged, make_ref())
        {:raise_exception, ArgumentError, "a malformed outcome"} = next.(call, next)
      end
      """)
    end
  end
end
