defmodule UpcallTest.Memory do
  @moduledoc false

  @doc """
  Returns the VM's resident memory, in kilobytes.
  """
  @spec resident_kilobytes() :: pos_integer()
  def resident_kilobytes do
    [_, kilobytes] = Regex.run(~r/^VmRSS:\s+(\d+) kB$/m, File.read!("/proc/self/status"))
    String.to_integer(kilobytes)
  end
end
