defmodule Pipeline.ReadmeTest do
  use ExUnit.Case, async: true
  alias PipelineTest.Source

  @moduletag :tmp_dir

  defp snippets(language) do
    Regex.scan(~r/```#{language}\n(.*?)```/s, File.read!("README.md"), capture: :all_but_first)
    |> List.flatten()
  end

  defp run(code, dir) do
    {value, _} =
      code
      |> String.replace("\"UnicodeData.txt\"", inspect(Source.path()))
      |> String.replace("without_old_names.txt", Path.join(dir, "without_old_names.txt"))
      |> Code.eval_string()

    value
  end

  defp expected(change),
    do:
      Source.stream(65_536)
      |> Demo.Plain.records()
      |> change.()
      |> Demo.Plain.encode()
      |> Enum.join()

  test "the pipelines in the README run", %{tmp_dir: dir} do
    [change, count] = snippets("elixir")
    run(change, dir)

    assert File.read!(Path.join(dir, "without_old_names.txt")) ==
             expected(fn records -> Stream.map(records, &%{&1 | old_name: nil}) end)

    assert run(count, dir) ==
             Enum.count(File.stream!(Source.path()), &(&1 =~ ~r/^[^;]*;[^;]*;Nd;/))
  end

  test "the pipeline in the documentation is that of the README" do
    {:docs_v1, _, _, _, %{"en" => documentation}, _, _} = Code.fetch_docs(Pipeline)
    [change, _] = snippets("elixir")
    assert documentation =~ String.replace(change, ~r/^/m, "    ") |> String.trim_trailing()
  end

  test "the C++ in the README is that of the library" do
    [code] = snippets("cpp")
    assert File.read!("c_src/pipeline_nif.cpp") =~ code
  end

  test "the files that the README lists are all that there are to copy" do
    names = Regex.scan(~r/^\| (`.*?`) \|/m, File.read!("README.md"), capture: :all_but_first)
    listed = Regex.scan(~r/`([\w\/.]+)`/, Enum.join(names, " "), capture: :all_but_first)
    there = ["mix.exs" | Path.wildcard("c_src/*") ++ Path.wildcard("lib/**/*.ex")]
    assert Enum.sort(List.flatten(listed)) == Enum.sort(there)
  end

  test "the demo's answers are right" do
    {printed, status} =
      System.cmd("mix", ["run", "--no-compile", "demo/run.exs"],
        env: [{"MIX_ENV", "test"}],
        stderr_to_stdout: true
      )

    assert status == 0, printed
    assert printed =~ "8 of 8 results are what they should be"
  end
end
