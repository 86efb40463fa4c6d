defmodule UpcallTest.Bodies do
  @moduledoc false
  # The body of a frame is a fiber or a coroutine, and the tests of frames are the same for both: they run
  # with two builds of each library (test/native/bodies.hpp).

  @doc """
  Defines a module twice: for fibers under its own name, for coroutines with `Task` in that.

      for_both_bodies Upcall.FrameTest, native: UpcallTest.Frame do
        use ExUnit.Case
        …
      end

  Defines `Upcall.FrameTest` and `Upcall.FrameTaskTest`. In both, `@body` is `:fiber` or `:coroutine`, and
  `Native` is the module of `:native` for that body: `UpcallTest.Frame`, or `UpcallTest.FrameTask`.
  """
  defmacro for_both_bodies(module, options \\ [], do: block) do
    module = Macro.expand(module, __CALLER__)
    native = Macro.expand(options[:native], __CALLER__)

    for body <- [:fiber, :coroutine] do
      quote do
        defmodule unquote(name(module, body)) do
          @body unquote(body)
          unquote(native && alias_as_native(name(native, body)))
          unquote(block)
        end
      end
    end
  end

  defp name(module, :fiber), do: module

  defp name(module, :coroutine),
    do: String.to_atom(Regex.replace(~r/(Test)?$/, "#{module}", "Task\\1", global: false))

  # Not quoted: that would hide the name from the block.
  defp alias_as_native(module),
    do: {:alias, [], [module, [as: {:__aliases__, [], [:Native]}]]}
end
