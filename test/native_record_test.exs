Code.require_file("support/odd_values.exs", __DIR__)
Code.require_file("support/types.exs", __DIR__)

# Native records are of OTP 29 and later, and Erlang alone has a syntax for them.
if String.to_integer(System.otp_release()) >= 29 do
  defmodule Upcall.NativeRecordTest do
    # `enif_term_type` ends the VM at a native record: each of these tests did, where C++ looks at it.
    use ExUnit.Case

    alias UpcallTest.OddValues, as: Native
    alias UpcallTest.Types

    @shown "#upcall_test_record:point{"

    setup_all do
      source = """
      -module(upcall_test_record).
      -export([new/1, named/1]).
      -record #point{x = 1}.
      -record #'a{\\'ö'{x = 1}.
      new(X) -> #point{x = X}.
      named(X) -> #'a{\\'ö'{x = X}.
      """

      {:ok, tokens, _} = :erl_scan.string(String.to_charlist(source))
      forms = Enum.chunk_while(tokens, [], &until_dot/2, fn [] -> {:cont, []} end)

      {:ok, module, binary} =
        :compile.forms(for form <- forms, do: elem(:erl_parse.parse_form(form), 1))

      {:module, ^module} = :code.load_binary(module, ~c"upcall_test_record", binary)
      {:ok, make: &module.new/1, named: &module.named/1}
    end

    defp until_dot({:dot, _} = dot, form), do: {:cont, Enum.reverse(form, [dot]), []}
    defp until_dot(token, form), do: {:cont, [token | form]}

    test "passes as a term", %{make: make} do
      assert Types.any_term(make.(:a)) === make.(:a)
      assert Types.owned(make.(:a)) === make.(:a)
    end

    test "is refused by its name, also as a part", %{make: make} do
      for value <- [make.(1), {make.(1)}, [make.([2])], %{make.(1) => make.(2)}] do
        error = assert_raise ArgumentError, fn -> Types.boolean(value) end
        assert error.message =~ @shown
      end
    end

    test "may be what a function raises, throws and exits with", %{make: make} do
      server = start_supervised!(Upcall.Server)
      huge = make.(Enum.to_list(1..100_000))

      for reason <- [make.(1), {:a, [make.(1)]}, huge, make.(Bitwise.bsl(1, 4_000_000))],
          fail <- [
            fn _ -> :erlang.error(reason) end,
            fn _ -> throw(reason) end,
            fn _ -> exit(reason) end
          ] do
        for text <- [
              Native.text(fail),
              Native.text_pinned(fail),
              Native.text_on(fail, server),
              Native.text_at_end(fail, & &1)
            ] do
          assert text =~ "** (", text
          assert text =~ @shown, text
          assert byte_size(text) < 2_000
        end
      end
    end

    test "is shown by its name alone where C++ prints it", %{make: make, named: named} do
      server = start_supervised!(Upcall.Server)

      for {record, name} <- [{make.({1, 2}), "point"}, {named.(<<1, 2>>), "'a{\\'ö'"}] do
        assert Native.text_on(fn _ -> :erlang.error({:a, record}) end, server) ==
                 "** (RuntimeError) (ErlangError) Erlang error: {:a, \#upcall_test_record:#{name}{…}} " <>
                   "(text in the place of a term that is too large to be copied)"
      end
    end

    test "reaches the caller in what a function raised", %{make: make} do
      record = make.(1)
      assert catch_error(Native.pass(fn _ -> :erlang.error(record) end)) == record
      assert catch_throw(Native.pass_pinned(fn _ -> throw(record) end)) == record
    end
  end
end
