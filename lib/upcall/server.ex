defmodule Upcall.Server do
  @schema [
    name: [type: :name, doc: "What the process is registered as."],
    node: [
      type: :atom,
      doc: "The node on which functions run, by `:erpc`; without it, in this process."
    ]
  ]

  @moduledoc """
  Runs functions for native code that no Elixir process waits for: threads of a C library, and dirty
  NIFs.

      children = [{Upcall.Server, name: Demo.Events}]

  Native code calls it by its pid or by an atom that it is registered as:
  `upcall::apply(env, pid_or_name, fun, params)`, or with a function that is bound to it,
  `handler.on(executor)`. A `:global` or `:via` name is not known there; pass the pid.

  It runs one function at a time, in the order in which the calls come, and takes as many as come. A
  function that raises, throws or exits does not end it; one that kills its process does, and who waits
  for a call there is told. While a function runs, `$callers` in the process dictionary names the process
  that called the NIF, where there is one.

  ## When not to use it

    * In a NIF that was given the function: it calls the function itself, in the calling process, at a
      fraction of the price.
    * For functions that may take long: they hold up all that come after them. Use `Upcall.Pool`.
    * For more casts than it can run: they fill its mailbox. Use `Upcall.Pool`, which refuses them.

  ## Options

  #{Upcall.Options.docs(@schema)}

  With `:node`, several functions may run at once, over Erlang's distribution. What they are must be known
  there: a closure needs its module on that node, in the same version. A node that is down, or goes down
  meanwhile, is told as `{:error, {:down, :noconnection}}`.
  """

  use GenServer

  @doc """
  Starts an executor, linked to the calling process.

  See the module's documentation for the options; a wrong one raises `ArgumentError`.
  """
  @spec start_link(keyword()) :: GenServer.on_start()
  def start_link(options \\ []) do
    options = Upcall.Options.validate!(options, @schema, "Upcall.Server")
    start(options[:node], nil, Keyword.take(options, [:name]))
  end

  @doc false
  @spec start_worker(node() | nil, Upcall.Counters.place()) :: GenServer.on_start()
  def start_worker(node, place), do: start(node, place, [])

  defp start(nil, place, process), do: GenServer.start_link(__MODULE__, place, process)

  defp start(node, place, process),
    do: GenServer.start_link(Upcall.RemoteServer, {node, place}, process)

  # The state is the server's place in the counters of a pool, or nil.
  @impl true
  def init(place) do
    Upcall.Monitor.watch_me()
    {:ok, place}
  end

  @impl true
  def handle_info({:upcall, {_, _} = ticket, caller, function, arguments}, place) do
    Upcall.Counters.begun(place)
    outcome = Upcall.Executor.run(ticket, caller, function, arguments)
    Upcall.Counters.ended(place, outcome)
    {:noreply, place}
  end

  # What a function left behind: a late reply, say.
  def handle_info(_stray, place), do: {:noreply, place}
end
