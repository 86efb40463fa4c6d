defmodule Upcall.Server do
  @schema [
    name: [type: :name, doc: "What the process is registered as."],
    max_queue: [
      type: :non_neg_integer,
      default: 1_000,
      doc:
        "How many calls of one NIF library may wait; one more is refused at once, with " <>
          "`{:error, :overloaded}`, and a cast gives `false`."
    ],
    node: [
      type: :atom,
      doc: "The node on which functions run, by `:erpc`; without it, in this process."
    ]
  ]

  @moduledoc """
  Runs functions for native code that no Elixir process waits for: threads of a C library, dirty NIFs, and
  destructors.

      children = [{Upcall.Server, name: Demo.Events}]

  Native code calls it by its pid or by an atom that it is registered as:
  `upcall::apply(env, pid_or_name, fun, params)`, or with a function that is bound to it,
  `handler.on(executor)`. A `:global` or `:via` name is not known there; pass the pid.

  It runs one function at a time. Calls wait in the NIF library until it comes to them, in the order in which
  they were accepted, over all threads; those of several libraries take turns. So a function may do with the
  mailbox of its process what it likes: no call is in it. What was accepted runs, unless the server dies.

  A function that raises, throws or exits does not end it; one that kills its process does. Who waits for a
  call then is told, and casts that are lost with it are logged and counted (`Upcall.info/1`). While a
  function runs, `$callers` in the process dictionary names the process that called the NIF, where there is
  one.

  ## When not to use it

    * In a NIF that was given the function: it calls the function itself, in the calling process, at a
      fraction of the price.
    * For functions that may take long: they hold up all that come after them. Use `Upcall.Pool`.

  ## Options

  #{Upcall.Options.docs(@schema)}

  With `:node`, several functions may run at once, over Erlang's distribution: `:max_queue` of them (at least
  one), and as many more may wait. What they are must be known there: a closure needs its module on that node, in the same version. A node that is down, or goes down
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
    start(options, Keyword.take(options, [:name]))
  end

  @doc false
  # Of a pool: `:place` in its counters, and one call at a time also with `:node`.
  @spec start_worker(keyword()) :: GenServer.on_start()
  def start_worker(options), do: start([at_once: 1] ++ options, [])

  defp start(options, process) do
    module = if options[:node], do: Upcall.RemoteServer, else: __MODULE__
    GenServer.start_link(module, options, process)
  end

  defmodule State do
    @moduledoc false
    # `place`: in the counters of a pool, or nil. `is_due`: the message by which it goes on is in the
    # mailbox; no function runs then that could take it.
    @enforce_keys [:place, :capacity, :libraries]
    defstruct [:place, :capacity, :libraries, is_due: false]
  end

  @impl true
  def init(options) do
    Upcall.Monitor.watch_me()

    {:ok,
     %State{
       place: options[:place],
       capacity: {options[:max_queue], 1},
       libraries: Upcall.Libraries.new()
     }}
  end

  @impl true
  def handle_info({:upcall, module, link}, state) when is_atom(module) and is_reference(link) do
    state = %{state | libraries: Upcall.Libraries.add(state.libraries, {module, link})}
    {:noreply, if(state.is_due, do: state, else: run_next(state))}
  end

  def handle_info(:upcall_next, state), do: {:noreply, run_next(%{state | is_due: false})}

  # What a function left behind: a late reply, say.
  def handle_info(_stray, state), do: {:noreply, state}

  # A stray cast is dropped as well: `GenServer` would end the process for it, and with it the calls that wait.
  @impl true
  def handle_cast(_stray, state), do: {:noreply, state}

  defp run_next(state) do
    case Upcall.Libraries.take(state.libraries, state.capacity) do
      {:none, libraries} -> %{state | libraries: libraries}
      {library, call, libraries} -> run(%{state | libraries: libraries}, library, call)
    end
  end

  defp run(state, library, call) do
    Upcall.Counters.begun(state.place)
    {outcome, more} = Upcall.Executor.run(library, call)
    Upcall.Counters.ended(state.place, outcome)

    libraries =
      state.libraries
      |> Upcall.Libraries.note(library, more)
      |> Upcall.Libraries.look_around(library)

    go_on(%{state | libraries: libraries})
  end

  # By a message, so that whoever has something to say to the process is heard between two functions.
  defp go_on(state) do
    if Upcall.Libraries.ready?(state.libraries) do
      send(self(), :upcall_next)
      %{state | is_due: true}
    else
      state
    end
  end
end
