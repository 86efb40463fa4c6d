defmodule Bench.Own.Build do
  @moduledoc false
  # Builds the native libraries of Bench.Own in a project that depends on Upcall, where there need be no
  # CMake.

  @sources ["own/own_nif.cpp", "callback/square_plain.cpp"]
  @bench Path.expand("..", __DIR__)

  # Those of upcall_add_nif in cmake/UpcallAddNif.cmake.
  @flags ~w(-std=c++20 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -fstack-clash-protection)
  @libraries ~w(-Wl,--exclude-libs,ALL -l:libboost_context.a)

  # Says what the compiler is, and whether it finds Boost's headers.
  @probe """
  #if __has_include(<boost/context/detail/fcontext.hpp>)
  #include <boost/version.hpp>
  #endif
  int main() {}
  """

  @doc """
  Builds the libraries into `dir`/native, unless they are there and what they are made of has not changed.

  Takes the compiler from the environment variable CXX, and flags for it from CXXFLAGS.
  """
  @spec run(Path.t(), Path.t()) :: :ok
  def run(dir, erlang_root \\ to_string(:code.root_dir())) do
    File.mkdir_p!(Path.join(dir, "native"))
    erlang_include = erlang_include!(erlang_root)
    {compiler, optimise} = compiler!()
    includes = ["-isystem", Upcall.include_dir(), "-isystem", erlang_include]
    command = compiler ++ @flags ++ optimise ++ includes

    probe = Path.join(dir, "probe.cpp")
    File.write!(probe, @probe)
    macros = probe!(command ++ ["-E", "-dM", probe])
    boost = boost_version!(macros, command ++ ["-shared", probe, "-o", probe <> ".so"])

    made_of = fingerprint([command, macros], erlang_include)
    made_of_path = Path.join(dir, "made_of.txt")

    unless Enum.all?(@sources, &File.exists?(library(dir, &1))) and
             File.read(made_of_path) == {:ok, made_of} do
      # A build that is broken off is no build.
      File.rm(made_of_path)
      Mix.shell().info("building the native part once, with #{hd(compiler)}: some seconds")
      Enum.each(@sources, &build!(command, dir, &1))

      File.write!(Path.join(dir, "versions.txt"), """
      compiler: #{Enum.join([compiler_version(macros) | optimise], " ")}
      boost: #{boost}
      """)

      File.write!(made_of_path, made_of)
    end

    :ok
  end

  defp compiler! do
    [name | arguments] = split("CXX", "c++")

    unless System.find_executable(name) do
      Mix.raise(
        "the C++ compiler #{name} was not found; install one (Debian: apt-get install g++) " <>
          "or set CXX to one that is there: g++ 12, clang 14 or newer"
      )
    end

    {[name | arguments], ["-O2" | split("CXXFLAGS", "")]}
  end

  defp split(variable, default) do
    case OptionParser.split(System.get_env(variable, "")) do
      [] -> OptionParser.split(default)
      words -> words
    end
  end

  defp erlang_include!(root) do
    include = Path.join(root, "usr/include")

    unless File.exists?(Path.join(include, "erl_nif.h")) do
      Mix.raise(
        "erl_nif.h is not in #{include}; install Erlang's headers (Debian: apt-get install erlang-dev)"
      )
    end

    include
  end

  defp probe!(command) do
    with {:error, said} <- execute(command), do: raise_failed(command, said)
  end

  defp boost_version!(macros, link) do
    with [_, version] <- Regex.run(~r/BOOST_LIB_VERSION "(.+)"/, macros),
         said when is_binary(said) <- execute(link ++ @libraries) do
      String.replace(version, "_", ".")
    else
      _ ->
        Mix.raise(
          "Boost.Context's static library libboost_context.a or its headers were not found; install " <>
            "them (Debian: apt-get install libboost-context-dev) or set CXXFLAGS to " <>
            "\"-I<folder of its headers> -L<folder of the library>\""
        )
    end
  end

  defp build!(command, dir, source) do
    libraries = if String.ends_with?(source, "_nif.cpp"), do: @libraries, else: []

    command =
      command ++
        ["-shared", Path.join(@bench, source), "-o", library(dir, source)] ++ libraries

    with {:error, said} <- execute(command), do: raise_failed(command, said)
  end

  defp library(dir, source),
    do: Path.join([dir, "native", Path.basename(source, ".cpp") <> ".so"])

  defp execute([name | arguments]) do
    case System.cmd(name, arguments, stderr_to_stdout: true) do
      {said, 0} -> said
      {said, _} -> {:error, said}
    end
  end

  defp raise_failed(command, said) do
    Mix.raise(
      "the C++ compiler failed:\n\n#{Enum.join(command, " ")}\n#{said}\n" <>
        "Upcall needs g++ 12, clang 14 or newer; CXX says which one to take, CXXFLAGS its flags"
    )
  end

  # The contents, not the times: what a package manager unpacks is often older than what was built of it.
  defp fingerprint(commands, erlang_include) do
    files =
      Enum.map(@sources, &Path.join(@bench, &1)) ++
        Path.wildcard(Path.join(Upcall.include_dir(), "**/*.{hpp,ipp}")) ++
        Path.wildcard(Path.join(erlang_include, "erl_nif*.h"))

    Base.encode16(
      :erlang.md5([:erlang.term_to_binary(commands) | Enum.map(files, &File.read!/1)])
    )
  end

  defp compiler_version(macros) do
    {name, parts} =
      if macros =~ "#define __clang__ ",
        do: {"Clang", ~w(__clang_major__ __clang_minor__ __clang_patchlevel__)},
        else: {"GNU", ~w(__GNUC__ __GNUC_MINOR__ __GNUC_PATCHLEVEL__)}

    # As CMake writes it.
    "#{name} #{Enum.map_join(parts, ".", &macro(macros, &1))}"
  end

  defp macro(macros, name) do
    case Regex.run(~r/^#define #{name} (\S+)/m, macros) do
      [_, value] -> value
      nil -> "?"
    end
  end
end
