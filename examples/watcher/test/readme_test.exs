defmodule Watcher.ReadmeTest do
  use WatcherTest.Case
  alias Watcher.Event

  test "the example in the README runs", %{tmp_dir: dir} do
    [[children], [handler]] =
      Regex.scan(~r/```elixir\n(.*?)```/s, File.read!("README.md"), capture: :all_but_first)

    Process.register(self(), WatcherTest.Readme)
    handler = String.replace(handler, "import_file(path)", "send(WatcherTest.Readme, path)")
    Code.eval_string(handler)

    {{:ok, tree}, _} = Code.eval_string(String.replace(children, "/srv/inbox", dir))
    path = Path.join(dir, "letter")
    File.write!(path, "Dear Ada,")
    assert_receive ^path
    Supervisor.stop(tree)
  end

  test "the kinds in the documentation are those that there are" do
    {:docs_v1, _, _, _, %{"en" => doc}, _, _} = Code.fetch_docs(Event)
    rows = Regex.scan(~r/^\| (`:.*`) \|/m, doc, capture: :all_but_first)
    documented = Regex.scan(~r/:\w+/, Enum.join(rows)) |> List.flatten() |> Enum.sort()

    {:ok, types} = Code.Typespec.fetch_types(Event)
    [kinds] = for {:type, {:kind, {:type, _, :union, kinds}, []}} <- types, do: kinds
    assert documented == Enum.sort(for {:atom, _, kind} <- kinds, do: inspect(kind))
  end

  test "the files that the README lists are there" do
    names = Regex.scan(~r/^\| (`.*?`) \|/m, File.read!("README.md"), capture: :all_but_first)
    listed = Regex.scan(~r/`([\w\/]+\.\w+)`/, Enum.join(names, " "), capture: :all_but_first)
    assert length(listed) > 10

    for [file] <- listed,
        do: assert(File.exists?(file) or File.exists?(Path.join("c_src", file)), file)
  end

  test "the demo prints what happens" do
    {printed, 0} =
      System.cmd("mix", ["run", "--no-compile", "demo/run.exs"],
        env: [{"MIX_ENV", "test"}],
        stderr_to_stdout: true
      )

    for kind <- ~w(started created modified closed moved_from moved_to deleted),
        do: assert(printed =~ " #{kind} ")

    assert printed =~ "0 threads are left"
  end
end
