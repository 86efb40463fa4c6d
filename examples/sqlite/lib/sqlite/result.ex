defmodule Sqlite.Result do
  @moduledoc """
  What a statement gave.

    * `:columns` - the names of the columns
    * `:rows` - a list of rows, each a list of values
    * `:changes` - how many rows were inserted, updated or deleted
    * `:upcalls` - how many times SQLite called an Elixir function
  """

  @enforce_keys [:columns, :rows, :changes, :upcalls]
  defstruct [:columns, :rows, :changes, :upcalls]

  @type t :: %__MODULE__{
          columns: [String.t()],
          rows: [[Sqlite.value()]],
          changes: non_neg_integer(),
          upcalls: non_neg_integer()
        }
end
