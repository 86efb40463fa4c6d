defmodule Demo do
  @moduledoc false

  alias Demo.{Queries, Report, UnicodeData}

  @default_path "/usr/share/unicode/UnicodeData.txt"
  @runs 3

  def main(arguments) do
    path = List.first(arguments) || System.get_env("UNICODE_DATA") || @default_path

    unless File.exists?(path) do
      IO.puts(:stderr, "#{path} is not there: install Debian's unicode-data, or name the file")
      IO.puts(:stderr, "make demo UNICODE_DATA=path/to/UnicodeData.txt")
      System.halt(1)
    end

    characters = UnicodeData.read!(path)
    db = open(characters, path)
    Queries.prepare(db)
    queries = Queries.all()

    checks =
      for {query, number} <- Enum.with_index(queries, 1), do: run(db, query, number, characters)

    failing = failing(db, length(queries) + 1, characters)
    refused = refused(db, length(queries) + 2)
    Sqlite.close(db)
    finish(checks ++ [failing, refused])
  end

  defp open(characters, source) do
    path = Path.join(Mix.Project.build_path(), "unicode.db")
    File.rm(path)
    db = Sqlite.open!(path)
    {time, _} = :timer.tc(fn -> UnicodeData.load!(db, characters) end)
    [[version]] = Sqlite.query!(db, "SELECT sqlite_version()").rows

    Report.title("SQLite #{version} calls functions of Elixir #{System.version()}")
    Report.line("#{source}: #{Report.number(length(characters))} characters")
    Report.line("#{Path.relative_to_cwd(path)}: written in #{Report.milliseconds(time)}")
    db
  end

  defp run(db, query, number, characters) do
    Report.heading(number, query.title)
    Report.sql(query.sql, query.params)
    ask = fn -> Sqlite.query!(db, query.sql, query.params, query.options) end
    {sqlite, result} = median_time(ask)
    {elixir, expected} = median_time(fn -> query.elixir.(characters) end)
    Report.table(result.columns, result.rows)
    Report.timing(result.upcalls, sqlite, elixir)
    tap(result.rows == expected, &Report.checked/1)
  end

  defp median_time(fun) do
    runs = for _ <- 1..@runs, do: :timer.tc(fun)
    {times, [result | _]} = Enum.unzip(runs)
    {Enum.at(Enum.sort(times), div(@runs, 2)), result}
  end

  # ---- a function that raises ----

  defmodule Tired do
    defexception [:message, :calls]
  end

  defp failing(db, number, characters) do
    sql = "UPDATE characters SET name = shout(name)"
    last = div(length(characters), 2)
    calls = :counters.new(1, [])

    Report.heading(number, "A function that raises in the middle of a statement")
    Report.sql(sql, [])

    shout = fn name ->
      :counters.add(calls, 1, 1)
      if :counters.get(calls, 1) == last, do: get_tired(last)
      name <> "!"
    end

    {error, stack_trace} =
      raised(fn -> Sqlite.execute!(db, sql, [], functions: [shout: shout]) end)

    Report.line("#{inspect(error.__struct__)}: #{Exception.message(error)}")

    for entry <- Enum.take(stack_trace, 5),
        do: Report.line("  " <> Exception.format_stacktrace_entry(entry))

    expected = for c <- characters, do: [c.code, c.name]
    rows = Sqlite.query!(db, "SELECT code, name FROM characters ORDER BY code").rows
    IO.puts("")

    Report.line(
      "the function's own error, at row #{Report.number(last)}; every name is as it was"
    )

    own? = error == %Tired{message: "no voice left", calls: last}
    tap(own? and rows == expected, &Report.checked/1)
  end

  # ---- what SQLite refuses ----

  defp refused(db, number) do
    Report.heading(number, "What SQLite refuses")
    IO.puts("")

    mistakes = [
      {fn -> Sqlite.open!("/no/such/folder/unicode.db") end,
       "unable to open database file: /no/such/folder/unicode.db"},
      {fn -> Sqlite.query!(db, "SELECT name, FROM characters") end,
       "near \"FROM\": syntax error (at byte 13 of the SQL text)"},
      {fn -> Sqlite.query!(db, "SELECT median_of(code) FROM characters") end,
       "no such function: median_of (at byte 7 of the SQL text)"}
    ]

    errors = for {mistake, _} <- mistakes, do: mistake |> raised() |> elem(0)

    for error <- errors,
        do: Report.line("#{inspect(error.__struct__)}: #{Exception.message(error)}")

    tap(Enum.map(errors, & &1.message) == Enum.map(mistakes, &elem(&1, 1)), &Report.checked/1)
  end

  defp raised(fun) do
    fun.()
    {%RuntimeError{message: "nothing was raised"}, []}
  rescue
    error -> {error, __STACKTRACE__}
  end

  defp get_tired(calls), do: raise(Tired, message: "no voice left", calls: calls)

  defp finish(checks) do
    IO.puts("")

    if Enum.all?(checks) do
      Report.title("#{length(checks)} of #{length(checks)} results are what they should be")
    else
      Report.title("#{Enum.count(checks, &not/1)} of #{length(checks)} results are wrong")
      System.halt(1)
    end
  end
end
