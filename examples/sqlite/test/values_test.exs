defmodule Sqlite.ValuesTest do
  use ExUnit.Case, async: true

  @values [nil, 0, -1, 0x7FFFFFFFFFFFFFFF, -0x8000000000000000, 1.5, -0.0, 1.0e308] ++
            ["", "żółw", "zero\0byte", String.duplicate("x", 100_000)] ++
            [{:blob, ""}, {:blob, <<0, 255>>}, {:blob, String.duplicate(<<0>>, 100_000)}]

  setup do: {:ok, db: Sqlite.open!(":memory:")}

  test "values come back as they went, from a row and through a function", %{db: db} do
    for value <- @values do
      result =
        Sqlite.query!(db, "SELECT ? AS plain, same(?) AS called", [value, value],
          functions: [same: & &1]
        )

      assert %Sqlite.Result{columns: ["plain", "called"], rows: [[^value, ^value]]} = result
    end
  end

  test "booleans become 1 and 0", %{db: db} do
    assert [[1, 0]] = Sqlite.query!(db, "SELECT ?, ?", [true, false]).rows
  end

  test "what SQL has no value for is refused, and said to be", %{db: db} do
    for value <- [:atom, [1], %{}, self(), 0x8000000000000000, {:blob, 1}, {:text, ""}, <<1::3>>] do
      error = assert_raise ArgumentError, fn -> Sqlite.query!(db, "SELECT 1, ?", [value]) end
      assert error.message =~ "argument 3: element 1: expected an SQL value"
      assert error.message =~ "got: #{inspect(value)}"
    end
  end

  test "infinity, which Elixir has no float for, is refused", %{db: db} do
    for sql <- ["SELECT 9e999", "SELECT same(9e999)"] do
      assert_raise ArgumentError, ~r/finite/, fn ->
        Sqlite.query!(db, sql, [], functions: [same: & &1])
      end
    end
  end

  test "changes are counted", %{db: db} do
    assert Sqlite.execute!(db, "CREATE TABLE t (x)").changes == 0
    assert Sqlite.execute!(db, "INSERT INTO t VALUES (1), (2), (3)").changes == 3
    assert Sqlite.execute!(db, "UPDATE t SET x = x + 1 WHERE x > 1").changes == 2
    assert Sqlite.query!(db, "SELECT x FROM t").changes == 0
  end
end
