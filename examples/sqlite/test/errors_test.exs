defmodule Sqlite.ErrorsTest do
  use ExUnit.Case, async: true

  setup do: {:ok, db: Sqlite.open!(":memory:")}

  defp error(exception, fun), do: assert_raise(exception, fun)

  test "a path that can't be opened" do
    error = error(Sqlite.Error, fn -> Sqlite.open!("/no/such/folder/x.db") end)
    assert error.message == "unable to open database file: /no/such/folder/x.db"
    assert error.code == 14
    assert error(Sqlite.Error, fn -> Sqlite.open!(__ENV__.file) end).message =~ "not a database"
    assert_raise ArgumentError, ~r/zero byte/, fn -> Sqlite.open!("a\0b") end
  end

  test "broken SQL, with its place", %{db: db} do
    error = error(Sqlite.Error, fn -> Sqlite.query!(db, "SELECT 1 FORM t") end)
    assert error.message == ~S|near "t": syntax error (at byte 14 of the SQL text)|
    assert error.code == 1

    error = error(Sqlite.Error, fn -> Sqlite.query!(db, "SELECT nope(1)") end)
    assert error.message == "no such function: nope (at byte 7 of the SQL text)"
  end

  test "a number of parameters that is not the statement's", %{db: db} do
    for params <- [[], [1], [1, 2, 3]] do
      error = error(ArgumentError, fn -> Sqlite.query!(db, "SELECT ?, ?", params) end)
      assert error.message == "the statement takes 2 parameters, got: #{length(params)}"
    end
  end

  test "no statement, or more than one", %{db: db} do
    for sql <- ["", "  ", "-- nothing", "SELECT 1; SELECT 2", "SELECT 1\0SELECT 2"] do
      assert_raise ArgumentError, fn -> Sqlite.query!(db, sql) end
    end

    assert [[1]] = Sqlite.query!(db, "SELECT 1 ; \n").rows
  end

  test "a constraint, with SQLite's extended code", %{db: db} do
    Sqlite.execute!(db, "CREATE TABLE t (x UNIQUE)")
    error = error(Sqlite.Error, fn -> Sqlite.execute!(db, "INSERT INTO t VALUES (1), (1)") end)
    assert %{code: 2067, message: "UNIQUE constraint failed: t.x"} = error
  end

  test "a function that raises in the middle: the error is its own, the database goes on", %{
    db: db
  } do
    Sqlite.execute!(db, "CREATE TABLE t (x)")
    Sqlite.execute!(db, "INSERT INTO t VALUES (1), (2), (3), (4)")
    Sqlite.create_function(db, "boom", &boom/1)

    for sql <- ["SELECT boom(x) FROM t", "UPDATE t SET x = boom(x)"] do
      try do
        Sqlite.query!(db, sql)
        flunk("nothing was raised")
      rescue
        error in KeyError ->
          assert error == %KeyError{key: 3, term: %{}}
          modules = Enum.map(__STACKTRACE__, &{elem(&1, 0), elem(&1, 1)})
          assert {__MODULE__, :boom} in modules
          assert {Sqlite.Native, :query} in modules
      end
    end

    assert [[1], [2], [3], [4]] = Sqlite.query!(db, "SELECT x FROM t").rows
    # Refused while a statement still reads the table.
    Sqlite.execute!(db, "DROP TABLE t")
  end

  defp boom(3), do: raise(%KeyError{key: 3, term: %{}})
  defp boom(x), do: x

  test "a function that throws or exits", %{db: db} do
    assert catch_throw(
             Sqlite.query!(db, "SELECT f()", [], functions: [f: fn -> throw(:ball) end])
           ) ==
             :ball

    assert catch_exit(Sqlite.query!(db, "SELECT f()", [], functions: [f: fn -> exit(:done) end])) ==
             :done
  end

  test "a function that rescues what a query inside it raises", %{db: db} do
    safe = fn ->
      try do
        Sqlite.query!(db, "SELECT boom()", [], functions: [boom: fn -> raise "inner" end])
      rescue
        error in RuntimeError -> error.message
      end
    end

    assert [["inner", 1]] =
             Sqlite.query!(db, "SELECT safe(), 1", [], functions: [safe: safe]).rows
  end

  test "a function that gives no SQL value", %{db: db} do
    assert_raise ArgumentError, ~r/expected an SQL value .* got: :atom/, fn ->
      Sqlite.query!(db, "SELECT f()", [], functions: [f: fn -> :atom end])
    end
  end

  test "a closed connection, and one that is closed too early", %{db: db} do
    Sqlite.create_function(db, "close", fn -> Sqlite.close(db) end)
    assert %{code: 5} = error(Sqlite.Error, fn -> Sqlite.query!(db, "SELECT close()") end)
    assert Sqlite.close(db) == :ok

    for use <- [
          &Sqlite.close/1,
          &Sqlite.query!(&1, "SELECT 1"),
          &Sqlite.create_function(&1, :f, fn -> 1 end)
        ] do
      assert_raise ArgumentError, "the connection is closed", fn -> use.(db) end
    end
  end

  # LIKE recurses once for each wildcard.
  test "SQL that recurses as deep as SQLite allows", %{db: db} do
    pattern = String.duplicate("%a", 24_000)

    assert [[1]] =
             Sqlite.query!(db, "SELECT ? LIKE ?", [String.duplicate("a", 30_000), pattern]).rows

    union = Enum.map_join(1..500, " UNION ", &"SELECT #{&1} AS x")
    assert length(Sqlite.query!(db, union <> " ORDER BY x").rows) == 500
  end
end
