defmodule Pipeline.Native do
  @moduledoc false
  # The Elixir side of c_src/pipeline_nif.cpp.

  use Upcall.Nif, otp_app: :pipeline, path: "pipeline_native"

  @spec records(Enumerable.t(), Pipeline.keep() | nil) :: Upcall.Generator.t()
  defnif records(chunks, keep?)

  @spec encode(Enumerable.t()) :: Upcall.Generator.t()
  defnif encode(records)
end
