defmodule Demo.Plain do
  @moduledoc false
  # The same in plain Elixir, to compare with: demo and tests check against it. It checks less of a line.

  alias Pipeline.Record

  def records(chunks) do
    chunks |> Stream.concat([:end]) |> Stream.transform("", &parse_chunk/2)
  end

  def encode(records) do
    records
    |> Stream.chunk_every(1000)
    |> Stream.map(&IO.iodata_to_binary(for r <- &1, do: line(r)))
  end

  defp parse_chunk(:end, ""), do: {[], ""}
  defp parse_chunk(:end, last), do: {[parse(last)], ""}

  defp parse_chunk(chunk, rest) do
    {lines, [rest]} = (rest <> chunk) |> :binary.split("\n", [:global]) |> Enum.split(-1)
    {Enum.map(lines, &parse/1), rest}
  end

  defp parse(line) do
    [
      code,
      name,
      category,
      combining_class,
      bidi_class,
      decomposition,
      decimal,
      digit,
      numeric,
      mirrored,
      old_name,
      comment,
      uppercase,
      lowercase,
      titlecase
    ] = :binary.split(line, ";", [:global])

    %Record{
      code: String.to_integer(code, 16),
      name: name,
      category: category,
      combining_class: String.to_integer(combining_class),
      bidi_class: bidi_class,
      decomposition: text(decomposition),
      decimal: integer(decimal, 10),
      digit: integer(digit, 10),
      numeric: text(numeric),
      mirrored?: mirrored == "Y",
      old_name: text(old_name),
      comment: text(comment),
      uppercase: integer(uppercase, 16),
      lowercase: integer(lowercase, 16),
      titlecase: integer(titlecase, 16)
    }
  end

  defp text(""), do: nil
  defp text(text), do: text

  defp integer("", _base), do: nil
  defp integer(text, base), do: String.to_integer(text, base)

  defp line(record) do
    [
      hexadecimal(record.code),
      [?;, record.name],
      [?;, record.category],
      [?;, Integer.to_string(record.combining_class)],
      [?;, record.bidi_class],
      [?;, record.decomposition || ""],
      [?;, decimal(record.decimal)],
      [?;, decimal(record.digit)],
      [?;, record.numeric || ""],
      if(record.mirrored?, do: ";Y", else: ";N"),
      [?;, record.old_name || ""],
      [?;, record.comment || ""],
      [?;, hexadecimal(record.uppercase)],
      [?;, hexadecimal(record.lowercase)],
      [?;, hexadecimal(record.titlecase)],
      ?\n
    ]
  end

  defp decimal(nil), do: ""
  defp decimal(integer), do: Integer.to_string(integer)

  defp hexadecimal(nil), do: ""

  defp hexadecimal(integer),
    do: integer |> Integer.to_string(16) |> String.pad_leading(4, "0")
end
