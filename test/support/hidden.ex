defmodule UpcallTest.Hidden do
  @moduledoc false

  @doc """
  Returns `value`, of which the compiler then knows nothing: it warns of a call that can only fail.
  """
  @spec value(term()) :: term()
  # Nothing is kept under this key: the default comes back.
  def value(value), do: :persistent_term.get(__MODULE__, value)
end
