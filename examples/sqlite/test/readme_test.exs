defmodule Sqlite.ReadmeTest do
  use ExUnit.Case, async: true

  test "the example in the README gives what it says" do
    readme = File.read!("README.md")
    [_, code, expected] = Regex.run(~r/```elixir\n(.*)#=> (.*)\n```/s, readme)
    assert {result, _} = Code.eval_string(code)
    assert {^result, _} = Code.eval_string(expected)
  end
end
