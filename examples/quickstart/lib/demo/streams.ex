defmodule Demo.Streams do
  use Upcall.Nif, otp_app: :demo, path: "demo_streams"

  @spec primes() :: Enumerable.t()
  defnif primes()

  @spec mean(Enumerable.t(), (float -> float)) :: float
  defnif mean(numbers, f)
end
