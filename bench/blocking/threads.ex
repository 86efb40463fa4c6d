defmodule Bench.Blocking.Threads do
  @moduledoc false
  use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("threads_nif")

  @spec many((integer -> integer), atom(), non_neg_integer(), pid()) :: :ok
  defnif many(fun, executor, count, receiver)

  @spec async((integer -> integer), atom(), non_neg_integer(), pid()) :: :ok
  defnif async(fun, executor, count, receiver)

  @spec map((integer -> integer), atom(), non_neg_integer(), non_neg_integer(), pid()) :: :ok
  defnif map(fun, executor, count, times, receiver)
end
