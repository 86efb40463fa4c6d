defmodule Bench.Blocking.Once do
  @moduledoc false
  use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("once_nif")

  @spec once(atom(), (integer() -> integer()), integer()) :: {:ok, integer()} | {:error, term()}
  def once(_executor, _fun, _x), do: :erlang.nif_error(:not_loaded)
end

defmodule Bench.Blocking.Server do
  @moduledoc false
  alias Bench.{Blocking, Contender}

  @spec contenders() :: [Contender.t()]
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: __MODULE__)

    [
      Blocking.thread(
        "server",
        "f.on(server)(x) on a thread",
        &Blocking.Threads.many(&1, __MODULE__, &2, &3)
      ),
      Blocking.once("server_once", "upcall::apply in a dirty NIF that makes one call", &once/2)
    ]
  end

  defp once(fun, x) do
    {:ok, value} = Blocking.Once.once(__MODULE__, fun, x)
    value
  end
end
