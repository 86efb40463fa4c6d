defmodule Demo.Report do
  @moduledoc false
  # What the demo prints, in 100 columns.

  @width 100
  @indent "   "
  @rows_shown 6

  def title(text), do: print([:bright, text, :reset])
  def heading(number, text), do: print(["\n", :bright, :cyan, "#{number}. ", text, :reset])

  def line(text), do: IO.puts([@indent, cut(text, @width - String.length(@indent))])

  def sql(sql, params) do
    IO.puts("")

    for line <- String.split(sql, "\n"),
        do: print([:faint, @indent, cut(line, @width - 3), :reset])

    for param <- params, do: print([:faint, @indent, "? = ", param, :reset])
    IO.puts("")
  end

  def table(columns, rows) do
    shown = for row <- Enum.take(rows, @rows_shown), do: Enum.map(row, &cell/1)
    widths = [columns | shown] |> Enum.zip_with(&longest/1) |> shrink()
    print([:underline, @indent, row(columns, widths), :reset])
    for cells <- shown, do: line(row(cells, widths))
    hidden = length(rows) - length(shown)
    if hidden > 0, do: line("and #{number(hidden)} rows more")
  end

  def timing(upcalls, sqlite, elixir) do
    IO.puts("")

    line(
      "#{number(upcalls)} upcalls in #{milliseconds(sqlite)}: #{each(sqlite, upcalls)} each, with all " <>
        "that SQLite and the function do"
    )

    line("the same in plain Elixir, without a database: #{milliseconds(elixir)}")
  end

  def checked(true), do: print([@indent, :green, "checked: equal", :reset])
  def checked(false), do: print([@indent, :red, "checked: NOT EQUAL", :reset])

  def number(integer) do
    integer |> Integer.to_string() |> String.replace(~r/\B(?=(\d{3})+\z)/, ",")
  end

  def milliseconds(microseconds), do: "#{Float.round(microseconds / 1000, 1)} ms"

  defp each(_microseconds, 0), do: "-"
  defp each(microseconds, count), do: "#{Float.round(microseconds / count, 2)} µs"

  defp print(chardata), do: chardata |> IO.ANSI.format() |> IO.puts()

  defp longest(cells), do: cells |> Enum.map(&String.length/1) |> Enum.max()

  defp shrink(widths) do
    if Enum.sum(widths) + 2 * length(widths) <= @width - String.length(@indent) do
      widths
    else
      widest = Enum.max(widths)
      widths |> List.update_at(Enum.find_index(widths, &(&1 == widest)), &(&1 - 1)) |> shrink()
    end
  end

  defp row(cells, widths) do
    cells
    |> Enum.zip_with(widths, &(&1 |> cut(&2) |> String.pad_trailing(&2)))
    |> Enum.join("  ")
    |> String.trim_trailing()
  end

  defp cell(nil), do: "NULL"
  defp cell(value), do: to_string(value)

  defp cut(text, width) do
    if String.length(text) <= width, do: text, else: String.slice(text, 0, width - 1) <> "…"
  end
end
