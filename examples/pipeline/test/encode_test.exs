defmodule Pipeline.EncodeTest do
  use ExUnit.Case, async: true
  alias Pipeline.{FormatError, Record}
  alias PipelineTest.Source

  @a %Record{
    code: ?A,
    name: "LATIN CAPITAL LETTER A",
    category: "Lu",
    combining_class: 0,
    bidi_class: "L",
    mirrored?: false,
    lowercase: ?a
  }
  @line "0041;LATIN CAPITAL LETTER A;Lu;0;L;;;;;N;;;;0061;\n"

  defp text(records), do: records |> Pipeline.encode() |> Enum.join()

  @tag :tmp_dir
  test "the file comes out as it went in", %{tmp_dir: dir} do
    copy = Path.join(dir, "copy.txt")

    Source.stream(65_536)
    |> Pipeline.records()
    |> Pipeline.encode()
    |> Enum.into(File.stream!(copy))

    assert File.read!(copy) == File.read!(Source.path())
  end

  @tag :tmp_dir
  test "a function in between changes what it changes", %{tmp_dir: dir} do
    copy = Path.join(dir, "copy.txt")

    Source.stream(65_536)
    |> Pipeline.records()
    |> Stream.map(&%{&1 | old_name: nil})
    |> Pipeline.encode()
    |> Enum.into(File.stream!(copy))

    expected =
      for line <- File.stream!(Source.path()), into: "" do
        line |> String.split(";") |> List.replace_at(10, "") |> Enum.join(";")
      end

    assert File.read!(copy) == expected
  end

  test "records come from any enumerable" do
    assert text([@a]) == @line
    assert text(Stream.map([@a, @a], & &1)) == @line <> @line
    assert text(MapSet.new([@a])) == @line
  end

  test "no records are no text" do
    assert Enum.to_list(Pipeline.encode([])) == []
  end

  test "the text comes in blocks" do
    count = 3 * 65_536
    blocks = Enum.map(Pipeline.encode(Stream.cycle([@a]) |> Stream.take(count)), &byte_size/1)
    assert Enum.sum(blocks) == count * byte_size(@line)
    {full, [_last]} = Enum.split(blocks, -1)
    assert Enum.all?(full, &(&1 in 65_536..(65_536 + byte_size(@line))))
  end

  test "a newline that was missing at the end is added" do
    assert [String.trim_trailing(@line, "\n")] |> Pipeline.records() |> text() == @line
  end

  test "code points have four digits at least" do
    for {code, digits} <- [{0, "0000"}, {0xABC, "0ABC"}, {0x10FFFF, "10FFFF"}] do
      assert text([%{@a | code: code}]) == String.replace_prefix(@line, "0041", digits)
    end
  end

  describe "a record that can't be read again is refused:" do
    for {name, change, message} <- [
          {"a code point that there is not", [code: 0x110000],
           "code: expected a code point of at most 0x10FFFF, got: 1114112"},
          {"a semicolon", [name: "A;B"],
           "name: expected a text without semicolons and newlines, got: \"A;B\""},
          {"a newline", [old_name: "A\nB"],
           "old_name: expected a text without semicolons and newlines, got: \"A\\nB\""},
          {"a digit above 9", [digit: 10], "digit: expected a digit, got: 10"}
        ] do
      test name do
        records = Pipeline.encode([@a, struct!(@a, unquote(change))])
        error = assert_raise FormatError, fn -> Enum.to_list(records) end
        assert Exception.message(error) == "record 2: " <> unquote(message)
        assert error.place == {:record, 2}
      end
    end

    test "a long one" do
      records = Pipeline.encode([%{@a | comment: String.duplicate("a", 4096)}])
      error = assert_raise FormatError, fn -> Enum.to_list(records) end
      assert Exception.message(error) =~ ~r/^record 1: expected at most 4096 bytes, got: "0041;/
    end
  end

  test "what is no record is named" do
    for {wrong, message} <- [
          {:a, "expected a %Pipeline.Record{}, got: :a"},
          {%{@a | name: nil}, "field name: expected a string, got: nil"},
          {%{@a | combining_class: 256},
           "field combining_class: expected an integer from 0 to 255, got: 256"}
        ] do
      error = assert_raise ArgumentError, fn -> text([@a, wrong]) end
      assert error.message =~ "Pipeline.Native.encode/1: element 2 of an enumerable: " <> message
    end
  end
end
