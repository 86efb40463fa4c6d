defmodule Watcher.Supervisor do
  @moduledoc """
  Supervises a pool and the watchers whose handlers run in it.

      children = [
        {Watcher.Supervisor,
         pool: [name: MyApp.Pool, size: 4],
         watchers: [[dir: "/srv/inbox", handler: {MyApp.Inbox, :handle}]]}
      ]

  The pool starts before the watchers and stops after them. When it dies, the watchers are not restarted:
  each keeps its event and tries it again until the pool is back, and the kernel keeps those that follow. A
  watcher that is restarted has missed what happened meanwhile. Hence `:one_for_one`, where `:rest_for_one`
  might be expected.

  ## Options

    * `:pool` - options of `Upcall.Pool`; `:name` is required
    * `:watchers` - a list of options of `Watcher`, without `:pool`
  """

  use Supervisor

  @doc """
  Starts the tree, linked to the calling process. A wrong option raises `ArgumentError`.
  """
  @spec start_link(keyword()) :: Supervisor.on_start()
  def start_link(options) do
    options = Keyword.validate!(options, [:pool, watchers: []])

    name =
      options[:pool][:name] || raise ArgumentError, "Watcher.Supervisor: missing pool: [name: …]"

    watchers = for watcher <- options[:watchers], do: {Watcher, [pool: name] ++ watcher}
    Supervisor.start_link(__MODULE__, [{Upcall.Pool, options[:pool]} | watchers])
  end

  @impl true
  def init(children), do: Supervisor.init(children, strategy: :one_for_one)
end
