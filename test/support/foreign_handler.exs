# Not compiled with the project: the path of the library is that of this test run.
defmodule UpcallTest.ForeignHandler do
  @moduledoc false
  @on_load :load
  @path UpcallTest.Native.path("foreign_handler_nif")

  def load, do: :erlang.load_nif(String.to_charlist(@path), 0)
  def answer, do: :erlang.nif_error(:not_loaded)
end
