Code.require_file("support/failing_codec.exs", __DIR__)

import UpcallTest.Bodies

defmodule UpcallTest.FailingCodecTest.Texts do
  import ExUnit.Assertions

  @codec "the codec of (anonymous namespace)::faulty "

  # The faults of an `encode`, and what is said of each.
  def encoding do
    %{
      zero: @codec <> "gave no term (0); its encode has to give one, or to throw",
      badarg: raised(":badarg"),
      badarg_and_term: raised("7")
    }
  end

  def decoding, do: raised(":badarg")

  def assert_refused(expected, f) do
    assert assert_raise(ArgumentError, f).message == expected
  end

  defp raised(reason) do
    @codec <>
      "raised #{reason} in the VM (enif_make_badarg, enif_raise_exception); it has to throw an " <>
      "exception of C++, such as upcall::bad_term"
  end
end

for_both_bodies UpcallTest.FailingCodecTest, native: UpcallTest.FailingCodec do
  use ExUnit.Case, async: true
  import UpcallTest.FailingCodecTest.Texts

  @native inspect(Native)

  defp uncalled(_, _ \\ nil), do: flunk("it was called")

  describe "a codec that gives no term, or raises in the VM, is an error of" do
    test "the result" do
      for {fault, text} <- encoding() do
        assert_refused("#{@native}.result/1: the result: " <> text, fn -> Native.result(fault) end)

        assert_refused("#{@native}.result_after_call/2: the result: " <> text, fn ->
          Native.result_after_call(& &1, fault)
        end)
      end
    end

    test "the argument of a function" do
      for {fault, text} <- encoding() do
        assert_refused("#{@native}.argument/2: argument 1 of the function: " <> text, fn ->
          Native.argument(&uncalled/1, fault)
        end)

        assert_refused("#{@native}.second_argument/2: argument 2 of the function: " <> text, fn ->
          Native.second_argument(&uncalled/2, fault)
        end)
      end
    end

    test "the native call's argument" do
      assert_refused("#{@native}.result/1: argument 1: " <> decoding(), fn ->
        Native.result(:decoding)
      end)
    end

    test "what a function returned" do
      assert_refused("#{@native}.returned/1: what the function returned: " <> decoding(), fn ->
        Native.returned(fn -> :decoding end)
      end)
    end

    test "a field of an exception" do
      for {fault, text} <- encoding() do
        assert_refused("#{@native}.fields_of_raise/1: field term of KeyError: " <> text, fn ->
          Native.fields_of_raise(fault)
        end)
      end
    end

    test "a part of a container, a struct or options" do
      for {fault, text} <- encoding(),
          {name, argument, place} <- [
            {:in_vector, [:none, fault], "element 2: "},
            {:in_array, [fault, :none], "element 1: "},
            {:in_optional, fault, ""},
            {:in_variant, fault, ""},
            {:in_map, %{"a" => fault}, ~s(value of key "a": )},
            {:as_key, %{fault => 1}, "key: "},
            {:in_tuple, {1, fault}, "element 2: "},
            {:in_struct, %UpcallTest.FailingCodec.Holder{value: fault}, "field value: "},
            {:in_options, [value: fault], "option value: "}
          ] do
        assert_refused("#{@native}.#{name}/1: the result: " <> place <> text, fn ->
          apply(Native, name, [argument])
        end)
      end

      assert_refused("#{@native}.in_vector/1: argument 1: element 2: " <> decoding(), fn ->
        Native.in_vector([:none, :decoding])
      end)
    end

    test "a variant, whose next alternative is not tried" do
      assert_refused("#{@native}.first_of_variant/1: argument 1: " <> decoding(), fn ->
        Native.first_of_variant(:decoding_and_throw)
      end)

      assert Native.first_of_variant(:none) == :none
    end

    test "a borrowed term that is decoded" do
      assert_refused("#{@native}.borrowed/1: " <> decoding(), fn -> Native.borrowed(:decoding) end)

      assert Native.borrowed(:none) == :none
    end
  end

  test "a decode that raises in the VM and throws is told as what it throws" do
    assert_refused("argument 1: expected nothing at all", fn ->
      Native.result(:decoding_and_throw)
    end)
  end

  test "a kept term can be decoded again after a codec has raised at it" do
    failed = "#{@native}.kept/2: " <> decoding()
    assert Native.kept(:decoding, :none) == [failed, "decoded", failed, "decoded"]
  end

  test "try_call gives the error of a codec, with its place" do
    assert Native.text_of_try_call(&uncalled/1, :zero) ==
             "#{@native}.text_of_try_call/2: argument 1 of the function: " <> encoding().zero
  end

  test "what is pending in the VM comes out of the native call that caught it" do
    for fault <- [:badarg, :badarg_and_term] do
      assert_refused("#{@native}.text_of_try_call/2: " <> encoding()[fault], fn ->
        Native.text_of_try_call(&uncalled/1, fault)
      end)
    end

    assert_refused("#{@native}.text_of_returned/1: " <> decoding(), fn ->
      Native.text_of_returned(fn -> :decoding end)
    end)
  end

  test "an upcall::term of no term is refused" do
    text = "expected a term, got: an upcall::term of none (0)"
    assert_refused("#{@native}.no_term/1: the result: " <> text, fn -> Native.no_term(1) end)

    assert_refused("#{@native}.no_term_as_argument/1: argument 1 of the function: " <> text, fn ->
      Native.no_term_as_argument(&uncalled/1)
    end)
  end

  test "an upcall::owned_term of no term is refused" do
    assert_refused(
      "expected a term to keep in an upcall::owned_term, got: no term (0), which is what " <>
        "enif_make_badarg and enif_raise_exception give",
      fn -> Native.no_term_to_keep() end
    )
  end
