defmodule Bench.Callback.Frame do
  @moduledoc false
  alias Bench.{Callback, Contender}

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("frame_nif")

    @spec many((integer -> integer), non_neg_integer()) :: integer()
    defnif many(fun, count)

    @spec once((integer -> integer), integer()) :: integer()
    defnif once(fun, x)

    @spec none((integer -> integer), integer()) :: integer()
    defnif none(fun, x)
  end

  @spec contenders() :: [Contender.t()]
  def contenders do
    Callback.Body.contenders(
      "frame",
      "on a fiber",
      &Native.many/2,
      &Native.once/2,
      &Native.none/2
    ) ++
      Callback.Body.many(
        "frame_big_closure",
        "f(x) that captured a million-element list",
        &Native.many/2,
        &square_with_big_list/0
      )
  end

  defp square_with_big_list do
    list = Enum.to_list(1..1_000_000)

    fun = fn
      x when is_integer(x) -> x * x
      :captured -> list
    end

    # Made sure of, as an optimiser could leave the list out.
    {:env, [^list]} = Function.info(fun, :env)
    fun
  end
end
