defmodule UpcallTest.ReadmeTest do
  use ExUnit.Case, async: true

  @root Path.expand("..", __DIR__)

  test "the README's examples are the files that the examples' tests run" do
    readme = File.read!(Path.join(@root, "README.md"))
    blocks = Regex.scan(~r/<!-- (\S+) -->\n```\w+\n(.*?)```\n/s, readme, capture: :all_but_first)

    assert length(blocks) == 6
    for [path, code] <- blocks, do: assert(File.read!(Path.join(@root, path)) == code, path)
  end

  # The session's module is not in this VM: it is run where the example's own tests are.
  test "the README's session is what the example prints" do
    readme = File.read!(Path.join(@root, "README.md"))
    session = Regex.scan(~r/^iex> (.*)\n(.*)$/m, readme, capture: :all_but_first)
    tests = File.read!(Path.join(@root, "examples/quickstart/test/demo_test.exs"))

    assert length(session) == 5
    for [call, printed] <- session, text <- [call, printed], do: assert(tests =~ inspect(text))
  end

  test "links in the documents lead somewhere" do
    for document <- ["README.md" | Path.wildcard(Path.join(@root, "docs/*.md"))],
        document = Path.expand(document, @root),
        # A lambda in C++ looks like a link.
        text = Regex.replace(~r/^```.*?^```/ms, File.read!(document), ""),
        [target] <- Regex.scan(~r/\]\((?!https?:)([^)#]+)[^)]*\)/, text, capture: :all_but_first) do
      assert File.exists?(Path.expand(target, Path.dirname(document))), "#{document}: #{target}"
    end
  end
end
