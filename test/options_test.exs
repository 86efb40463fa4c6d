defmodule Upcall.OptionsTest do
  use ExUnit.Case, async: true

  alias Upcall.Options

  @schema [
    otp_app: [type: :atom, required: true, doc: "The application."],
    path: [type: :string, doc: "The file."],
    max_frames: [type: :pos_integer, default: 100_000, doc: "The cap."],
    guard_pages: [type: {:in, [:auto, :mprotect]}, default: :auto, doc: "The way."]
  ]

  test "fills in defaults, and leaves out what has none" do
    assert Options.validate!([otp_app: :demo], @schema, "Here") ==
             [otp_app: :demo, max_frames: 100_000, guard_pages: :auto]
  end

  test "keeps what is given" do
    options = [otp_app: :demo, path: "a/b", max_frames: 1, guard_pages: :mprotect]
    assert Options.validate!(options, @schema, "Here") == options
  end

  test "keeps a default of nil or false" do
    schema = [a: [type: :any, default: nil], b: [type: :boolean, default: false]]
    assert Options.validate!([], schema, "Here") == [a: nil, b: false]
  end

  test "names an unknown option and the known ones" do
    message =
      "Here: unknown option :sise, known options are :otp_app, :path, :max_frames, :guard_pages"

    assert_raise ArgumentError, message, fn ->
      Options.validate!([otp_app: :demo, sise: 1], @schema, "Here")
    end
  end

  test "names a missing option" do
    assert_raise ArgumentError, "Here: missing option :otp_app, expected an atom", fn ->
      Options.validate!([path: "x"], @schema, "Here")
    end
  end

  test "refuses what is no keyword list" do
    for wrong <- [:demo, %{otp_app: :demo}, [:otp_app], [{"otp_app", :demo}]] do
      message = "Here: expected a keyword list of options, got: #{inspect(wrong)}"

      assert_raise ArgumentError, message, fn -> Options.validate!(wrong, @schema, "Here") end
    end
  end

  for {type, right, wrong, expected} <- [
        {:atom, :a, "a", "an atom"},
        {:string, "a", ~c"a", "a string"},
        {:string, "ä", <<255>>, "a string"},
        {:boolean, false, nil, "a boolean"},
        {:pos_integer, 1, 0, "a positive integer"},
        {:pos_integer, 1, -1, "a positive integer"},
        {:non_neg_integer, 0, 1.0, "a non-negative integer"},
        {:timeout, :infinity, -1, "a number of milliseconds or :infinity"},
        {:timeout, 0, :never, "a number of milliseconds or :infinity"},
        {{:in, [:auto, :mprotect]}, :auto, :none, "one of :auto, :mprotect"}
      ] do
    @type_case {type, right, wrong, expected}

    test "type #{inspect(type)} takes #{inspect(right)} and refuses #{inspect(wrong)}" do
      {type, right, wrong, expected} = @type_case
      schema = [x: [type: type]]

      assert Options.validate!([x: right], schema, "Here") == [x: right]

      message = "Here: option :x: expected #{expected}, got: #{inspect(wrong)}"
      assert_raise ArgumentError, message, fn -> Options.validate!([x: wrong], schema, "Here") end
    end
  end

  test "type :any takes everything" do
    assert Options.validate!([x: %{}], [x: [type: :any]], "Here") == [x: %{}]
  end

  test "docs list every option with its type and its default" do
    assert Options.docs(@schema) == """
             * `:otp_app` - an atom, required. The application.
             * `:path` - a string. The file.
             * `:max_frames` - a positive integer, by default `100000`. The cap.
             * `:guard_pages` - one of :auto, :mprotect, by default `:auto`. The way.\
           """
  end
end
