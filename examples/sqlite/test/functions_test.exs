defmodule Sqlite.FunctionsTest do
  use ExUnit.Case, async: true

  setup do
    db = Sqlite.open!(":memory:")
    on_exit(fn -> Sqlite.close(db) end)
    {:ok, db: db}
  end

  @to_ten "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 10) "

  describe "a function" do
    test "given with a query exists for that query only", %{db: db} do
      sql = "SELECT Slug('a b')"
      slug = &String.replace(&1, " ", "-")
      assert %{rows: [["a-b"]], upcalls: 1} = Sqlite.query!(db, sql, [], functions: [slug: slug])
      assert [["a-b"]] = Sqlite.query!(db, sql, [], functions: [{"SLUG", slug}]).rows
      assert_raise Sqlite.Error, ~r/no such function: Slug/, fn -> Sqlite.query!(db, sql) end
    end

    test "registered once exists for every query, in any process", %{db: db} do
      factor = 3
      Sqlite.create_function(db, "times", &(&1 * factor))
      assert [[6]] = Sqlite.query!(db, "SELECT times(2)").rows

      assert [[12]] = Task.await(Task.async(fn -> Sqlite.query!(db, "SELECT times(4)").rows end))

      Sqlite.create_function(db, "times", &(&1 * 10))
      assert [[20]] = Sqlite.query!(db, "SELECT times(2)").rows
    end

    test "is told apart by its number of arguments", %{db: db} do
      functions = [f: fn -> 0 end, f: fn a -> a end, f: fn a, b, c -> a + b + c end]

      assert [[0, 5, 6]] =
               Sqlite.query!(db, "SELECT f(), f(5), f(1, 2, 3)", [], functions: functions).rows
    end

    test "runs in the process that queries, with its process dictionary", %{db: db} do
      Process.put(:seen, [])
      remember = fn x -> Process.put(:seen, [{self(), x} | Process.get(:seen)]) && x end
      Sqlite.query!(db, @to_ten <> "SELECT f(x) FROM t", [], functions: [f: remember])
      assert Process.get(:seen) == for(x <- 10..1//-1, do: {self(), x})
    end

    test "may query the same connection", %{db: db} do
      Sqlite.create_function(db, "down", fn n ->
        if n == 0, do: 0, else: hd(hd(Sqlite.query!(db, "SELECT 1 + down(?)", [n - 1]).rows))
      end)

      assert [[200]] = Sqlite.query!(db, "SELECT down(200)").rows
    end

    test "of a query can't be called by a query inside it", %{db: db} do
      functions = [outside: fn -> Sqlite.query!(db, "SELECT within()") end, within: fn -> 1 end]

      assert_raise RuntimeError, ~r/belongs to another native call/, fn ->
        Sqlite.query!(db, "SELECT outside()", [], functions: functions)
      end
    end

    test "may be given again and again by queries inside a query", %{db: db} do
      inner = fn x ->
        [[y]] = Sqlite.query!(db, "SELECT g(?)", [x], functions: [g: &(&1 * &1)]).rows
        y
      end

      assert [[385]] =
               Sqlite.query!(db, @to_ten <> "SELECT sum(f(x)) FROM t", [], functions: [f: inner]).rows

      assert_raise Sqlite.Error, ~r/no such function: g/, fn ->
        Sqlite.query!(db, "SELECT g(1)")
      end
    end

    test "is not taken for another by mistake", %{db: db} do
      # SQLite would not have its own function back.
      assert_raise ArgumentError, ~r/upper is SQLite's own/, fn ->
        Sqlite.query!(db, "SELECT upper('a')", [], functions: [upper: & &1])
      end

      assert [["A"]] = Sqlite.query!(db, "SELECT upper('a')").rows
      Sqlite.create_function(db, "f", & &1)

      assert_raise ArgumentError, ~r/the name f is taken/, fn ->
        Sqlite.query!(db, "SELECT f(1)", [], functions: [f: &(&1 + 1)])
      end

      assert_raise ArgumentError, ~r/both a function and an aggregate/, fn ->
        Sqlite.query!(db, "SELECT f(1)", [], aggregates: [f: {0, &(&1 + &2), & &1}])
      end

      assert [[1]] = Sqlite.query!(db, "SELECT f(1)").rows
    end

    test "can't be replaced while a query runs", %{db: db} do
      Sqlite.create_function(db, "f", fn -> Sqlite.create_function(db, "f", fn -> 2 end) end)
      assert_raise ArgumentError, ~r/taken/, fn -> Sqlite.query!(db, "SELECT f()") end
    end
  end

  describe "an aggregate" do
    setup do
      list = {[], fn x, all -> [x | all] end, &inspect(Enum.reverse(&1))}
      {:ok, aggregates: [list: list]}
    end

    test "keeps any term from row to row, for each group", %{db: db, aggregates: aggregates} do
      sql = @to_ten <> "SELECT x % 3, list(x), list(-x) FROM t GROUP BY 1"
      result = Sqlite.query!(db, sql, [], aggregates: aggregates)

      assert [
               [0, "[3, 6, 9]", "[-3, -6, -9]"],
               [1, "[1, 4, 7, 10]", "[-1, -4, -7, -10]"],
               [2, "[2, 5, 8]", "[-2, -5, -8]"]
             ] = result.rows

      assert result.upcalls == 26
    end

    test "of no rows is finished from the initial state", %{db: db, aggregates: aggregates} do
      sql = @to_ten <> "SELECT list(x) FROM t WHERE x > 10"
      assert [["[]"]] = Sqlite.query!(db, sql, [], aggregates: aggregates).rows
    end

    test "registered once serves every query; it may take several arguments", %{db: db} do
      Sqlite.create_aggregate(db, "dot", 0, fn a, b, sum -> sum + a * b end, & &1)

      for _ <- 1..3 do
        assert [[385]] = Sqlite.query!(db, @to_ten <> "SELECT dot(x, x) FROM t").rows
      end
    end

    test "that raises is not finished", %{db: db} do
      step = fn x, _ -> if x == 5, do: raise("five"), else: x end

      finish = fn state ->
        send(self(), {:finished, state})
        state
      end

      for group <- ["", " GROUP BY x % 2", " GROUP BY x > 3"] do
        assert_raise RuntimeError, "five", fn ->
          Sqlite.query!(db, @to_ten <> "SELECT f(x) FROM t" <> group, [],
            aggregates: [f: {0, step, finish}]
          )
        end
      end

      # The group with the 5 never is; the one before it was, where SQLite had come to its end.
      refute_received {:finished, 4}

      assert_raise RuntimeError, "end", fn ->
        Sqlite.query!(db, @to_ten <> "SELECT f(x) FROM t", [],
          aggregates: [f: {0, &(&1 + &2), fn _ -> raise "end" end}]
        )
      end
    end

    test "copies no state: a list of 100,000 elements grows in linear time", %{db: db} do
      sql = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 100000) "
      count = {[], fn x, all -> [x | all] end, &length/1}

      assert [[100_000]] =
               Sqlite.query!(db, sql <> "SELECT n(x) FROM t", [], aggregates: [n: count]).rows
    end
  end

  describe "a collation" do
    @words "WITH words(w) AS (VALUES ('ccc'), ('a'), ('bb'), ('dddd')) "

    test "given with a query, or registered once, orders and compares", %{db: db} do
      sql =
        @words <> "SELECT w, w = 'xx' COLLATE by_length FROM words ORDER BY w COLLATE by_length"

      expected = [["a", 0], ["bb", 1], ["ccc", 0], ["dddd", 0]]
      assert Sqlite.query!(db, sql, [], collations: [by_length: &by_length/2]).rows == expected
      assert_raise Sqlite.Error, ~r/no such collation/, fn -> Sqlite.query!(db, sql) end
      Sqlite.create_collation(db, :by_length, &by_length/2)
      assert Sqlite.query!(db, sql).rows == expected
    end

    test "that contradicts itself gives all rows, in some order", %{db: db} do
      sql =
        "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 5000) " <>
          "SELECT CAST(x AS TEXT) AS s FROM t ORDER BY s COLLATE mad"

      for compare <- [fn _, _ -> Enum.random([:lt, :gt, :eq]) end, fn _, _ -> :lt end] do
        rows = Sqlite.query!(db, sql, [], collations: [mad: compare]).rows
        assert Enum.sort(rows) == Enum.sort(for x <- 1..5000, do: [Integer.to_string(x)])
      end
    end

    test "that raises ends the query; so does one that gives nonsense", %{db: db} do
      sql = @words <> "SELECT w FROM words ORDER BY w COLLATE bad"

      assert_raise RuntimeError, "bad", fn ->
        Sqlite.query!(db, sql, [], collations: [bad: fn _, _ -> raise "bad" end])
      end

      assert_raise ArgumentError, ~r/one of :lt, :eq, :gt .*got: -1/, fn ->
        Sqlite.query!(db, sql, [], collations: [bad: fn _, _ -> -1 end])
      end
    end

    test "can't use the connection that compares", %{db: db} do
      compare = fn _, _ -> Sqlite.query!(db, "SELECT 1") end

      assert_raise ArgumentError, ~r/^the function of a collation can't use the connection/, fn ->
        Sqlite.query!(db, @words <> "SELECT w FROM words ORDER BY w COLLATE c", [],
          collations: [c: compare]
        )
      end

      assert [[1]] = Sqlite.query!(db, "SELECT 1").rows
    end

    # SQLite can't be told that a comparison failed: it takes the words for equal and goes on.
    test "that raises while an index is written leaves nothing of what was written", %{db: db} do
      Sqlite.create_collation(db, "picky", fn a, b ->
        if "bad" in [a, b], do: raise("picky")
        by_length(a, b)
      end)

      Sqlite.execute!(db, "CREATE TABLE t (w TEXT COLLATE picky)")
      Sqlite.execute!(db, "CREATE INDEX i ON t (w)")
      Sqlite.execute!(db, "INSERT INTO t VALUES ('a'), ('four'), ('seventh')")
      insert = fn -> Sqlite.execute!(db, "INSERT INTO t VALUES ('bad')") end

      assert_raise RuntimeError, "picky", insert
      assert [["a"], ["four"], ["seventh"]] = Sqlite.query!(db, "SELECT w FROM t ORDER BY w").rows

      Sqlite.query!(db, "BEGIN")
      Sqlite.query!(db, "INSERT INTO t VALUES ('ninth one')")
      assert_raise RuntimeError, "picky", insert

      assert_raise Sqlite.Error, ~r/no transaction is active/, fn ->
        Sqlite.query!(db, "COMMIT")
      end

      assert [["a"], ["four"], ["seventh"]] = Sqlite.query!(db, "SELECT w FROM t ORDER BY w").rows
      assert [["ok"]] = Sqlite.query!(db, "PRAGMA integrity_check").rows
    end
  end

  defp by_length(a, b) do
    case {byte_size(a), byte_size(b)} do
      {same, same} -> :eq
      {a, b} when a < b -> :lt
      _ -> :gt
    end
  end

  test "options that make no sense are refused", %{db: db} do
    for options <- [
          [functions: [f: 1]],
          [aggregates: [f: & &1]],
          [collations: [c: & &1]],
          [function: [f: & &1]]
        ] do
      assert_raise ArgumentError, fn -> Sqlite.query!(db, "SELECT 1", [], options) end
    end
  end
end
