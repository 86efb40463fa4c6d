defmodule Bench.Runtimes do
  @moduledoc false
  # What does a callback cost where other runtimes are the host of the same native loop?

  @behaviour Bench.Part

  alias Bench.{Callback, Contender, Machine, Ratio}
  alias Bench.Runtimes.Program

  # The callbacks of one run, so many that asking a program for it costs nothing next to them.
  @calls 1_000_000

  # In C, with the API that each documents as its fast one.
  @runtimes [
    {"cpython", :cpython, "PyObject_CallOneArg, CPython"},
    {"jni", :jvm, "CallLongMethodA of a LongUnaryOperator, Java"},
    {"node_api", :node, "napi_call_function, Node.js"},
    {"lua", :lua, "lua_pcall, Lua"}
  ]

  @impl true
  def title, do: "what a callback of x -> x * x costs a native loop in other runtimes"

  @impl true
  def contenders, do: ours() ++ Enum.flat_map(@runtimes, &theirs/1)

  @impl true
  def ratios do
    for count <- Enum.map(Callback.counts(), &Integer.to_string/1),
        {over, under} <- [{"frame", "jni"}, {"frame", "node_api"}, {"task", "cpython"}],
        {:ok, _} <- [Program.command(under)] do
      Ratio.over({over, count}, {under, count}, 1)
    end
  end

  defp ours do
    [Callback.InElixir, Callback.Frame, Callback.Task]
    |> Enum.flat_map(& &1.contenders())
    |> Enum.filter(&(&1.name in ["apply", "frame", "task"]))
  end

  defp theirs({name, version, about}) do
    case Program.command(name) do
      {:ok, command} ->
        {:ok, program} = Program.start_link(command)
        about = "#{about} #{Machine.versions()[version]}"
        for count <- Callback.counts(), do: contender(name, about, program, count)

      {:missing, reason} ->
        IO.puts("runtimes: no #{name}: #{reason}")
        []
    end
  end

  defp contender(name, about, program, count) do
    times = div(@calls, count)

    %Contender{
      name: name,
      about: about,
      input: Integer.to_string(count),
      calls: count * times,
      run: fn _ -> Program.run(program, count, times) end,
      expected: rem(Callback.expected_sum(count) * times, 1009)
    }
  end
end
