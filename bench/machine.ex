defmodule Bench.Machine do
  @moduledoc false
  # What a figure must come with.

  # Written by what built the native libraries.
  @versions Bench.native_path("../versions.txt")

  @spec machine() :: [{atom(), String.t() | pos_integer()}]
  def machine do
    [
      cpu: find("/proc/cpuinfo", ~r/^model name\s*:\s*(.+)$/m),
      cores: :erlang.system_info(:logical_processors_available) |> known(),
      schedulers: System.schedulers_online(),
      flags: flags(),
      kernel: kernel(),
      os: find("/etc/os-release", ~r/^PRETTY_NAME="?([^"\n]+)"?$/m)
    ]
  end

  @spec versions() :: [{atom(), String.t()}]
  def versions do
    [
      upcall: to_string(Application.spec(:upcall, :vsn)),
      otp: otp(),
      elixir: System.version(),
      compiler: find(@versions, ~r/^compiler: (.+)$/m),
      boost: find(@versions, ~r/^boost: (.+)$/m)
    ] ++ runtimes()
  end

  # Those of the other runtimes that were found.
  defp runtimes do
    for name <- [:cpython, :jvm, :node, :lua],
        version = find(@versions, ~r/^#{name}: (.+)$/m, nil),
        do: {name, version}
  end

  @doc """
  Returns the line that a chart has beneath it.
  """
  @spec line() :: String.t()
  def line do
    {machine, versions} = {machine(), versions()}
    [kernel] = Regex.run(~r/^[^.]*\.\d+|.*/, machine[:kernel])

    "#{machine[:cpu]}, #{machine[:cores]} cores, kernel #{kernel}, OTP #{versions[:otp]}, " <>
      "Elixir #{versions[:elixir]}, #{versions[:compiler]}; `make bench`"
  end

  @doc """
  Returns the flags of the emulator that say how it runs.
  """
  @spec flags() :: String.t()
  def flags do
    case String.trim(System.get_env("ERL_FLAGS", "")) do
      "" -> "default"
      flags -> flags
    end
  end

  defp kernel do
    {family, name} = :os.type()

    version =
      with {_, _, _} = triple <- :os.version(), do: triple |> Tuple.to_list() |> Enum.join(".")

    find("/proc/sys/kernel/osrelease", ~r/(.+)/, "#{family} #{name} #{version}")
  end

  # system_info(:otp_release) has no patch level.
  defp otp do
    release = List.to_string(:erlang.system_info(:otp_release))
    find(Path.join([:code.root_dir(), "releases", release, "OTP_VERSION"]), ~r/(\S+)/, release)
  end

  defp find(file, pattern, otherwise \\ "unknown") do
    with {:ok, text} <- File.read(file), [_, found] <- Regex.run(pattern, text) do
      String.trim(found)
    else
      _ -> otherwise
    end
  end

  defp known(count) when is_integer(count), do: count
  defp known(:unknown), do: System.schedulers()
end
