defmodule Bench.Growth.Native do
  @moduledoc false
  use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("growth_nif")

  @spec serve((non_neg_integer -> boolean)) :: non_neg_integer()
  defnif serve(fun)

  @spec serve_in_task((non_neg_integer -> boolean)) :: non_neg_integer()
  defnif serve_in_task(fun)

  @spec payload((binary -> binary), non_neg_integer(), non_neg_integer()) :: non_neg_integer()
  defnif payload(fun, size, count)

  @spec payload_on_executor(
          (binary -> binary),
          atom(),
          non_neg_integer(),
          non_neg_integer(),
          pid()
        ) :: :ok
  defnif payload_on_executor(fun, executor, size, count, receiver)
end
