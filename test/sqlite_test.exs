defmodule UpcallTest.Sqlite do
  use Upcall.Nif, otp_app: :upcall, path: UpcallTest.Native.path("sqlite_nif")

  defnif open(path)
  defnif query(connection, sql, f)
  defnif open_statements(connection)
end

defmodule UpcallTest.SqliteTest do
  use ExUnit.Case

  alias UpcallTest.Sqlite
  alias UpcallTest.Wait

  @moduletag :tmp_dir
  @rows 20

  setup %{tmp_dir: directory} do
    connection = Sqlite.open(Path.join(directory, "test.db"))

    for sql <- ["PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF"],
        do: run(connection, sql)

    run(connection, "CREATE TABLE numbers (x INTEGER)")

    run(
      connection,
      "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < #{@rows}) INSERT INTO numbers SELECT x FROM n"
    )

    {:ok, connection: connection}
  end

  test "SQL calls Elixir", %{connection: connection} do
    assert run(connection, "SELECT f(x) FROM numbers", &(&1 * &1)) ==
             Enum.map(1..@rows, &(&1 * &1))
  end

  test "a function may query the connection that calls it", %{connection: connection} do
    total = fn x ->
      [sum] = run(connection, "SELECT sum(f(x)) FROM numbers WHERE x <= #{x}", &(2 * &1))
      sum
    end

    assert run(connection, "SELECT f(x) FROM numbers", total) ==
             Enum.map(1..@rows, &(&1 * (&1 + 1)))
  end

  test "what a function raises comes out, and the statement is finalized", %{
    connection: connection
  } do
    assert_raise KeyError, fn ->
      run(connection, "SELECT f(x) FROM numbers", &Map.fetch!(%{1 => 1}, &1))
    end

    assert_usable(connection)
  end

  test "errors of SQLite's are its own words", %{connection: connection, tmp_dir: directory} do
    assert_raise RuntimeError, "no such table: nowhere", fn ->
      run(connection, "SELECT x FROM nowhere")
    end

    assert_raise RuntimeError, "unable to open database file", fn -> Sqlite.open(directory) end
    assert_usable(connection)
  end

  # Others wait for the connection meanwhile, so that each kill passes it on.
  test "a kill inside a function leaves the connection usable", %{connection: connection} do
    kills = if UpcallTest.Machine.sanitized?(), do: 400, else: 2_000
    workers = for add <- 1..4, do: Task.async(fn -> query_until_told(connection, add, 0) end)

    statements = [
      "SELECT f(x) FROM numbers",
      "SELECT x FROM numbers ORDER BY f(x)",
      "INSERT INTO numbers SELECT f(x) FROM numbers",
      "UPDATE numbers SET x = f(x)",
      "DELETE FROM numbers WHERE f(x)"
    ]

    statements
    |> Stream.cycle()
    |> Stream.zip(1..kills)
    |> Stream.chunk_every(50)
    |> Enum.each(fn chunk ->
      victims = for {sql, number} <- chunk, do: spawn_victim(connection, sql, rem(number, 3))

      for _ <- victims do
        assert_receive {:inside, victim}, 10_000
        Process.exit(victim, :kill)
      end
    end)

    for worker <- workers, do: send(worker.pid, :stop)
    assert Enum.all?(Task.await_many(workers, 20_000), &(&1 > 0))

    Wait.until_no_frames(Sqlite)
    assert_usable(connection)
  end

  # Hangs in the function of its third row, or in that of a query which that function makes.
  defp spawn_victim(connection, sql, nesting) do
    test = self()

    spawn(fn ->
      run(connection, sql, fn
        3 -> hang(connection, test, nesting)
        x -> x
      end)
    end)
  end

  defp hang(_connection, test, 0) do
    send(test, {:inside, self()})
    Process.sleep(:infinity)
  end

  defp hang(connection, test, nesting) do
    run(connection, "SELECT f(x) FROM numbers", fn _ -> hang(connection, test, nesting - 1) end)
  end

  defp query_until_told(connection, add, done) do
    receive do
      :stop -> done
    after
      0 ->
        expected = Enum.map(1..@rows, &(&1 + add))
        ^expected = run(connection, "SELECT f(x) FROM numbers ORDER BY x", &(&1 + add))
        query_until_told(connection, add, done + 1)
    end
  end

  defp assert_usable(connection) do
    assert Sqlite.open_statements(connection) == 0
    ok = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"
    assert run(connection, ok) == [1]
    assert run(connection, "SELECT x FROM numbers ORDER BY x") == Enum.to_list(1..@rows)
  end

  defp run(connection, sql, f \\ & &1), do: Sqlite.query(connection, sql, f)
end
