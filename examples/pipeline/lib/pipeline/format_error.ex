defmodule Pipeline.FormatError do
  @moduledoc """
  Says which line could not be read, or which record could not be written, and what was expected.

  `:field` is `nil` where the line as a whole is wrong.
  """

  defexception [:place, :field, :expected, :got]

  @type t :: %__MODULE__{
          place: {:line | :record, pos_integer()},
          field: String.t() | nil,
          expected: String.t(),
          got: String.t() | non_neg_integer()
        }

  @impl true
  def message(%{place: {unit, number}, field: field} = error) do
    field = if field, do: "#{field}: ", else: ""
    got = inspect(error.got, printable_limit: 60)
    "#{unit} #{number}: #{field}expected #{error.expected}, got: #{got}"
  end
end
