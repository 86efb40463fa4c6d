defmodule Pipeline.ErrorsTest do
  use ExUnit.Case, async: true
  alias Pipeline.FormatError
  alias PipelineTest.Source

  @fields ~w(0041 A Lu 0 L) ++ ["", "", "", "", "N", "", "", "", "0061", ""]

  defp line(changes \\ []) do
    fields =
      Enum.reduce(changes, @fields, fn {at, text}, all -> List.replace_at(all, at, text) end)

    Enum.join(fields, ";") <> "\n"
  end

  defp received_and_error(chunks, options \\ []) do
    test = self()

    error =
      assert_raise FormatError, fn ->
        chunks |> Pipeline.records(options) |> Enum.each(&send(test, {:record, &1.code}))
      end

    {received(), error}
  end

  defp received do
    receive do
      {:record, code} -> [code | received()]
    after
      0 -> []
    end
  end

  test "a wrong line comes after the records before it, wherever chunks end" do
    good = for code <- 1..50, do: line([{0, String.pad_leading("#{code}", 4, "0")}])
    text = Enum.join(good ++ [line([{0, "00G0"}]), line()])

    for size <- [1, 7, 100, byte_size(text)] do
      {records, error} = received_and_error(Source.cut(text, size))
      assert length(records) == 50
      assert error.place == {:line, 51}

      assert Exception.message(error) ==
               "line 51: code: expected a code point of 4 to 6 hexadecimal digits, got: \"00G0\""
    end
  end

  for {at, text, message} <- [
        {0, "", "code: expected a code point of 4 to 6 hexadecimal digits, got: \"\""},
        {0, "41", "code: expected a code point of 4 to 6 hexadecimal digits, got: \"41\""},
        {0, "00041", "code: expected a code point of 4 to 6 hexadecimal digits, got: \"00041\""},
        {0, "110000",
         "code: expected a code point of 4 to 6 hexadecimal digits, got: \"110000\""},
        {0, "+041", "code: expected a code point of 4 to 6 hexadecimal digits, got: \"+041\""},
        {3, "256", "combining_class: expected a number from 0 to 255, got: \"256\""},
        {3, "-1", "combining_class: expected a number from 0 to 255, got: \"-1\""},
        {3, "01", "combining_class: expected a number from 0 to 255, got: \"01\""},
        {3, "", "combining_class: expected a number from 0 to 255, got: \"\""},
        {6, "10", "decimal: expected a digit, got: \"10\""},
        {9, "y", "mirrored?: expected Y or N, got: \"y\""},
        {14, "00e9",
         "titlecase: expected a code point of 4 to 6 hexadecimal digits, got: \"00e9\""},
        {14, "0061\r",
         "titlecase: expected a code point of 4 to 6 hexadecimal digits, got: \"0061\\r\""},
        {13, <<0xFF>>,
         "lowercase: expected a code point of 4 to 6 hexadecimal digits, got: <<255>>"}
      ] do
    test "field #{at} is not #{inspect(text)}" do
      {_, error} = received_and_error([line(), line([{unquote(at), unquote(text)}])])
      assert Exception.message(error) == "line 2: " <> unquote(message)
    end
  end

  test "lines have 15 fields" do
    for {wrong, count} <- [{"\n", 1}, {"0041;A\n", 2}, {"0041;A", 2}, {";" <> line(), 16}] do
      {[0x41], error} = received_and_error([line(), wrong])
      assert Exception.message(error) == "line 2: expected 15 fields, got: #{count}"
    end
  end

  test "a line that is too long is refused before it is there, wherever chunks end" do
    long = line() <> String.duplicate("x", 4097)

    for chunks <- [
          [long],
          [long, "\n"],
          Source.cut(long, 1000),
          Stream.concat([line()], Stream.cycle(["x"]))
        ] do
      {[0x41], error} = received_and_error(chunks)
      assert error.place == {:line, 2}
      assert Exception.message(error) =~ ~r/^line 2: expected at most 4096 bytes, got: "xxx/
    end
  end

  test "what is no enumerable is refused at once" do
    message = "Pipeline.Native.records/2: argument 1: expected an enumerable, got: 5"
    assert_raise ArgumentError, message, fn -> Pipeline.records(5) end
  end

  test "chunks are binaries" do
    message =
      ~r/^Pipeline.Native.records\/2: element 2 of an enumerable: expected a string, got: 5/

    assert_raise ArgumentError, message, fn -> Enum.to_list(Pipeline.records([line(), 5])) end
  end

  defmodule Broken do
    defexception [:message, :line]
  end

  test "what the source raises comes out as it is, with its stack trace" do
    source =
      Stream.map([line(), :broken], fn chunk -> if chunk == :broken, do: break(), else: chunk end)

    try do
      Enum.to_list(Pipeline.records(source))
      flunk("nothing was raised")
    rescue
      error in Broken ->
        assert error == %Broken{message: "no more paper", line: 2}
        assert Enum.any?(__STACKTRACE__, &match?({__MODULE__, :break, 0, _}, &1))
    end
  end

  defp break, do: raise(Broken, message: "no more paper", line: 2)

  test "what keep? raises, throws and exits with comes out as it is" do
    records = fn keep? -> Enum.to_list(Pipeline.records([line()], keep?: keep?)) end
    assert_raise Broken, fn -> records.(fn _, _ -> break() end) end
    assert catch_throw(records.(fn _, _ -> throw(:ball) end)) == :ball
    assert catch_exit(records.(fn _, _ -> exit(:stage) end)) == :stage
  end

  test "keep? gives a boolean" do
    message = ~r/expected a boolean from .*, got: :maybe/

    assert_raise ArgumentError, message, fn ->
      Enum.to_list(Pipeline.records([line()], keep?: fn _, _ -> :maybe end))
    end
  end
end
