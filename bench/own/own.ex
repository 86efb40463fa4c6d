defmodule Bench.Own do
  @moduledoc false
  # What do Upcall's ways of calling cost on a user's machine? `mix upcall.bench` asks this one: few
  # contenders, few repetitions, and one native library of Upcall's, as all else is too long a wait.

  @behaviour Bench.Part

  alias Bench.{Blocking, Callback}

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("own_nif")

    @spec frame((integer -> integer), non_neg_integer()) :: integer()
    defnif frame(fun, count)

    @spec frame_once((integer -> integer), integer()) :: integer()
    defnif frame_once(fun, x)

    @spec task((integer -> integer), non_neg_integer()) :: integer()
    defnif task(fun, count)

    @spec thread((integer -> integer), atom(), non_neg_integer(), pid()) :: :ok
    defnif thread(fun, executor, count, receiver)
  end

  @server Module.concat(__MODULE__, Server)
  @pool Module.concat(__MODULE__, Pool)

  @impl true
  def title, do: "what calls of `fn x -> x * x end` cost on this machine"

  @impl true
  def setting, do: %{repetitions: 20, run_ns: 10_000_000}

  @impl true
  def contenders do
    {:ok, _} = Upcall.Server.start_link(name: @server)
    {:ok, _} = Upcall.Pool.start_link(name: @pool)

    Enum.map(
      [
        {Callback.InElixir.contenders(), "apply"},
        {Callback.Nif.contenders(), "nif"},
        {Callback.Body.many(
           "frame",
           "f(x) on a fiber, among many from one NIF call",
           &Native.frame/2,
           &Callback.square/0
         ), "frame"},
        {Callback.Body.many(
           "task",
           "f(x) in a coroutine, among many from one NIF call",
           &Native.task/2,
           &Callback.square/0
         ), "task"}
      ],
      &longest/1
    ) ++
      [
        Callback.Body.one_by_one(
          "frame_once",
          "a NIF call on a fiber that makes one",
          "1",
          &Native.frame_once/2
        ),
        thread("server", "f.on(server)(x) on a thread", @server),
        thread("pool", "f.on(pool)(x) on a thread", @pool)
      ]
  end

  # The one of a name that makes the most calls.
  defp longest({contenders, name}),
    do: contenders |> Enum.filter(&(&1.name == name)) |> Enum.max_by(& &1.calls)

  defp thread(name, about, executor),
    do: Blocking.thread(name, about, &Native.thread(&1, executor, &2, &3))
end
