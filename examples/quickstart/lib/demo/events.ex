defmodule Demo.Events do
  use Upcall.Nif, otp_app: :demo, path: "demo_events"

  @doc """
  Calls `handler` with 1, 2, 3 and so on in `executor`, until it returns `false`, or until the reference
  that is returned is garbage.
  """
  @spec subscribe((integer -> boolean), pid | atom) :: reference
  defnif subscribe(handler, executor)
end
