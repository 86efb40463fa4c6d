defmodule Sqlite.Error do
  @moduledoc """
  Raised for what SQLite refuses: `:message` is its text, and `:code` its extended result code, such as
  2067 for a broken UNIQUE constraint (<https://www.sqlite.org/rescode.html>).
  """

  defexception [:code, :message]

  @type t :: %__MODULE__{code: integer(), message: String.t()}

  # From C++ comes "2067: UNIQUE constraint failed: users.name".
  @impl true
  def exception(text) when is_binary(text) do
    {code, ": " <> message} = Integer.parse(text)
    %__MODULE__{code: code, message: message}
  end

  def exception(fields), do: struct!(__MODULE__, fields)
end
