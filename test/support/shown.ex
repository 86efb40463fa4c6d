defmodule UpcallTest.Shown do
  @moduledoc false
  # Says when somebody inspects it. Protocols are consolidated before tests are compiled, so it is here.

  @enforce_keys [:to]
  defstruct [:to]

  defimpl Inspect do
    def inspect(%{to: to}, _options) do
      send(to, :text_was_made)
      "#Shown"
    end
  end
end
