defmodule Bench.Report do
  @moduledoc false
  # Turns what was measured into rows, tables and JSON.

  alias Bench.{Contender, Machine, Part, Ratio, Statistics}

  @type object :: [{atom(), term()}]

  @doc """
  Makes a row of each contender; those of a growth say what grows.
  """
  @spec rows(String.t(), String.t(), Part.setting(), [Contender.t()], [Statistics.t()]) :: [
          object()
        ]
  def rows(question, title, setting, contenders, statistics) do
    axis = if setting.axis, do: [title: title, axis: setting.axis], else: []

    for {%{name: name, about: about, input: input}, statistics} <-
          Enum.zip(contenders, statistics) do
      [question: question] ++
        axis ++
        [contender: name, about: about, input: input, flags: Machine.flags(), unit: setting.unit] ++
        figures(statistics, [:median, :p99, :mean, :deviation, :runs]) ++ [checked: true]
    end
  end

  @spec ratios(String.t(), [Ratio.t()], [Ratio.prices()]) :: [object()]
  def ratios(question, ratios, repetitions) do
    for %Ratio{} = ratio <- ratios do
      statistics = Statistics.of(Enum.map(repetitions, ratio.of))

      [question: question, name: ratio.name, input: ratio.input, flags: Machine.flags()] ++
        [unit: ratio.unit] ++
        figures(statistics, [:median, :runs]) ++
        [at_most: ratio.at_most, reached: statistics.median <= ratio.at_most]
    end
  end

  defp figures(statistics, keys), do: Enum.map(keys, &{&1, Map.fetch!(statistics, &1)})

  @spec heading(object(), object()) :: iodata()
  def heading(machine, versions) do
    for {name, value} <- machine ++ versions, do: [cell(name, 12), to_string(value), ?\n]
  end

  @spec table([Contender.t()], [object()]) :: iodata()
  def table(contenders, rows) do
    [
      line(["contender", "input", "median", "mean", "p99", "runs"]),
      for(row <- rows, do: line(row_cells(row))),
      legend(contenders)
    ]
  end

  @doc """
  Says what each contender is.
  """
  @spec legend([Contender.t()]) :: iodata()
  def legend(contenders) do
    said = contenders |> Enum.map(&{&1.name, &1.about}) |> Enum.uniq()
    [?\n, for({name, about} <- said, do: ["  ", cell(name, 20), about, ?\n])]
  end

  @spec ratio_table([object()]) :: iodata()
  def ratio_table([]), do: []

  def ratio_table(ratios) do
    [
      ?\n,
      line(["ratio within a repetition", "input", "median", "at most", "", ""]),
      for(ratio <- ratios, do: line(ratio_cells(ratio)))
    ]
  end

  defp row_cells(row) do
    prices = for key <- [:median, :mean, :p99], do: price(row[key], row[:unit])
    [row[:contender], row[:input]] ++ prices ++ [row[:runs]]
  end

  defp ratio_cells(ratio) do
    [
      ratio[:name],
      ratio[:input],
      price(ratio[:median], ratio[:unit]),
      price(ratio[:at_most], ratio[:unit]),
      if(ratio[:reached], do: "reached", else: "missed"),
      ""
    ]
  end

  @spec price(number(), String.t()) :: String.t()
  def price(value, unit), do: "#{:erlang.float_to_binary(value / 1, decimals: 2)} #{unit}"

  defp line([name | values]) do
    text = [cell(name, 32) | Enum.map(values, &String.pad_leading(to_string(&1), 13))]
    [text |> IO.iodata_to_binary() |> String.trim_trailing(), ?\n]
  end

  defp cell(value, width), do: String.pad_trailing(to_string(value), width)

  @doc """
  Encodes what the benchmarks report; an object is a keyword list, which keeps its order.
  """
  @spec json(term()) :: iodata()
  def json([]), do: "[]"

  def json([{_, _} | _] = object) do
    members = for {key, value} <- object, do: [json(to_string(key)), ": ", json(value)]
    [?{, Enum.intersperse(members, ", "), ?}]
  end

  def json(list) when is_list(list),
    do: ["[\n  ", list |> Enum.map(&json/1) |> Enum.intersperse(",\n  "), "\n]"]

  def json(value) when is_float(value), do: :erlang.float_to_binary(value, decimals: 3)
  def json(value) when is_integer(value) or is_boolean(value), do: to_string(value)

  def json(value) when is_binary(value) do
    escaped =
      for <<char::utf8 <- value>>, into: "" do
        if char in [?", ?\\] or char < 32, do: escape(char), else: <<char::utf8>>
      end

    [?", escaped, ?"]
  end

  defp escape(char), do: "\\u" <> String.pad_leading(Integer.to_string(char, 16), 4, "0")
end
