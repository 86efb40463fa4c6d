defmodule Upcall.Application do
  @moduledoc false
  use Application

  @impl true
  def start(_type, _arguments) do
    :ok = Upcall.Contacts.make()
    Supervisor.start_link([Upcall.Monitor], strategy: :one_for_one, name: Upcall.Supervisor)
  end
end
