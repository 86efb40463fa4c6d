defmodule Pipeline.RecordsTest do
  use ExUnit.Case, async: true
  alias PipelineTest.Source

  @a "0041;LATIN CAPITAL LETTER A;Lu;0;L;;;;;N;;;;0061;\n"
  @half "00BD;VULGAR FRACTION ONE HALF;No;0;ON;<fraction> 0031 2044 0032;;;1/2;N;FRACTION ONE HALF;;;;\n"

  defp codes(chunks), do: chunks |> Pipeline.records() |> Enum.map(& &1.code)

  describe "chunks" do
    for size <- [1, 7, 4096, 10_000_000] do
      test "of #{size} bytes give the records that plain Elixir finds" do
        expected = Demo.Plain.records(Source.stream(65_536))
        records = Pipeline.records(Source.stream(unquote(size)))
        assert records |> Stream.zip(expected) |> Enum.all?(fn {one, other} -> one == other end)
        assert Enum.count(records) == Enum.count(expected)
      end
    end

    test "may end anywhere" do
      text = @a <> @half

      for size <- 1..byte_size(text) do
        assert codes(Source.cut(text, size)) == [0x41, 0xBD], "chunks of #{size} bytes"
      end
    end

    test "may be empty" do
      assert codes([]) == []
      assert codes([""]) == []
      assert codes(["", @a, "", "", @half, ""]) == [0x41, 0xBD]
    end

    test "may have any number of lines" do
      assert codes([String.duplicate(@a, 3), @half]) == [0x41, 0x41, 0x41, 0xBD]
    end

    test "come from any enumerable" do
      assert codes(Stream.map([@a, @half], & &1)) == [0x41, 0xBD]
      assert codes(MapSet.new([@a])) == [0x41]
    end
  end

  describe "the last line" do
    test "needs no newline" do
      without = String.trim_trailing(@half, "\n")
      assert codes([@a, without]) == [0x41, 0xBD]
      assert codes([without, ""]) == [0xBD]
    end

    test "is none where the text ends with a newline that is a chunk of its own" do
      assert codes([String.trim_trailing(@a, "\n"), "\n"]) == [0x41]
    end
  end

  test "fields are what they are in Elixir, and nil where they are empty" do
    assert [a, half] = Enum.to_list(Pipeline.records([@a, @half]))

    assert a == %Pipeline.Record{
             code: ?A,
             name: "LATIN CAPITAL LETTER A",
             category: "Lu",
             combining_class: 0,
             bidi_class: "L",
             mirrored?: false,
             lowercase: ?a
           }

    assert half.decomposition == "<fraction> 0031 2044 0032"
    assert half.numeric == "1/2"
    assert half.old_name == "FRACTION ONE HALF"
  end

  describe "keep?" do
    test "is asked for each line, and decides" do
      test = self()

      keep? = fn code, category ->
        send(test, {:asked, code, category, self()})
        category == "No"
      end

      assert [%{code: 0xBD}] = [@a, @half] |> Pipeline.records(keep?: keep?) |> Enum.to_list()
      assert_received {:asked, 0x41, "Lu", ^test}
      assert_received {:asked, 0xBD, "No", ^test}
    end

    test "gives what Stream.filter would" do
      kept = Pipeline.records(Source.stream(4096), keep?: fn _, category -> category == "Nl" end)

      filtered = Stream.filter(Pipeline.records(Source.stream(4096)), &(&1.category == "Nl"))
      assert Enum.to_list(kept) == Enum.to_list(filtered)
      assert Enum.count(kept) > 100
    end

    test "spares the other fields of what is not wanted" do
      damaged = String.replace(@a, ";N;", ";?;")
      assert [] = [damaged] |> Pipeline.records(keep?: fn _, _ -> false end) |> Enum.to_list()
    end

    test "has two arguments" do
      message = ~r/option :keep\?: expected a function of two arguments, got: #Function/
      assert_raise ArgumentError, message, fn -> Pipeline.records([], keep?: & &1) end
    end
  end

  test "the same records can be enumerated again, and several times at once" do
    records = Pipeline.records([@a, @half])
    assert Enum.to_list(records) == Enum.to_list(records)
    assert [{a, a}, {half, half}] = Enum.zip(records, records)
    assert {a.code, half.code} == {0x41, 0xBD}
  end
end
