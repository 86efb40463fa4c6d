defmodule Bench.Blocking.Common do
  @moduledoc false
  alias Bench.{Blocking, Contender}

  defmodule Native do
    @moduledoc false
    # As one writes it by hand, in a library without Upcall.

    @on_load :load

    @spec many(atom(), (integer() -> integer()), non_neg_integer()) :: :ok
    def many(_, _, _), do: :erlang.nif_error(:not_loaded)

    @spec once(atom(), (integer() -> integer()), integer()) :: integer()
    def once(_, _, _), do: :erlang.nif_error(:not_loaded)

    @spec answer(reference(), integer()) :: :ok
    def answer(_, _), do: :erlang.nif_error(:not_loaded)

    @doc false
    def load do
      path = Bench.native_path("common_plain")

      with {:error, {_, text}} <- :erlang.load_nif(String.to_charlist(path), 0) do
        raise "cannot load #{path}.so: #{text}; bench/run.sh builds it"
      end
    end
  end

  defmodule Server do
    @moduledoc false
    use GenServer

    @impl true
    def init(nil), do: {:ok, nil}

    @impl true
    def handle_info({:call, meeting, fun, x}, nil) do
      Native.answer(meeting, fun.(x))
      {:noreply, nil}
    end
  end

  @spec contenders() :: [Contender.t()]
  def contenders do
    {:ok, _} = GenServer.start_link(Server, nil, name: Server)

    [
      # The thread sends to the process that calls this NIF.
      Blocking.thread("common", "by hand: a message, a condition variable; on a thread", fn fun,
                                                                                            count,
                                                                                            _self ->
        Native.many(Server, fun, count)
      end),
      Blocking.once(
        "common_once",
        "by hand, in a dirty NIF that makes one call",
        &Native.once(Server, &1, &2)
      )
    ]
  end
end
