defmodule Sqlite.Native do
  @moduledoc false
  # The Elixir side of c_src/sqlite_nif.cpp. SQL functions get their arguments as one list, as C++
  # knows how many there are only when it runs. `Sqlite` makes them of the user's functions.

  use Upcall.Nif, otp_app: :sqlite, path: "sqlite_native"

  @type scalar :: ([Sqlite.value()] -> Sqlite.value())
  @typedoc "An aggregate's state, in a closure: C++ keeps that, and so copies no state."
  @type state :: (() -> term())
  @type step :: (state(), [Sqlite.value()] -> state())
  @type finish :: (state() -> Sqlite.value())

  @spec open(Path.t()) :: Sqlite.t()
  defnif open(path)

  @spec close(Sqlite.t()) :: :ok
  defnif close(db)

  @spec query(
          Sqlite.t(),
          String.t(),
          [Sqlite.value()],
          [{String.t(), arity(), scalar()}],
          [{String.t(), arity(), state(), step(), finish()}],
          [{String.t(), Sqlite.comparison()}]
        ) :: Sqlite.Result.t()
  defnif query(db, sql, params, functions, aggregates, collations)

  @spec execute(
          Sqlite.t(),
          String.t(),
          [Sqlite.value()],
          [{String.t(), arity(), scalar()}],
          [{String.t(), arity(), state(), step(), finish()}],
          [{String.t(), Sqlite.comparison()}]
        ) :: Sqlite.Result.t()
  defnif execute(db, sql, params, functions, aggregates, collations)

  @spec keep_function(Sqlite.t(), String.t(), arity(), scalar()) :: :ok
  defnif keep_function(db, name, arity, fun)

  @spec keep_aggregate(Sqlite.t(), String.t(), arity(), state(), step(), finish()) :: :ok
  defnif keep_aggregate(db, name, arity, initial, step, finish)

  @spec keep_collation(Sqlite.t(), String.t(), Sqlite.comparison()) :: :ok
  defnif keep_collation(db, name, compare)
end
