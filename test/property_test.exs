for name <- ~w(types function error frame), do: Code.require_file("support/#{name}.exs", __DIR__)

defmodule Upcall.PropertyTest do
  use ExUnit.Case, async: false

  @moduletag :slow

  import :proper_types,
    only: [
      any: 0,
      atom: 0,
      binary: 0,
      boolean: 0,
      exactly: 1,
      float: 0,
      frequency: 1,
      integer: 0,
      integer: 2,
      list: 1,
      loose_tuple: 1,
      noshrink: 1,
      oneof: 1,
      tuple: 1,
      vector: 2
    ]

  alias UpcallTest.Types
  alias UpcallTest.Types.{Folder, Line, Point}

  # Modules that `use Upcall.Nif`. All that they define is called, with anything, but for what does as
  # many rounds as it is told, and what parks its frame when its function raises in a destructor. The
  # other test libraries are made to block, to overflow and to run for ever.
  @modules [
    {Types, []},
    {UpcallTest.Function, []},
    {UpcallTest.Error, []},
    {UpcallTest.Frame,
     [
       :drop_functions,
       :keep_functions,
       :catch_blocks,
       :result_then_farewell,
       :failure_then_farewell
     ]}
  ]
  @rounds 500

  for {module, left_out} <- @modules do
    @tag timeout: :timer.minutes(5)
    test "nothing that is passed to #{inspect(module)} harms the VM" do
      oddities = oddities()

      for {name, arity} <- nifs(unquote(module)), name not in unquote(left_out) do
        property =
          :proper.forall(vector(arity, anything(tuple_size(oddities))), fn arguments ->
            survives?(unquote(module), name, Enum.map(arguments, &unwrap(&1, oddities)))
          end)

        options = [:quiet, numtests: if(arity == 0, do: 1, else: @rounds)]

        assert :proper.quickcheck(property, options) == true,
               "#{name}/#{arity} with #{inspect(:proper.counterexample())}"
      end

      assert %{suspended: 0, abandoned: 0, parked: 0} = unquote(module).__upcall_info__()
    end
  end

  defp bind(generator, make), do: :proper_types.bind(generator, make, false)

  defp nifs(module) do
    Enum.reject(module.__info__(:functions), fn {name, _} ->
      name |> Atom.to_string() |> String.starts_with?("__")
    end)
  end

  # Whatever it does, the caller goes on.
  defp survives?(module, name, arguments) do
    apply(module, name, arguments)
    true
  catch
    _, reason -> understandable?(reason)
  end

  # An exception of Elixir's with a text, or what the function that was called did itself.
  defp understandable?(%{__exception__: true} = exception),
    do: exception |> Exception.message() |> String.valid?()

  defp understandable?({:from_function, _}), do: true
  defp understandable?({:badarity, {function, _}}), do: is_function(function)
  defp understandable?(:undef), do: true
  defp understandable?(:function_clause), do: true
  defp understandable?(_), do: false

  defp anything(oddities) do
    frequency([
      {4, any()},
      {4, nearly_right()},
      {3, function()},
      {2, number()},
      {2, bind(integer(0, oddities - 1), &{:oddity, &1})}
    ])
  end

  # PropEr walks through all that it generates, which takes long where that is large.
  defp unwrap({:oddity, index}, oddities), do: elem(oddities, index)
  defp unwrap(generated, _oddities), do: generated

  defp number do
    edges =
      for bits <- [7, 8, 15, 16, 31, 32, 59, 60, 63, 64, 128], step <- -1..1, do: 2 ** bits + step

    oneof([integer(), float(), oneof(edges ++ Enum.map(edges, &(-&1)))])
  end

  # What the codecs take at first sight, with something wrong inside more often than not.
  defp nearly_right do
    part = oneof([integer(0, 300), float(), binary(), boolean(), function(), any(), exactly(nil)])

    key = oneof([binary(), integer(), float(), atom()])
    option = tuple([oneof([:depth, :strict, :step, :x, atom()]), part])

    oneof([
      list(part),
      list(list(part)),
      list(function()),
      map_of(binary(), function()),
      list(option),
      loose_tuple(part),
      tuple([part, part]),
      tuple([function(), integer()]),
      map_of(key, part),
      map_of(key, list(part)),
      struct_of(Point, [:x, :y], part),
      struct_of(Line, [:from, :to, :label], oneof([struct_of(Point, [:x, :y], part), part])),
      struct_of(Folder, [:name, :folders], oneof([binary(), list(part)])),
      improper(list(part), part)
    ])
  end

  defp map_of(key, value), do: bind(list(tuple([key, value])), &Map.new/1)

  defp struct_of(module, fields, value) do
    pairs = tuple(for field <- fields, do: tuple([field, value]))
    made = fn pairs -> Map.new([{:__struct__, module} | Tuple.to_list(pairs)]) end
    bind(pairs, made)
  end

  defp improper(list, tail) do
    bind(tuple([list, tail]), fn {list, tail} -> list ++ tail end)
  end

  defp function do
    body =
      oneof([
        bind(any(), fn value -> exactly({:return, value}) end),
        exactly({:error, RuntimeError.exception("from a function")}),
        exactly({:throw, {:from_function, 1}}),
        exactly({:exit, {:from_function, 2}}),
        exactly({:error, {:from_function, 3}})
      ])

    noshrink(bind(tuple([integer(0, 4), body]), &exactly(make_function(&1))))
  end

  defp make_function({0, body}), do: fn -> run(body) end
  defp make_function({1, body}), do: fn _ -> run(body) end
  defp make_function({2, body}), do: fn _, _ -> run(body) end
  defp make_function({3, body}), do: fn _, _, _ -> run(body) end
  defp make_function({4, body}), do: fn _, _, _, _ -> run(body) end

  defp run({:return, value}), do: value
  defp run({class, reason}), do: :erlang.raise(class, reason, [])

  defp oddities do
    {
      self(),
      make_ref(),
      hd(Port.list()),
      # A pid of another node.
      :erlang.binary_to_term(<<131, 88, 100, 0, 3, "a@b", 1::32, 0::32, 1::32>>),
      &String.upcase/1,
      Function.capture(NoSuchModule, :none, 1),
      :binary.copy(<<0>>, 10_000_000),
      binary_part(:binary.copy("part", 1_000), 3, 500),
      <<1::1>>,
      Enum.reduce(1..100_000, [], fn _, inner -> [inner] end),
      Enum.reduce(1..100_000, nil, fn _, inner -> %Folder{folders: [inner]} end),
      Enum.reduce(1..100_000, {}, fn _, inner -> {inner} end),
      Enum.to_list(1..200_000),
      Map.new(1..100_000, &{&1, &1}),
      Map.new(1..100_000, &{"key #{&1}", [&1]}),
      %{nil => 1, [] => 2, {} => 3, 1.0 => 4, %{} => 5, "" => 6, <<1::1>> => 7},
      %{__struct__: 1},
      %{__struct__: NoSuchModule, x: 1},
      # Their inspect protocols fail.
      %{__struct__: Date},
      %{__struct__: MapSet, map: 1},
      Date.utc_today(),
      1..3,
      ~r/x/,
      2 ** 100_000,
      :größe,
      :"∞",
      [1 | 2],
      [[] | []],
      ""
    }
  end
end
