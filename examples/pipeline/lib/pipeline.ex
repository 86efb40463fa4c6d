defmodule Pipeline do
  @moduledoc """
  Reads and writes the Unicode Character Database (UnicodeData.txt), of any size, at constant memory.

      File.stream!("UnicodeData.txt")
      |> Pipeline.records()
      |> Stream.map(&%{&1 | old_name: nil})
      |> Pipeline.encode()
      |> Enum.into(File.stream!("without_old_names.txt"))

  Both functions are lazy: they read as the consumer asks for more, in its process, and may read a little
  more than it takes. What they read is closed when the consumer stops, raises or is killed.
  """

  @typedoc "Whether a record is wanted, by its code point and general category."
  @type keep :: (code :: 0..0x10FFFF, category :: String.t() -> boolean())

  @doc """
  Gives the records of a text that comes as an enumerable of binaries, cut anywhere.

  A line that is wrong raises `Pipeline.FormatError`, after the records before it.

  ## Options

    * `:keep?` - a function of a code point and a category. Native code calls it for each line, and makes
      no `Pipeline.Record` of those that it gives `false` for; nor does it look at their other fields
  """
  @spec records(Enumerable.t(), keep?: keep()) :: Enumerable.t()
  def records(chunks, options \\ []) do
    options = Keyword.validate!(options, [:keep?])
    Pipeline.Native.records(chunks, check_keep!(options[:keep?]))
  end

  @doc """
  Gives the text of records that come as an enumerable, as binaries of 64 KB and more, the last one apart.

  What `records/2` took comes out byte for byte, but for a newline that was missing at the end. A record
  that can't be written raises `Pipeline.FormatError`, and what is no record, `ArgumentError`.
  """
  @spec encode(Enumerable.t()) :: Enumerable.t()
  def encode(records), do: Pipeline.Native.encode(records)

  defp check_keep!(keep?) when keep? == nil or is_function(keep?, 2), do: keep?

  defp check_keep!(other) do
    raise ArgumentError,
          "option :keep?: expected a function of two arguments, got: #{inspect(other)}"
  end
end
