defmodule UpcallTest.Unprintable do
  @moduledoc false
  # Compiled with the project, as protocols are consolidated then.
  defstruct [:how]

  defimpl Inspect do
    def inspect(%{how: :throws}, _options), do: throw(:thrown)
    def inspect(%{how: :exits}, _options), do: exit(:exited)
    def inspect(%{how: :raises}, _options), do: raise("raised")
  end
end
