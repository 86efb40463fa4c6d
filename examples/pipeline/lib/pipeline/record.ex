defmodule Pipeline.Record do
  @moduledoc """
  A line of UnicodeData.txt: a character, or the first or last of a range of them.

  A field that is empty there is `nil`. <https://www.unicode.org/reports/tr44/#UnicodeData.txt> says what
  the fields mean.
  """

  # As in c_src/record.hpp.
  defstruct [
    :code,
    :name,
    :category,
    :combining_class,
    :bidi_class,
    :decomposition,
    :decimal,
    :digit,
    :numeric,
    :mirrored?,
    :old_name,
    :comment,
    :uppercase,
    :lowercase,
    :titlecase
  ]

  @type code_point :: 0..0x10FFFF

  @type t :: %__MODULE__{
          code: code_point(),
          name: String.t(),
          category: String.t(),
          combining_class: 0..255,
          bidi_class: String.t(),
          decomposition: String.t() | nil,
          decimal: 0..9 | nil,
          digit: 0..9 | nil,
          numeric: String.t() | nil,
          mirrored?: boolean(),
          old_name: String.t() | nil,
          comment: String.t() | nil,
          uppercase: code_point() | nil,
          lowercase: code_point() | nil,
          titlecase: code_point() | nil
        }
end
