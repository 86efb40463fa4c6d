defmodule Demo.Queries do
  @moduledoc false
  # What the demo asks, and the same computed in plain Elixir.

  def all, do: [price(), regexp(), normalisation(), median(), natural_order(), nested()]

  @doc "What is registered once, for the connection."
  def prepare(db) do
    Sqlite.create_function(db, :regexp, &matches?/2)
    Sqlite.create_function(db, :name_of, &name_of(db, &1))
  end

  # ---- a function ----

  defp price do
    %{
      title: "The price: a function that does nothing",
      sql: "SELECT sum(same(code)) AS sum FROM characters",
      params: [],
      options: [functions: [same: fn code -> code end]],
      elixir: fn characters -> [[characters |> Enum.map(& &1.code) |> Enum.sum()]] end
    }
  end

  @repeated_word ~S"\b(\w{4,})\b.*\b\1\b"

  defp regexp do
    %{
      title: "A regular expression: names that use a word twice",
      sql: """
      SELECT printf('U+%04X', code) AS character, name FROM characters
      WHERE name REGEXP ? ORDER BY code\
      """,
      params: [@repeated_word],
      options: [],
      elixir: fn characters ->
        for c <- characters, matches?(@repeated_word, c.name), do: [u_plus(c.code), c.name]
      end
    }
  end

  defp u_plus(code), do: "U+" <> (code |> Integer.to_string(16) |> String.pad_leading(4, "0"))

  # `x REGEXP y` calls regexp(y, x). It runs in the process that called query!, so that process's
  # dictionary will do to remember the compiled expression.
  defp matches?(pattern, text) do
    regex =
      Process.get({__MODULE__, pattern}) ||
        tap(Regex.compile!(pattern), &Process.put({__MODULE__, pattern}, &1))

    Regex.match?(regex, text)
  end

  # ---- a function and an aggregate ----

  defp normalisation do
    %{
      title: "A normalisation: which letter has the most other forms",
      sql: """
      SELECT nfkc(char(code)) AS plain, count(*) AS forms, text(code) AS "all of them"
      FROM characters WHERE category <> 'Cs' GROUP BY plain HAVING plain GLOB '[A-Za-z]'
      ORDER BY forms DESC, plain\
      """,
      params: [],
      options: [
        functions: [nfkc: &String.normalize(&1, :nfkc)],
        aggregates: [text: {[], fn code, codes -> [code | codes] end, &sorted_text/1}]
      ],
      elixir: fn characters ->
        characters
        |> Enum.reject(&(&1.category == "Cs"))
        |> Enum.group_by(&String.normalize(<<&1.code::utf8>>, :nfkc), & &1.code)
        |> Enum.filter(fn {plain, _} -> plain =~ ~r/\A[A-Za-z]\z/ end)
        |> Enum.map(fn {plain, codes} -> [plain, length(codes), sorted_text(codes)] end)
        |> Enum.sort_by(fn [plain, forms, _] -> {-forms, plain} end)
      end
    }
  end

  defp sorted_text(codes), do: codes |> Enum.sort() |> List.to_string()

  # ---- an aggregate ----

  defp median do
    %{
      title: "An aggregate: the median length of a name, by category",
      sql: """
      SELECT category, count(*) AS characters, median_of(length(name)) AS median,
             max(length(name)) AS longest
      FROM characters GROUP BY category ORDER BY characters DESC, category\
      """,
      params: [],
      options: [
        # Newer builds of SQLite have a `median` of their own.
        aggregates: [median_of: {[], fn length, lengths -> [length | lengths] end, &median/1}]
      ],
      elixir: fn characters ->
        characters
        |> Enum.group_by(& &1.category, &String.length(&1.name))
        |> Enum.map(fn {category, lengths} ->
          [category, length(lengths), median(lengths), Enum.max(lengths)]
        end)
        |> Enum.sort_by(fn [category, count | _] -> {-count, category} end)
      end
    }
  end

  defp median([]), do: nil

  defp median(numbers) do
    count = length(numbers)
    [low, high] = numbers |> Enum.sort() |> Enum.slice(div(count - 1, 2)..div(count, 2)) |> pair()
    (low + high) / 2
  end

  defp pair([one]), do: [one, one]
  defp pair(two), do: two

  # ---- a collation ----

  defp natural_order do
    %{
      title: "A collation: natural order, in which 2 comes before 10",
      sql: """
      SELECT name, row_number() OVER (ORDER BY name) AS "place by bytes"
      FROM characters WHERE name GLOB 'VARIATION SELECTOR-*' ORDER BY name COLLATE by_numbers\
      """,
      params: [],
      options: [collations: [by_numbers: &compare_naturally/2]],
      elixir: fn characters ->
        names =
          for %{name: name} <- characters,
              String.starts_with?(name, "VARIATION SELECTOR-"),
              do: name

        places = names |> Enum.sort() |> Enum.with_index(1) |> Map.new()

        names
        |> Enum.sort(fn left, right -> compare_naturally(left, right) != :gt end)
        |> Enum.map(&[&1, places[&1]])
      end
    }
  end

  defp compare_naturally(left, right) do
    case {natural_key(left), natural_key(right)} do
      {same, same} -> :eq
      {left, right} when left < right -> :lt
      _ -> :gt
    end
  end

  # Names are in ASCII. In term order an integer is smaller than a string, as in text a digit is
  # smaller than a letter.
  defp natural_key(name) do
    for part <- Regex.split(~r/[0-9]+/, name, include_captures: true, trim: true) do
      case Integer.parse(part) do
        {number, ""} -> number
        _ -> part
      end
    end
  end

  # ---- a function that queries ----

  defp nested do
    %{
      title: "A query inside a function: capital letters that are not named after the small one",
      sql: """
      SELECT char(code) AS small, name, char(upper) AS capital, name_of(upper) AS "its name"
      FROM characters WHERE upper IS NOT NULL AND name_of(upper) <> replace(name, 'SMALL', 'CAPITAL')
      ORDER BY code\
      """,
      params: [],
      options: [],
      elixir: fn characters ->
        names = Map.new(characters, &{&1.code, &1.name})

        for %{upper: upper} = c when upper != nil <- characters,
            name = names[upper],
            name != String.replace(c.name, "SMALL", "CAPITAL") do
          [<<c.code::utf8>>, c.name, <<upper::utf8>>, name]
        end
      end
    }
  end

  defp name_of(db, code) do
    Sqlite.query!(db, "SELECT name FROM characters WHERE code = ?", [code]).rows
    |> List.flatten()
    |> List.first()
  end
end
