defmodule Bench.Blocking.Pinned do
  @moduledoc false
  # A body on a thread of its own, whose calls the calling process serves.
  alias Bench.{Blocking, Callback, Contender}

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("pinned_nif")

    @spec many((integer -> integer), non_neg_integer()) :: integer()
    defnif many(fun, count)
  end

  @spec contenders() :: [Contender.t()]
  def contenders do
    count = Blocking.in_a_row()

    [
      %Contender{
        name: "pinned",
        about: "f(x) in a pinned NIF, among many from one",
        input: Integer.to_string(count),
        calls: count,
        prepare: &Callback.square/0,
        run: fn fun -> Native.many(fun, count) end,
        expected: Callback.expected_sum(count)
      }
    ]
  end
end
