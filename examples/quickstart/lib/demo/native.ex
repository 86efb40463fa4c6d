defmodule Demo.Native do
  use Upcall.Nif, otp_app: :demo, path: "demo_native"

  @spec integrate((float -> float), float, float) :: float
  defnif integrate(f, a, b)
end
