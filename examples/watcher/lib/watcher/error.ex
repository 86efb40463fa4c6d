defmodule Watcher.Error do
  @moduledoc """
  Says that a directory can't be watched, why, and what to do.
  """

  defexception [:message, :dir]

  @type t :: %__MODULE__{message: String.t(), dir: Path.t()}
end
