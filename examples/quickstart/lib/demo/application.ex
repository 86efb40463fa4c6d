defmodule Demo.Application do
  use Application

  @impl true
  def start(_type, _arguments) do
    children = [{Upcall.Pool, name: Demo.Pool, size: 4, max_queue: 100}]
    Supervisor.start_link(children, strategy: :one_for_one, name: Demo.Supervisor)
  end
end
