Code.require_file("support/types.exs", __DIR__)

defmodule Upcall.TypesTest do
  use ExUnit.Case, async: true

  alias UpcallTest.Types
  alias UpcallTest.Types.{Folder, Line, Point}

  # `expected` is the message without the name of the module.
  defp assert_refused(expected, fun) do
    assert_raise ArgumentError, "UpcallTest.Types." <> expected, fun
  end

  defp refusal(fun) do
    assert_raise(ArgumentError, fun).message
  end

  # [[[…]]], with `core` in so many lists.
  defp nest(core, depth), do: Enum.reduce(1..depth//1, core, fn _, inner -> [inner] end)

  describe "integers" do
    for {name, low, high} <- [
          {:int8, -0x80, 0x7F},
          {:int16, -0x8000, 0x7FFF},
          {:int32, -0x8000_0000, 0x7FFF_FFFF},
          {:int64, -0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF},
          {:uint8, 0, 0xFF},
          {:uint16, 0, 0xFFFF},
          {:uint32, 0, 0xFFFF_FFFF},
          {:uint64, 0, 0xFFFF_FFFF_FFFF_FFFF}
        ] do
      test "#{name} takes #{low} to #{high} and nothing else" do
        {name, low, high} = {unquote(name), unquote(low), unquote(high)}
        native = &apply(Types, name, [&1])

        for value <- [low, low + 1, 0, 1, high - 1, high], do: assert(native.(value) === value)

        for value <- [low - 1, high + 1, 2 ** 64, -(2 ** 64), 2 ** 1000, 1.0, :a, "1", nil, [1]] do
          assert_refused(
            "#{name}/1: argument 1: expected an integer from #{low} to #{high}, " <>
              "got: #{inspect(value, printable_limit: 100)}",
            fn -> native.(value) end
          )
        end
      end
    end
  end

  describe "floats" do
    test "take floats and integers" do
      for value <- [0.0, -1.5, 1.7976931348623157e308, 5.0e-324] do
        assert Types.float64(value) === value
      end

      assert Types.float64(3) === 3.0
      assert Types.float64(-0x8000_0000_0000_0000) === -9.223372036854775808e18
      assert Types.float64(2 ** 64 - 1) === 18_446_744_073_709_551_616.0
      assert Types.float32(0.5) === 0.5
      assert Types.float32(0.1) === 0.10000000149011612
      assert Types.float32(3.4028234663852886e38) === 3.4028234663852886e38
    end

    test "keep the sign of zero" do
      assert <<1::1, 0::63>> = <<Types.float64(-0.0)::float>>
    end

    test "refuse everything else" do
      for value <- [:a, "1.0", nil, [1.0], {1.0}] do
        expected = "float64/1: argument 1: expected a float, got: #{inspect(value)}"
        assert_refused(expected, fn -> Types.float64(value) end)
      end
    end

    test "take no integer beyond 64 bits" do
      assert_refused(
        "float64/1: argument 1: expected a float, or an integer of 64 bits, " <>
          "got: 36893488147419103232",
        fn -> Types.float64(2 ** 65) end
      )
    end

    test "take nothing that a C++ float cannot hold" do
      for value <- [1.0e39, -1.7976931348623157e308] do
        expected = "float32/1: argument 1: expected a float of 32 bits, got: #{inspect(value)}"

        assert_refused(expected, fn -> Types.float32(value) end)
      end
    end

    test "that are not finite do not come out of C++" do
      text = "expected a finite number to make a float of, got: "
      assert_refused("not_a_number/0: the result: #{text}nan", fn -> Types.not_a_number() end)
      assert_refused("infinity/0: the result: #{text}inf", fn -> Types.infinity() end)

      assert_refused("too_small/0: the result: element 2: #{text}-inf", fn ->
        Types.too_small()
      end)

      assert_refused(
        "ask_of_not_a_number/1: argument 2 of the function: element 1: #{text}nan",
        fn ->
          Types.ask_of_not_a_number(fn _, _ -> flunk("called") end)
        end
      )
    end
  end

  describe "atoms" do
    test "booleans" do
      assert Types.boolean(true) === true
      assert Types.boolean(false) === false

      for value <- [nil, :a, 0, 1, "true"] do
        expected = "boolean/1: argument 1: expected a boolean, got: #{inspect(value)}"
        assert_refused(expected, fn -> Types.boolean(value) end)
      end
    end

    test "any atom" do
      for value <- [nil, true, :a, :"with space", :"", :größe, :"∞", Types] do
        assert Types.any_atom(value) === value
      end

      assert_refused("any_atom/1: argument 1: expected an atom, got: \"a\"", fn ->
        Types.any_atom("a")
      end)
    end

    test "have their names in C++ in UTF-8" do
      assert Types.atom_and_name(:some_word) == {:some_word, "some_word"}
      assert Types.atom_and_name(:"") == {:"", ""}
      assert Types.atom_and_name(:größe) == {:größe, "größe"}
      assert Types.atom_and_name(:"∞") == {:"∞", "∞"}

      for character <- ["ö", "∞", "😀"] do
        longest = String.duplicate(character, 255)
        assert Types.atom_and_name(String.to_atom(longest)) == {String.to_atom(longest), longest}
      end
    end

    test "static ones are made when the library is loaded" do
      assert Types.static_atom() == :"a static word"
      assert Types.static_atom_in_utf8() == :"größer als ∞"
      assert Types.static_atom_in_latin() == :größe
    end
  end

  describe "strings and bytes" do
    @binaries [
      "",
      "abc",
      "größe",
      <<0>>,
      <<1, 0, 2, 0>>,
      <<255, 254>>,
      String.duplicate("x", 64),
      String.duplicate("x", 65)
    ]

    for name <- [:string, :string_view, :bytes] do
      test "#{name} takes binaries of any size and content" do
        for value <- [:binary.copy(<<0, 1, 2, 3>>, 2_000_000) | @binaries] do
          assert apply(Types, unquote(name), [value]) === value
        end
      end

      test "#{name} takes parts of binaries, aligned to bytes or not" do
        whole = :binary.copy(<<0b10101010>>, 300)

        assert apply(Types, unquote(name), [binary_part(whole, 7, 200)]) ==
                 binary_part(whole, 0, 200)

        <<_::1, shifted::binary-size(200), _::bitstring>> = whole
        assert apply(Types, unquote(name), [shifted]) == :binary.copy(<<0b01010101>>, 200)
      end
    end

    test "refuse everything else" do
      for value <- [:a, ~c"abc", 1, nil, <<1::3>>, <<0, 1::1>>] do
        got = inspect(value)

        assert_refused("string/1: argument 1: expected a string, got: #{got}", fn ->
          Types.string(value)
        end)

        assert_refused("string_view/1: argument 1: expected a string, got: #{got}", fn ->
          Types.string_view(value)
        end)

        assert_refused("bytes/1: argument 1: expected a binary, got: #{got}", fn ->
          Types.bytes(value)
        end)
      end
    end

    test "come from C strings" do
      assert Types.c_string() == "a C string"
      assert Types.literal() == "literal"
    end

    test "views can be many" do
      assert Types.total_size(for size <- 0..1_000, do: :binary.copy("x", size)) == 500_500

      assert Types.text_and_bytes([{"a", <<0>>}, {"", String.duplicate("b", 100)}]) ==
               [{"a", <<0>>}, {"", String.duplicate("b", 100)}]
    end
  end

  describe "pids" do
    test "of this node" do
      assert Types.local_pid(self()) == self()
    end

    test "refuse everything else" do
      # The external format of a pid of another node.
      foreign = :erlang.binary_to_term(<<131, 88, 100, 0, 3, "a@b", 1::32, 0::32, 1::32>>)

      for value <- [foreign, :self, make_ref(), nil] do
        expected = "local_pid/1: argument 1: expected a pid of this node, got: #{inspect(value)}"
        assert_refused(expected, fn -> Types.local_pid(value) end)
      end
    end
  end

  describe "any term" do
    test "comes back as it is, borrowed or copied" do
      values = [
        1,
        2 ** 100,
        1.5,
        "a",
        <<1::3>>,
        [1 | 2],
        {},
        %{1 => [2]},
        self(),
        make_ref(),
        &is_atom/1
      ]

      for value <- [values | values] do
        assert Types.any_term(value) === value
        assert Types.owned(value) === value
      end

      assert Types.terms(values) === values
    end

    test "decodes later, as C++ asks" do
      assert Types.sum_of_term([1, 2, 3]) == 6
      assert Types.sum_of_owned([1, 2, 3]) == 6

      assert_refused(
        "sum_of_term/1: element 2: expected an integer from -9223372036854775808 to " <>
          "9223372036854775807, got: :a",
        fn -> Types.sum_of_term([1, :a]) end
      )
    end

    # The copies are gone when the caller looks at what was taken from them.
    test "decodes later from its copy" do
      items = fn round -> for n <- 1..500, do: {n, "item #{n}", round} end
      lists = for round <- 1..500, do: Types.list_of_owned([items.(round), round])
      assert lists == for(round <- 1..500, do: [items.(round), round])

      collect = fn ->
        :erlang.garbage_collect()
        length(items.(0))
      end

      for round <- 1..500 do
        assert Types.call_owned([collect, fn -> round end]) == 2 * (500 + round)

        message = refusal(fn -> Types.sum_of_owned([1, items.(round)]) end)
        assert message =~ "UpcallTest.Types.sum_of_owned/1: element 2: expected an integer from "
        assert message =~ "got: [{1, \"item 1\", #{round}}, {2, "
      end
    end

    test "is an argument and a result of a function" do
      value = %{a: [1]}
      assert Types.pass_term(&{&1, 2}, value) == {value, 2}
    end
  end

  describe "lists" do
    test "of numbers" do
      for value <- [[], [1], [1, -2, 3], Enum.to_list(1..100_000)] do
        assert Types.integers(value) === value
      end

      for value <- [[], [true], [true, false, true], List.duplicate(false, 1_000)] do
        assert Types.booleans(value) === value
      end
    end

    test "are made by C++ in order" do
      assert Types.count_up(0) == []
      assert Types.count_up(0xFFFF) == Enum.to_list(0..0xFFFE)
    end

    test "of lists" do
      assert Types.grid([[], [1, 2], [255]]) == [[], [1, 2], [255]]
      assert Types.grid([[1], []]) == [[1], []]
    end

    test "say which element is wrong" do
      assert_refused(
        "strings/1: argument 1: element 3: expected a string, got: :c",
        fn -> Types.strings(["a", "b", :c, :d]) end
      )

      assert_refused(
        "booleans/1: argument 1: element 1: expected a boolean, got: 1",
        fn -> Types.booleans([1]) end
      )

      assert_refused(
        "grid/1: argument 1: element 2: element 3: expected an integer from 0 to 255, got: 256",
        fn -> Types.grid([[], [1, 2, 256]]) end
      )
    end

    test "refuse what is no list, or no proper one" do
      for value <- [nil, :a, {1}, %{}, "ab"] do
        expected = "integers/1: argument 1: expected a list, got: #{inspect(value)}"
        assert_refused(expected, fn -> Types.integers(value) end)
      end

      assert_refused(
        "integers/1: argument 1: expected a proper list, got: [1, 2 | 3]",
        fn -> Types.integers([1, 2 | 3]) end
      )

      assert_refused(
        "grid/1: argument 1: element 1: expected a proper list, got: [1 | :a]",
        fn -> Types.grid([[1 | :a]]) end
      )
    end

    test "cut long terms in messages" do
      message = refusal(fn -> Types.strings([Enum.to_list(1..100_000)]) end)
      assert message =~ "element 1: expected a string, got: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...]"

      message = refusal(fn -> Types.integers([String.duplicate("x", 1_000_000)]) end)
      assert String.ends_with?(message, "xxx\" <> ...")
      assert byte_size(message) < 400
    end
  end

  describe "arrays" do
    test "are lists of their size" do
      assert Types.three([1, 2, 3]) == [1, 2, 3]
      assert Types.one([1]) == [1]
      assert Types.none([]) == []
    end

    test "refuse others" do
      assert_refused(
        "three/1: argument 1: expected a list of 3 elements, got: [1, 2]",
        fn -> Types.three([1, 2]) end
      )

      assert_refused(
        "three/1: argument 1: expected a list of 3 elements, got: [1, 2, 3, 4]",
        fn -> Types.three([1, 2, 3, 4]) end
      )

      assert_refused(
        "one/1: argument 1: expected a list of 1 element, got: []",
        fn -> Types.one([]) end
      )

      assert_refused(
        "none/1: argument 1: expected a list of 0 elements, got: [1]",
        fn -> Types.none([1]) end
      )

      assert_refused(
        "three/1: argument 1: expected a proper list, got: [1, 2, 3 | 4]",
        fn -> Types.three([1, 2, 3 | 4]) end
      )

      assert_refused("one/1: argument 1: expected a list, got: {1}", fn -> Types.one({1}) end)

      assert refusal(fn -> Types.three([1, 2, nil]) end) =~ "argument 1: element 3: expected an "
    end
  end

  describe "tuples" do
    test "come back" do
      assert Types.triple({1, "a", true}) == {1, "a", true}
      assert Types.range({1, 2.5}) === {1.0, 2.5}
      assert Types.empty_tuple({}) == {}
      assert Types.nested_tuple({{1}}) == {{1}}
    end

    test "refuse others" do
      for value <- [{}, {1, "a"}, {1, "a", true, 4}, [1, "a", true], nil] do
        expected = "triple/1: argument 1: expected a tuple of 3 elements, got: #{inspect(value)}"

        assert_refused(expected, fn -> Types.triple(value) end)
      end

      assert_refused(
        "empty_tuple/1: argument 1: expected a tuple of 0 elements, got: {1}",
        fn -> Types.empty_tuple({1}) end
      )

      assert_refused(
        "nested_tuple/1: argument 1: element 1: expected a tuple of 1 element, got: {1, 2}",
        fn -> Types.nested_tuple({{1, 2}}) end
      )
    end

    test "say which element is wrong, the first one first" do
      assert_refused(
        "triple/1: argument 1: element 2: expected a string, got: :a",
        fn -> Types.triple({1, :a, :b}) end
      )

      assert_refused(
        "range/1: argument 1: element 1: expected a float, got: :low",
        fn -> Types.range({:low, :high}) end
      )
    end
  end

  describe "maps" do
    test "come back, small and large" do
      for size <- [0, 1, 31, 32, 33, 50_000] do
        by_name = Map.new(1..size//1, &{"name #{&1}", &1})
        assert Types.integers_by_name(by_name) == by_name

        by_integer = Map.new(1..size//1, &{&1, "name #{&1}"})
        assert Types.names_by_integer(by_integer) == by_integer
      end

      assert Types.lists_by_name(%{"a" => [1, nil], "b" => []}) == %{"a" => [1, nil], "b" => []}
    end

    test "refuse what is no map" do
      for value <- [[], [a: 1], {}, nil] do
        expected = "integers_by_name/1: argument 1: expected a map, got: #{inspect(value)}"
        assert_refused(expected, fn -> Types.integers_by_name(value) end)
      end
    end

    test "say which key is wrong" do
      assert_refused(
        "integers_by_name/1: argument 1: key: expected a string, got: :a",
        fn -> Types.integers_by_name(%{:a => 1}) end
      )

      assert_refused(
        "integers_by_name/1: argument 1: key: expected a string, got: :__struct__",
        fn -> Types.integers_by_name(%{__struct__: Point}) end
      )
    end

    test "say which value is wrong" do
      assert_refused(
        "names_by_integer/1: argument 1: value of key 2: expected a string, got: :b",
        fn -> Types.names_by_integer(%{1 => "a", 2 => :b}) end
      )

      assert_refused(
        "lists_by_name/1: argument 1: value of key \"b\": element 2: " <>
          "expected an integer from 0 to 255 or nil, got: -1",
        fn -> Types.lists_by_name(%{"a" => [], "b" => [nil, -1]}) end
      )

      assert refusal(fn -> Types.lists_by_name(%{String.duplicate("k", 51) => 1}) end) =~
               "argument 1: value of key \"#{String.duplicate("k", 50)}...\": expected a list"

      assert refusal(fn -> Types.lists_by_name(%{<<0, 255>> => 1}) end) =~
               "argument 1: value of a key: expected a list, got: 1"
    end

    test "refuse keys that are one key in C++" do
      assert Types.integers_by_float(%{1 => 1, 2.0 => 2}) === %{1.0 => 1, 2.0 => 2}

      assert refusal(fn -> Types.integers_by_float(%{1 => 1, 1.0 => 2}) end) =~
               "argument 1: expected a map whose keys stay different when decoded, got: %{1"
    end

    test "of which C++ made two keys the same do not come out" do
      text = ~r/expected keys that stay different when encoded as a map's$/

      # A map of more than 32 keys is another structure in the VM.
      for count <- [2, 32, 33, 50, 1000] do
        assert_raise ArgumentError, text, fn -> Types.equal_keys(count) end
      end

      assert Types.equal_keys(1) == %{1 => 0}
    end
  end

  describe "optional values" do
    test "are nil or the value" do
      assert Types.maybe(nil) == nil
      assert Types.maybe(1) == 1
      assert Types.maybe_range({1.0, 2.0}) == {1.0, 2.0}
    end

    test "refuse others, and say that nil would do" do
      assert_refused(
        "maybe/1: argument 1: expected an integer from -9223372036854775808 to " <>
          "9223372036854775807 or nil, got: :a",
        fn -> Types.maybe(:a) end
      )

      assert_refused(
        "maybe_range/1: argument 1: element 2: expected a float, got: nil",
        fn -> Types.maybe_range({1.0, nil}) end
      )

      assert_refused("nothing/1: argument 1: expected nil, got: false", fn ->
        Types.nothing(false)
      end)

      assert Types.nothing(nil) == nil
    end
  end

  describe "variants" do
    test "take the first alternative that decodes" do
      for value <- [nil, 7, "seven", [7, 8], []], do: assert(Types.choice(value) === value)
      for value <- [[], [1, 2], [true, false]], do: assert(Types.lists(value) === value)
    end

    test "say all that they would take" do
      assert_refused(
        "choice/1: argument 1: expected nil, an integer from 0 to 255, a string or a list, got: :a",
        fn -> Types.choice(:a) end
      )
    end

    test "say what is wrong inside the only alternative that came so far" do
      assert_refused(
        "choice/1: argument 1: element 2: expected an integer from 0 to 255, got: 256",
        fn -> Types.choice([1, 256]) end
      )
    end

    test "say what is wrong inside each alternative where several came so far" do
      assert_refused(
        "lists/1: argument 1: expected an integer from 0 to 255 (element 2) or " <>
          "a boolean (element 1), got: [1, true]",
        fn -> Types.lists([1, true]) end
      )
    end
  end

  describe "functions in containers" do
    test "in a list" do
      assert Types.call_each([&(&1 + 1), &(&1 * &1), fn _ -> 0 end], 5) == [6, 25, 0]
      assert Types.call_each([], 5) == []
    end

    test "in a map" do
      assert Types.call_values(%{"double" => &(&1 * 2), "same" => & &1}, 4) ==
               %{"double" => 8, "same" => 4}
    end

    test "in an array, a tuple and an optional" do
      assert Types.call_both([&(&1 + 1), &(&1 * 10)], 1) == 20
      assert Types.call_maybe({&(&1 + 1), 1}) == 2
      assert Types.call_maybe(nil) == 0
    end

    test "come back as they went" do
      functions = [&is_atom/1, fn x -> x end, &String.upcase/1]
      assert Types.reversed(functions) == Enum.reverse(functions)
    end

    test "that raise are the caller's" do
      assert_raise RuntimeError, "from inside", fn ->
        Types.call_each([& &1, fn _ -> raise "from inside" end], 1)
      end
    end

    test "are named where they are not functions" do
      assert_refused(
        "call_each/2: argument 1: element 2: expected a function of arity 1, got: 5",
        fn -> Types.call_each([& &1, 5], 1) end
      )

      assert_refused(
        "call_values/2: argument 1: value of key \"f\": expected a function of arity 1, got: nil",
        fn -> Types.call_values(%{"f" => nil}, 1) end
      )
    end

    test "many of them" do
      functions = for n <- 1..20_000, do: fn x -> x + n end
      assert Types.call_each(functions, 1) == Enum.to_list(2..20_001)
    end

    test "take and give containers" do
      assert Types.ask(fn {low, high} -> %{"sum" => trunc(low + high)} end) == %{"sum" => 1}

      message = refusal(fn -> Types.ask(fn _ -> %{"a" => 1, "b" => "2"} end) end)

      assert message =~
               ~r/^UpcallTest.Types.ask\/1: in what #Function<.*> returned: value of key "b": expected an integer from /

      assert message =~ "got: \"2\""
    end
  end

  describe "recursive types" do
    test "come back" do
      for value <- [[], [[]], [[], [[], []]], nest([], 50)],
          do: assert(Types.tree(value) == value)
    end

    test "nested too deeply for the stack raise, whatever is at the bottom" do
      for core <- [[], :leaf] do
        message = refusal(fn -> Types.tree(nest(core, 1_000_000)) end)
        assert message =~ "the term is nested too deeply for the stack of this native call"
      end

      assert Types.tree([[]]) == [[]]
    end

    test "nested too deeply raise when C++ gives them" do
      assert_raise ArgumentError, ~r/nested too deeply/, fn -> Types.tree_too_deep_to_encode() end
    end

    test "take what a larger stack holds" do
      value = nest([], 20_000)
      assert_raise ArgumentError, ~r/nested too deeply/, fn -> Types.tree(value) end
      assert Types.tree_on_a_large_stack(value) == value

      assert_raise ArgumentError, ~r/nested too deeply/, fn ->
        Types.tree_on_a_large_stack(nest([], 1_000_000))
      end
    end

    test "say the innermost of many places" do
      message = refusal(fn -> Types.tree_on_a_large_stack(nest(:leaf, 20_000)) end)

      assert message =~
               ~r/\/1: argument 1: \.\.\.: element 1: (element 1: )*expected a list, got: :leaf$/

      assert byte_size(message) < 700
    end
  end

  describe "enums" do
    test "are atoms" do
      assert Types.color(:red) == :red
      assert Types.colors([:green, :red]) == [:green, :red]
    end

    test "refuse others" do
      for value <- [:blue, "red", 0, nil] do
        expected = "color/1: argument 1: expected one of :red, :green, got: #{inspect(value)}"
        assert_refused(expected, fn -> Types.color(value) end)
      end
    end

    test "without a name do not come out" do
      message =
        "unnamed_color/0: the result: expected one of :red, :green to encode, got: the enumerator 2"

      assert_refused(message, fn -> Types.unnamed_color() end)
    end
  end

  describe "structs" do
    test "come back" do
      assert Types.point(%Point{x: 1, y: 2.5}) === %Point{x: 1.0, y: 2.5}

      line = %Line{from: %Point{}, to: %Point{x: 3.0, y: 4.0}, label: "hypotenuse"}
      assert Types.line(line) === line
      assert Types.line(%Line{line | label: nil}) === %Line{line | label: nil}
    end

    test "that contain themselves" do
      folder = %Folder{name: "a", folders: [%Folder{name: "b"}, %Folder{name: "c"}]}
      assert Types.folder(folder) == folder
      assert Types.ask_for_folder(fn 0 -> folder end) == folder

      deep = Enum.reduce(1..100_000, %Folder{}, fn _, inner -> %Folder{folders: [inner]} end)
      assert_raise ArgumentError, ~r/nested too deeply/, fn -> Types.folder(deep) end
    end

    test "refuse others" do
      for value <- [%{x: 1.0, y: 2.0}, {1.0, 2.0}, nil, 1, %{__struct__: "Point"}, 1..2] do
        expected =
          "point/1: argument 1: expected a %UpcallTest.Types.Point{}, got: #{inspect(value)}"

        assert_refused(expected, fn -> Types.point(value) end)
      end
    end

    test "say which field is wrong" do
      assert_refused(
        "point/1: argument 1: field x: expected a float, got: :a",
        fn -> Types.point(%Point{x: :a, y: :b}) end
      )

      assert_refused(
        "line/1: argument 1: field to: field y: expected a float, got: nil",
        fn -> Types.line(%Line{from: %Point{}, to: %Point{y: nil}}) end
      )

      assert_refused(
        "line/1: argument 1: field label: expected a string or nil, got: 1",
        fn -> Types.line(%Line{from: %Point{}, to: %Point{}, label: 1}) end
      )
    end

    test "say which field is missing" do
      # Since OTP 26, a map has its keys in any order.
      texts =
        for fields <- [
              "__struct__: UpcallTest.Types.Point, x: 1.0",
              "x: 1.0, __struct__: UpcallTest.Types.Point"
            ] do
          "UpcallTest.Types.point/1: argument 1: expected a %UpcallTest.Types.Point{} " <>
            "with the field y, got: %{#{fields}}"
        end

      assert refusal(fn -> Types.point(Map.delete(%Point{x: 1.0}, :y)) end) in texts
    end
  end

  describe "keyword options" do
    test "keep the defaults of C++" do
      assert Types.options([]) == [depth: 3, strict: false, step: nil]
      assert Types.options(strict: true) == [depth: 3, strict: true, step: nil]
      assert Types.options(strict: true, depth: 5) == [depth: 5, strict: true, step: nil]
    end

    test "hold functions" do
      assert Types.step([step: &(&1 * 2)], 21) == 42
      assert Types.step([], 21) == 21
    end

    test "count as first given" do
      assert Types.options(depth: 1, depth: 2, depth: :not_read)[:depth] == 1
    end

    test "name an unknown one, and those that are known" do
      assert_refused(
        "options/1: argument 1: expected one of the options depth, strict, step, got: :dept",
        fn -> Types.options(strict: true, dept: 1) end
      )
    end

    test "say which one is wrong" do
      assert_refused(
        "options/1: argument 1: option strict: expected a boolean, got: 1",
        fn -> Types.options(depth: 1, strict: 1) end
      )

      assert_refused(
        "step/2: argument 1: option step: expected a function of arity 1 or nil, got: 1",
        fn -> Types.step([step: 1], 1) end
      )
    end

    test "refuse what is no keyword list" do
      for value <- [nil, %{}, [1], [{:depth}], [{"depth", 1}], [{:depth, 1} | 2], [:strict]] do
        expected = "options/1: argument 1: expected a keyword list, got: #{inspect(value)}"
        assert_refused(expected, fn -> Types.options(value) end)
      end
    end
  end
end
