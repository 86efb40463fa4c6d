defmodule Demo.Memory do
  @moduledoc false

  @page_size 4096

  @doc "How many bytes of the machine's memory the VM has: processes, binaries, native code, all."
  def of_the_vm do
    [_size, resident | _] = "/proc/self/statm" |> File.read!() |> String.split()
    String.to_integer(resident) * @page_size
  end

  @doc "How many bytes the calling process has, apart from large binaries."
  def of_this_process, do: self() |> Process.info(:memory) |> elem(1)
end
