defmodule Bench.Blocking.Async do
  @moduledoc false
  # Many calls in flight from one thread.
  alias Bench.{Blocking, Contender}

  @spec contenders() :: [Contender.t()]
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: __MODULE__)

    [
      Blocking.thread(
        "async",
        "f.on(server).submit(x) on a thread, 64 calls in flight",
        &Blocking.Threads.async(&1, __MODULE__, &2, &3)
      )
    ]
  end
end
