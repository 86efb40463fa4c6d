defmodule Bench.Callback.Sort do
  @moduledoc false
  alias Bench.Contender

  defmodule Native do
    @moduledoc false
    use Upcall.Nif, otp_app: :upcall, path: Bench.native_path("sort_nif")

    @spec sort((integer, integer -> boolean), non_neg_integer()) :: non_neg_integer()
    defnif sort(less, count)

    @spec comparisons(non_neg_integer()) :: non_neg_integer()
    defnif comparisons(count)
  end

  @numbers 100_000

  @spec contenders() :: [Contender.t()]
  def contenders do
    comparisons = Native.comparisons(@numbers)

    [
      %Contender{
        name: "sort",
        about: "a comparison of std::stable_sort, on a fiber",
        input: Integer.to_string(@numbers),
        calls: comparisons,
        prepare: fn -> fn a, b -> a < b end end,
        run: fn less -> Native.sort(less, @numbers) end,
        expected: comparisons
      }
    ]
  end
end
