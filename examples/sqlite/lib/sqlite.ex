defmodule Sqlite do
  @moduledoc """
  SQLite, whose functions, aggregates and collations can be Elixir functions.

      db = Sqlite.open!("people.db")

      Sqlite.query!(db, "SELECT slug(name) FROM people WHERE age > ?", [30],
        functions: [slug: fn name -> String.replace(name, " ", "-") end]
      ).rows

  They run in the process that called `query!/4`, in the middle of its query: they see its process
  dictionary, may query the same connection, and what they raise comes out of `query!/4`, with its
  stack trace. The statement is finalised then, and what it wrote is undone.

  ## Functions

  Given with a query, in its options, functions exist for that query only; nothing is copied. Those of
  `create_function/3`, `create_aggregate/5` and `create_collation/3` exist as long as the connection, and
  are copied once into each query that uses them.

  Names are strings or atoms, and SQL takes upper and lower case in them for the same. A query can't give
  a function of a name that is taken: by SQLite itself, which would not have its own back afterwards, by
  the connection, or by a query around it.

    * A *function* takes the SQL function's arguments and gives a value.
    * An *aggregate* is `{initial, step, finish}`: `step` takes the arguments of a row and the state, and
      gives the next state, any term; `finish` takes the last state and gives a value.
    * A *collation* takes two strings and gives `:lt`, `:eq` or `:gt`. One that contradicts itself gives rows
      in an order that makes no sense, and no worse: SQLite's sorting bears it. One that an index uses must
      never change its mind, or the index no longer finds its rows. Its function can't use the connection.

  ## Values

  | SQL | Elixir |
  | --- | --- |
  | NULL | `nil` |
  | INTEGER | an integer of at most 64 bits; `true` and `false` become 1 and 0 |
  | REAL | a float |
  | TEXT | a string |
  | BLOB | `{:blob, binary}` |

  ## Processes

  Any process may use a connection. One at a time does: others wait for the end of its query, in order and
  without holding a scheduler. A process that is killed in its query leaves the connection usable. A
  transaction belongs to the connection, so processes that write in transactions need one each.
  """

  @type t :: reference()
  @type value :: nil | boolean() | integer() | float() | String.t() | {:blob, binary()}
  @type name :: atom() | String.t()
  @type comparison :: (String.t(), String.t() -> :lt | :eq | :gt)
  @type aggregate :: {initial :: term(), step :: fun(), finish :: (term() -> value())}
  @type option ::
          {:functions, [{name(), fun()}]}
          | {:aggregates, [{name(), aggregate()}]}
          | {:collations, [{name(), comparison()}]}

  @doc """
  Opens the database file at `path`, which is made where there is none; `":memory:"` is one without a file.

  It is closed by `close/1`, or when no process holds the connection any more.
  """
  @spec open!(Path.t()) :: t()
  def open!(path), do: Sqlite.Native.open(path)

  @doc """
  Closes the connection. Using it afterwards raises `ArgumentError`.
  """
  @spec close(t()) :: :ok
  def close(db), do: Sqlite.Native.close(db)

  @doc """
  Runs one SQL statement, with values for its `?`, and gives its rows.

  It lets other processes run now and then, on a normal scheduler. See `execute!/4` for statements that
  wait for the disk.

  ## Options

    * `:functions` - `[slug: fn name -> ... end]`
    * `:aggregates` - `[longest: {"", &max_by_length/2, & &1}]`
    * `:collations` - `[by_length: fn left, right -> ... end]`

  Raises `Sqlite.Error` for what SQLite refuses, `ArgumentError` for a wrong number of parameters or what
  is no SQL value, and whatever the functions raise, throw or exit with.
  """
  @spec query!(t(), String.t(), [value()], [option()]) :: Sqlite.Result.t()
  def query!(db, sql, params \\ [], options \\ []) do
    {functions, aggregates, collations} = given(options)
    Sqlite.Native.query(db, sql, params, functions, aggregates, collations)
  end

  @doc """
  Does what `query!/4` does, on a dirty IO scheduler: for statements that wait for the disk.

  An upcall costs more there, as it changes threads twice.
  """
  @spec execute!(t(), String.t(), [value()], [option()]) :: Sqlite.Result.t()
  def execute!(db, sql, params \\ [], options \\ []) do
    {functions, aggregates, collations} = given(options)
    Sqlite.Native.execute(db, sql, params, functions, aggregates, collations)
  end

  @doc """
  Gives SQL a function, whose number of arguments is that of `fun`, or replaces it.

  A function that refers to `db` itself keeps the connection open until `close/1`.
  """
  @spec create_function(t(), name(), fun()) :: :ok
  def create_function(db, name, fun) do
    {name, arity, fun} = function({name, fun})
    Sqlite.Native.keep_function(db, name, arity, fun)
  end

  @doc """
  Gives SQL an aggregate, or replaces it: see "Functions" above.

      Sqlite.create_aggregate(db, "product", 1, &(&1 * &2), & &1)
  """
  @spec create_aggregate(t(), name(), term(), fun(), (term() -> value())) :: :ok
  def create_aggregate(db, name, initial, step, finish) do
    {name, arity, initial, step, finish} = aggregate({name, {initial, step, finish}})
    Sqlite.Native.keep_aggregate(db, name, arity, initial, step, finish)
  end

  @doc """
  Gives SQL a collation, for `ORDER BY title COLLATE name`, or replaces it.
  """
  @spec create_collation(t(), name(), comparison()) :: :ok
  def create_collation(db, name, compare) do
    {name, compare} = collation({name, compare})
    Sqlite.Native.keep_collation(db, name, compare)
  end

  defp given(options) do
    options = Keyword.validate!(options, functions: [], aggregates: [], collations: [])

    {
      Enum.map(options[:functions], &function/1),
      Enum.map(options[:aggregates], &aggregate/1),
      Enum.map(options[:collations], &collation/1)
    }
  end

  defp function({name, fun}) when is_function(fun) do
    {sql_name(name), arity(fun), fn arguments -> apply(fun, arguments) end}
  end

  defp function(other), do: refuse("{name, function}", other)

  defp aggregate({name, {initial, step, finish}})
       when is_function(step) and is_function(finish, 1) do
    {
      sql_name(name),
      arity(step) - 1,
      fn -> initial end,
      fn held, arguments -> hold(apply(step, arguments ++ [held.()])) end,
      fn held -> finish.(held.()) end
    }
  end

  defp aggregate(other), do: refuse("{name, {initial, step, finish}}", other)

  defp hold(state), do: fn -> state end

  defp collation({name, compare}) when is_function(compare, 2), do: {sql_name(name), compare}
  defp collation(other), do: refuse("{name, function of two strings}", other)

  defp arity(fun), do: fun |> Function.info(:arity) |> elem(1)

  defp sql_name(name), do: name |> to_string() |> String.downcase(:ascii)

  defp refuse(expected, got) do
    raise ArgumentError, "expected #{expected}, got: #{inspect(got)}"
  end
end
