defmodule Demo.Report do
  @moduledoc false
  # What the demo prints.

  @indent "   "

  def title(text), do: print([:bright, text, :reset])
  def heading(number, text), do: print(["\n", :bright, :cyan, "#{number}. ", text, :reset, "\n"])
  def line(text), do: IO.puts([@indent, text])

  def code(text) do
    for line <- String.split(text, "\n", trim: true), do: print([:faint, @indent, line, :reset])
    IO.puts("")
  end

  def table(columns, rows) do
    rows = for row <- rows, do: Enum.map(row, &to_string/1)

    widths =
      [columns | rows] |> Enum.zip_with(&Enum.max(Enum.map(&1, fn c -> String.length(c) end)))

    print([:underline, @indent, row(columns, widths), :reset])
    for cells <- rows, do: line(row(cells, widths))
  end

  def checked(true), do: print([@indent, :green, "checked: equal", :reset])
  def checked(false), do: print([@indent, :red, "checked: NOT EQUAL", :reset])

  def number(integer) do
    integer |> Integer.to_string() |> String.replace(~r/\B(?=(\d{3})+\z)/, ",")
  end

  def megabytes(bytes), do: "#{:erlang.float_to_binary(bytes / 1_000_000, decimals: 1)} MB"

  defp print(chardata), do: chardata |> IO.ANSI.format() |> IO.puts()

  defp row(cells, widths) do
    cells
    |> Enum.zip_with(widths, &String.pad_trailing/2)
    |> Enum.join("  ")
    |> String.trim_trailing()
  end
end
