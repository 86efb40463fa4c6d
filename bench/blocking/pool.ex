defmodule Bench.Blocking.Pool do
  @moduledoc false
  alias Bench.{Blocking, Contender}

  @spec contenders() :: [Contender.t()]
  def contenders do
    {:ok, _} = Upcall.Pool.start_link(name: __MODULE__)

    [
      Blocking.thread(
        "pool",
        "f.on(pool)(x) on a thread",
        &Blocking.Threads.many(&1, __MODULE__, &2, &3)
      )
    ]
  end
end
