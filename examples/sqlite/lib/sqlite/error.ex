defmodule Sqlite.Error do
  @moduledoc """
  Raised for what SQLite refuses: `:message` is its text, and `:code` its extended result code, such as
  2067 for a broken UNIQUE constraint (<https://www.sqlite.org/rescode.html>).
  """

  defexception [:code, :message]

  @type t :: %__MODULE__{code: integer(), message: String.t()}
end
