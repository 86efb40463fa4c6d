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
        fn -> Callback.square_with_list(1_000_000) end
      )
  end
end
