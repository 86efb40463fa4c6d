defmodule Upcall.WarningsTest do
  use ExUnit.Case

  @moduletag :tmp_dir

  # The modules need no library: that they can't be loaded is logged, and no warning of the compiler's.
  defp compile(directory, body) do
    source = Path.join(directory, "compiled.ex")

    File.write!(source, """
    defmodule Compiled do
      use Upcall.Nif, otp_app: :upcall, path: "/nowhere"
      #{body}
    end
    """)

    ebin = Application.app_dir(:upcall, "ebin")
    arguments = ["-pa", ebin, "-o", directory, source]
    System.cmd("elixirc", arguments, stderr_to_stdout: true, env: [{"LC_ALL", "C.UTF-8"}])
  end

  # Not by the status: with --warnings-as-errors, elixirc of Elixir 1.20 ends with 0 all the same.
  defp warned?(output), do: output =~ "warning: "

  for {kind, body} <- [
        {"no native function", ""},
        {"native functions", "defnif apply(f, x)\ndefnif none()"},
        {"native functions that have specs, and functions that call them",
         """
         @spec sum((integer -> integer), integer) :: integer
         defnif sum(f, count)
         @spec primes() :: Enumerable.t()
         defnif primes()
         def twice(f), do: sum(f, 2) + sum(f, 2)
         def some, do: Enum.take(primes(), 2)
         """}
      ] do
    test "the compiler has no warning for a module with #{kind}", %{tmp_dir: directory} do
      {output, status} = compile(directory, unquote(body))
      assert status == 0 and not warned?(output), output
      assert File.exists?(Path.join(directory, "Elixir.Compiled.beam"))
    end
  end

  test "the compiler's warnings are errors to these tests", %{tmp_dir: directory} do
    {output, _status} = compile(directory, "def unused(x), do: 1")
    assert warned?(output)
    assert output =~ "unused"
  end
end
