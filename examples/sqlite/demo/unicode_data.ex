defmodule Demo.UnicodeData do
  @moduledoc false
  # The Unicode Character Database: one character a line, 15 fields
  # (https://www.unicode.org/reports/tr44/#UnicodeData.txt).

  @fields ~w(code name category combining bidi decomposition decimal digit numeric mirrored
             old_name comment upper lower title)a
  @integers ~w(code combining upper lower title)a

  @doc "Reads the file into maps with the fields' names as keys."
  def read!(path) do
    for line <- File.stream!(path), do: line |> String.trim_trailing("\n") |> parse()
  end

  @doc "Writes them to a table of the database, with a column a field."
  def load!(db, characters) do
    columns = Enum.map_join(@fields, ", ", &column/1)
    places = Enum.map_join(@fields, ", ", fn _ -> "?" end)
    Sqlite.execute!(db, "CREATE TABLE characters (#{columns})")
    Sqlite.query!(db, "BEGIN")

    for character <- characters do
      values = Enum.map(@fields, &Map.fetch!(character, &1))
      Sqlite.query!(db, "INSERT INTO characters VALUES (#{places})", values)
    end

    Sqlite.execute!(db, "COMMIT")
  end

  defp column(:code), do: "code INTEGER PRIMARY KEY"
  defp column(field) when field in @integers, do: "#{field} INTEGER"
  defp column(field), do: "#{field} TEXT"

  defp parse(line) do
    @fields |> Enum.zip(String.split(line, ";")) |> Map.new(&value/1)
  end

  defp value({field, ""}), do: {field, nil}
  defp value({:combining, text}), do: {:combining, String.to_integer(text)}
  defp value({field, text}) when field in @integers, do: {field, String.to_integer(text, 16)}
  defp value(field_and_text), do: field_and_text
end