end

defmodule UpcallTest.FailingCodecElsewhereTest do
  use ExUnit.Case, async: true
  import UpcallTest.FailingCodecTest.Texts
  alias UpcallTest.FailingCodecElsewhere, as: Native
  alias UpcallTest.FailingCodecHandwritten, as: Handwritten

  @native inspect(Native)

  defp uncalled(_, _ \\ nil), do: flunk("it was called")

  defp place(name, arity, place), do: "#{@native}.#{name}/#{arity}: " <> place

  describe "in a stream, a codec that fails in the VM's own way is an error of" do
    test "a value that is yielded" do
      for {fault, text} <- encoding(), name <- [:generate, :generate_on_fiber] do
        assert_refused(place(name, 1, "a value that it yields: " <> text), fn ->
          Enum.to_list(apply(Native, name, [[:none, fault, :none]]))
        end)
      end
    end

    test "an element of a sequence" do
      for name <- [:count, :count_in_coroutine],
          source <- [[:none, :decoding], Stream.take([:none, :decoding], 2)] do
        assert_refused(place(name, 1, "element 2 of an enumerable: " <> decoding()), fn ->
          apply(Native, name, [source])
        end)
      end
    end
  end

  test "values that were yielded before one without a term come before its error" do
    test = self()

    for name <- [:generate, :generate_on_fiber] do
      values = apply(Native, name, [List.duplicate(:none, 100) ++ [:zero]])
      assert_raise ArgumentError, fn -> Enum.each(values, &send(test, {name, &1})) end
      for _ <- 1..100, do: assert_received({^name, :none})
    end
  end

  describe "in a pinned call, a codec that fails in the VM's own way is an error of" do
    test "its arguments and its result" do
      for {fault, text} <- encoding() do
        assert_refused(place(:result, 1, "the result: " <> text), fn -> Native.result(fault) end)
      end

      assert_refused(place(:result, 1, "argument 1: " <> decoding()), fn ->
        Native.result(:decoding)
      end)

      assert_refused(
        place(:no_term, 0, "the result: expected a term, got: an upcall::term of none (0)"),
        fn ->
          Native.no_term()
        end
      )
    end

    test "the argument of a function, and what that returned" do
      for {fault, text} <- encoding() do
        assert_refused(place(:second_argument, 2, "argument 2 of the function: " <> text), fn ->
          Native.second_argument(&uncalled/2, fault)
        end)
      end

      assert_refused(place(:returned, 1, "what the function returned: " <> decoding()), fn ->
        Native.returned(fn -> :decoding end)
      end)
    end

    test "a field of an exception" do
      for {fault, text} <- encoding() do
        assert_refused(place(:fields_of_raise, 1, "field term of KeyError: " <> text), fn ->
          Native.fields_of_raise(fault)
        end)
      end
    end

    test "the argument of a function that a thread of the body calls" do
      assert Native.on_thread_of_call(&uncalled/1) ==
               place(:on_thread_of_call, 1, "argument 1 of the function: " <> encoding().badarg)
    end
  end

  test "a pinned call whose codec has failed goes on" do
    argument = &place(:goes_on, 3, "argument 1 of the function: " <> encoding()[&1])
    returned = place(:goes_on, 3, "what the function returned: " <> decoding())
    borrowed = place(:goes_on, 3, decoding())

    assert Native.goes_on(& &1, fn -> :decoding end, :decoding) ==
             [argument.(:zero), "done", argument.(:badarg), "done"] ++
               [returned, returned, borrowed, borrowed, "done"]
  end

  test "upcall::map names the element that has no term" do
    for {fault, text} <- encoding(), name <- [:mapped, :pinned_mapped] do
      assert_refused(place(name, 2, "element 2 of the range: " <> text), fn ->
        apply(Native, name, [&uncalled/1, [:none, fault]])
      end)
    end

    for name <- [:mapped, :pinned_mapped] do
      assert_refused(
        place(name, 2, "what the function returned: element 1: " <> decoding()),
        fn ->
          apply(Native, name, [fn _ -> :decoding end, [:none]])
        end
      )
    end
  end

  describe "through an executor, a codec that fails in the VM's own way is an error of" do
    setup do
      {:ok, executor: start_supervised!({Upcall.Server, []})}
    end

    test "the argument of a function", %{executor: executor} do
      for {fault, text} <- encoding(),
          name <-
            [:called_on, :async_on, :cast_on, :awaited_on, :applied_on] ++
              [:pinned_called_on, :pinned_async_on, :pinned_cast_on] do
        assert_refused(place(name, 3, "argument 1 of the function: " <> text), fn ->
          apply(Native, name, [&uncalled/1, executor, fault])
        end)
      end

      assert Native.called_on(& &1, executor, :none) == :none
    end

    test "an element of upcall::map", %{executor: executor} do
      for {fault, text} <- encoding(), name <- [:mapped_on, :pinned_mapped_on] do
        assert_refused(place(name, 3, "element 2 of the range: " <> text), fn ->
          apply(Native, name, [&uncalled/1, executor, [:none, fault]])
        end)
      end
    end

    test "what the function returned", %{executor: executor} do
      for name <- [:called_on, :async_on, :awaited_on, :pinned_called_on, :pinned_async_on] do
        assert_refused(place(name, 3, "what the function returned: " <> decoding()), fn ->
          apply(Native, name, [fn _ -> :decoding end, executor, :none])
        end)
      end
    end

    @tag unemulated: "a call waits for five seconds"
    test "a thread that is no native call's, which can call again", %{executor: executor} do
      argument = "argument 1 of the function: " <> encoding().badarg
      assert Native.on_thread(& &1, executor, :badarg) == [argument, "done", argument, "done"]

      # Atoms are decoded in an environment that the thread keeps.
      returned = "what the function returned: " <> decoding()
      answer = fn _ -> :decoding end
      assert Native.on_thread(answer, executor, :none) == List.duplicate(returned, 4)
    end

    test "upcall::apply of a NIF that is written by hand", %{executor: executor} do
      for {fault, text} <- encoding() do
        assert_refused("argument 1 of the function: " <> text, fn ->
          Handwritten.apply_to(executor, &uncalled/1, fault)
        end)
      end

      assert_refused(decoding(), fn ->
        Handwritten.apply_to(executor, fn _ -> :decoding end, :none)
      end)

      assert Handwritten.apply_to(executor, & &1, :none) == :none
    end
  end

  test "a kept function's argument that has no term is an error" do
    for {fault, text} <- encoding() do
      assert_refused(place(:kept_called, 2, "argument 1 of the function: " <> text), fn ->
        Native.kept_called(&uncalled/1, fault)
      end)
    end
  end

  test "in a NIF that is written by hand, a codec that fails is what upcall::catching raises" do
    for {fault, text} <- encoding() do
      assert_refused(text, fn -> Handwritten.same(fault) end)
      assert_refused("the value of a result: " <> text, fn -> Handwritten.in_result(fault) end)
    end

    assert_refused(decoding(), fn -> Handwritten.same(:decoding) end)
    assert Handwritten.same(:none) == :none
    assert Handwritten.in_result(:none) == {:ok, :none}
  end

  test "upcall::apply refuses parameters that are no term" do
    executor = start_supervised!({Upcall.Server, []})

    assert_refused(
      "upcall::apply: params: expected a proper list, got: no term (0)",
      fn -> Handwritten.apply_to_nothing(executor, &uncalled/1) end
    )
  end
end
