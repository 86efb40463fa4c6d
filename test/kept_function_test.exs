Code.require_file("support/kept_function.exs", __DIR__)

defmodule UpcallTest.KeptFunctionMemory do
  @moduledoc false
  import ExUnit.Assertions

  @rounds 20_000

  @doc """
  Calls `native.(f, rounds)`, and gives how much memory the VM has taken between the 1,000th round and the last:
  `f` is to be called in each, with its number.
  """
  def growth(native) do
    caller = self()

    f = fn round ->
      if round == 1_000 or round == @rounds - 1, do: send(caller, {:memory, memory()})
      round
    end

    assert native.(f, @rounds) == Enum.sum(0..(@rounds - 1))
    assert_received {:memory, before}
    assert_received {:memory, afterwards}
    afterwards - before
  end

  @doc """
  Gives how much memory the VM takes, without what is garbage here.
  """
  def memory do
    :erlang.garbage_collect()
    :erlang.memory(:total)
  end
end

import UpcallTest.Bodies

for_both_bodies UpcallTest.KeptFunctionTest, native: UpcallTest.KeptFunction do
  # Of the memory that the VM takes, nothing is to be somebody else's.
  use ExUnit.Case, async: false
  import UpcallTest.KeptFunctionMemory

  @ways if @body == :fiber, do: ["", "pinned_"], else: [""]
  @some_memory 2_000_000

  # With a sanitizer the VM has no allocators of its own, which it could ask.
  @unmeasured UpcallTest.Machine.sanitized?()

  # What a copy takes much memory of.
  defp large_function do
    captured = Enum.to_list(1..500_000)
    fn x -> x + length(captured) end
  end

  for way <- @ways, name = &:"#{way}#{&1}" do
    describe "#{name.("kept functions")}:" do
      @tag skip: @unmeasured
      test "what is kept and called in a loop takes no memory" do
        assert growth(&(Native.unquote(name.("keep_and_call")) / 2)) < @some_memory
      end

      @tag skip: @unmeasured
      test "what a long call is given, keeps, calls and lets go takes none" do
        assert growth(fn f, rounds ->
                 Native.unquote(name.("serve"))(fn i -> fn ^i -> f.(i) end end, rounds, 1)
               end) < @some_memory
      end

      @tag skip: @unmeasured
      test "what was kept elsewhere and goes on another thread takes none" do
        assert growth(fn f, rounds ->
                 make = fn i -> fn ^i -> f.(i) end end
                 Native.unquote(name.("serve_others"))(make, rounds, 100)
               end) < @some_memory
      end

      test "each of many is found, in whatever order they come and go" do
        functions = for n <- 1..100, do: &(&1 + n)
        assert Native.unquote(name.("call_all"))(functions, 5) == Enum.sum(1..100) * 5 + 100 * 10

        assert Native.unquote(name.("serve"))(fn i -> &(&1 * 2 - i * 2 + i) end, 1_000, 64) ==
                 Enum.sum(for i <- 0..999, do: i * 2 - max(i - 63, 0))
      end

      test "a function that is kept twice is copied once" do
        assert Native.unquote(name.("shares_copy"))(& &1)
        assert Native.unquote(name.("shares_copy_of"))(& &1)
      end
    end
  end

  test "a kept function is called here as the function that it was kept of" do
    [f, kept] = Native.with_kept(large_function())
    assert :erts_debug.same(f, kept)
  end

  @tag skip: @unmeasured
  test "a function that is kept and called in turns has one copy at a time" do
    large = large_function()
    size = :erts_debug.flat_size(large) * :erlang.system_info(:wordsize)
    caller = self()

    f = fn round ->
      if round in [0, 99], do: send(caller, {:memory, memory()})
      large.(round)
    end

    Native.keep_and_call(f, 100)
    assert_received {:memory, before}
    assert_received {:memory, afterwards}
    assert afterwards - before < size
  end

  if @body == :fiber do
    test "threads of a pinned body that keep one function at once share the copy" do
      for _ <- 1..20, do: assert(Native.pinned_copies_of_threads(& &1, 8) == 1)
    end
  end
end
