defmodule Sqlite.ProcessesTest do
  use ExUnit.Case, async: true

  setup do: {:ok, db: Sqlite.open!(":memory:")}

  # Starts a process that queries, and gives it when it waits inside an SQL function.
  # In a function that never returns.
  defp block(told) do
    send(told, :inside)
    Process.sleep(:infinity)
  end

  defp start_inside(db, sql) do
    test = self()

    wait = fn ->
      send(test, {:inside, self()})
      receive do: (:go_on -> 1)
    end

    task = Task.async(fn -> Sqlite.query!(db, sql, [], functions: [wait: wait]) end)
    Process.unlink(task.pid)
    inside = task.pid
    assert_receive {:inside, ^inside}
    task
  end

  test "two processes use one connection in turns", %{db: db} do
    first = start_inside(db, "SELECT wait()")
    test = self()

    second =
      Task.async(fn ->
        send(test, :asking)
        result = Sqlite.query!(db, "SELECT 2")
        send(test, :answered)
        result
      end)

    assert_receive :asking
    # It can't be answered before the first goes on, however long that takes: let it try.
    refute_receive :answered, 50
    send(first.pid, :go_on)
    assert [[1]] = Task.await(first).rows
    assert [[2]] = Task.await(second).rows
  end

  test "many processes write through functions, and no write is lost", %{db: db} do
    Sqlite.execute!(db, "CREATE TABLE t (n)")
    Sqlite.execute!(db, "INSERT INTO t VALUES (0)")

    1..8
    |> Enum.map(fn _ ->
      Task.async(fn ->
        for _ <- 1..200 do
          Sqlite.query!(db, "UPDATE t SET n = next(n)", [], functions: [next: &(&1 + 1)])
        end
      end)
    end)
    |> Task.await_many()

    assert [[1600]] = Sqlite.query!(db, "SELECT n FROM t").rows
  end

  test "a process killed inside a function leaves the connection to the others", %{db: db} do
    Sqlite.execute!(db, "CREATE TABLE t (x)")
    Sqlite.execute!(db, "INSERT INTO t VALUES (1), (2), (3)")

    for _ <- 1..100 do
      killed = start_inside(db, "UPDATE t SET x = x + wait()")

      others =
        for _ <- 1..3, do: Task.async(fn -> Sqlite.query!(db, "SELECT sum(x) FROM t").rows end)

      Process.exit(killed.pid, :kill)
      assert Task.await_many(others) == [[[6]], [[6]], [[6]]]
    end

    # No statement of the killed ones is left to hold the table.
    Sqlite.execute!(db, "DROP TABLE t")
    assert %{parked: 0} = Upcall.info(Sqlite.Native)
  end

  test "a process killed in a query inside a query leaves the connection too", %{db: db} do
    test = self()

    inner = fn ->
      Sqlite.query!(db, "SELECT deep()", [], functions: [deep: fn -> block(test) end])
    end

    for _ <- 1..50 do
      pid = spawn(fn -> Sqlite.query!(db, "SELECT f()", [], functions: [f: inner]) end)
      assert_receive :inside
      Process.exit(pid, :kill)
      assert [[1]] = Sqlite.query!(db, "SELECT 1").rows
    end
  end

  test "a process killed inside an aggregate or a collation, too", %{db: db} do
    test = self()
    stop = fn -> block(test) end
    words = "WITH words(w) AS (VALUES ('a'), ('b'), ('c')) "

    for {sql, options} <- [
          {"SELECT f(w) FROM words", [aggregates: [f: {"", fn _, _ -> stop.() end, & &1}]]},
          {"SELECT f(w) FROM words", [aggregates: [f: {"", &(&1 <> &2), fn _ -> stop.() end}]]},
          {"SELECT w FROM words ORDER BY w COLLATE c", [collations: [c: fn _, _ -> stop.() end]]}
        ] do
      pid = spawn(fn -> Sqlite.query!(db, words <> sql, [], options) end)
      assert_receive :inside
      Process.exit(pid, :kill)
      assert [[1]] = Sqlite.query!(db, "SELECT 1").rows
    end
  end

  test "a query that would compute for ever ends when its process is killed", %{db: db} do
    test = self()

    first = fn ->
      send(test, :computing)
      1
    end

    sql =
      "WITH RECURSIVE t(x) AS (SELECT first() UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t"

    pid = spawn(fn -> Sqlite.query!(db, sql, [], functions: [first: first]) end)
    assert_receive :computing
    Process.exit(pid, :kill)
    # Waits for its turn, which comes when the query of the dead process has ended.
    assert [[1]] = Sqlite.query!(db, "SELECT 1").rows
  end

  test "SQLite starts no threads, which could not call Elixir", %{db: db} do
    Sqlite.query!(db, "PRAGMA threads = 4")
    assert [[0]] = Sqlite.query!(db, "PRAGMA threads").rows
  end
end
