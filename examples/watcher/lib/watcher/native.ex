defmodule Watcher.Native do
  @moduledoc false
  # The Elixir side of c_src/watcher_nif.cpp.

  use Upcall.Nif, otp_app: :watcher, path: "watcher_native"

  @typedoc "A watched directory. When no process holds it any more, its thread ends by itself."
  @type watch :: reference()

  # Starts a thread that calls `handler` in `pool` for each event, and tells `owner` what goes wrong.
  # Raises `Watcher.Error`.
  @spec start(Path.t(), (Watcher.Event.t() -> term()), pid() | atom(), pos_integer(), pid()) ::
          watch()
  defnif start(dir, handler, pool, timeout, owner)

  # Ends the thread, and waits for that.
  @spec stop(watch()) :: :ok
  defnif stop(watch)

  @spec count(watch()) :: Watcher.Counts.t()
  defnif count(watch)

  # How many watching threads there are in this VM.
  @spec threads() :: non_neg_integer()
  defnif threads()
end
