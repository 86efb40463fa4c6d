defmodule Bench.Runtimes.Program do
  @moduledoc false
  # Owns a program of another runtime, which answers lines of numbers. It runs on from one measurement to
  # the next, so that it stays compiled and warm.
  use GenServer

  @build Path.expand("../../build/bench", __DIR__)

  @doc """
  Returns the command of the program for a runtime, or why there is none.
  """
  @spec command(String.t()) :: {:ok, [String.t()]} | {:missing, String.t()}
  def command(runtime) do
    case File.read!(Path.join([@build, runtime, "program.txt"])) do
      "missing: " <> reason -> {:missing, String.trim(reason)}
      command -> {:ok, String.split(command, "\n", trim: true)}
    end
  end

  @spec start_link([String.t()]) :: GenServer.on_start()
  def start_link(command), do: GenServer.start_link(__MODULE__, command)

  @doc """
  Has the program make `times` native calls of `count` callbacks each, and returns their sum.
  """
  @spec run(pid(), pos_integer(), pos_integer()) :: integer()
  def run(program, count, times) do
    case GenServer.call(program, {:run, count, times}, :infinity) do
      {:ok, sum} -> sum
      {:error, message} -> raise message
    end
  end

  @impl true
  def init([executable | arguments] = command) do
    options = [:binary, :exit_status, :stderr_to_stdout, line: 10_000, args: arguments]
    port = Port.open({:spawn_executable, executable}, options)

    {:ok,
     %{
       command: Enum.join(command, " "),
       port: port,
       asked: nil,
       caller: nil,
       printed: [],
       status: nil
     }}
  end

  @impl true
  def handle_call({:run, count, times}, caller, %{status: nil} = state) do
    asked = "#{count} #{times}"
    # Not Port.command/2, which raises where the program has just ended; its status says more.
    send(state.port, {self(), {:command, [asked, ?\n]}})
    {:noreply, %{state | asked: asked, caller: caller}}
  end

  def handle_call(_, _, state), do: {:reply, {:error, ended(state)}, state}

  @impl true
  def handle_info({port, {:data, {_, line}}}, %{port: port} = state) do
    case Integer.parse(line) do
      {sum, ""} ->
        GenServer.reply(state.caller, {:ok, sum})
        {:noreply, %{state | caller: nil, printed: []}}

      # A runtime may warn of something before it answers; this is shown only where it ends.
      _ ->
        {:noreply, %{state | printed: [line | state.printed]}}
    end
  end

  def handle_info({port, {:exit_status, status}}, %{port: port} = state) do
    state = %{state | status: status}
    if state.caller, do: GenServer.reply(state.caller, {:error, ended(state)})
    {:noreply, state}
  end

  defp ended(state) do
    printed = state.printed |> Enum.reverse() |> Enum.map_join(&"  #{&1}\n")

    "#{state.command} ended with status #{state.status}; it was asked #{state.asked}, and printed:\n" <>
      "#{printed}Run it by hand and type what it was asked."
  end
end
