defmodule Upcall.LoadFailure do
  @moduledoc false
  # Why a native library could not be loaded, and what to do. The texts of the VM begin with what it tried, and
  # end with the dynamic linker's own, which differ between systems.

  # glibc, musl, macOS.
  @undefined_symbol [
    ~r/undefined symbol: (\w+)/,
    ~r/Error relocating \S+ (\w+): symbol not found/,
    ~r/[sS]ymbol not found(?: in flat namespace)?:? '?_?(\w+)/
  ]

  @doc """
  Says that `module` could not load its library, `path` without `.so`, for the reason that the VM gives.
  """
  @spec message(module(), Path.t(), atom(), String.t()) :: String.t()
  def message(module, path, reason, text) do
    "#{inspect(module)}: cannot load the native library #{path}.so: #{advice(reason, text, module, path)}"
  end

  @doc """
  Gives the file that `path` would be inside of, as that of an application in an escript is.
  """
  @spec archive(Path.t()) :: Path.t() | nil
  def archive(path) do
    parent = Path.dirname(path)

    cond do
      parent == path -> nil
      File.regular?(parent) -> parent
      true -> archive(parent)
    end
  end

  @doc """
  Counts arguments in words.
  """
  @spec arguments(arity() | String.t()) :: String.t()
  def arguments(arity) when arity in [1, "1"], do: "1 argument"
  def arguments(arity), do: "#{arity} arguments"

  defp advice(:missing, _text, _module, path) do
    case archive(path) do
      nil ->
        "there is no such file; build it (make, or mix compile with elixir_make), " <>
          "or correct the :path option of use Upcall.Nif"

      archive ->
        "#{archive} is an archive (an escript?), and no library can be loaded out of one; " <>
          "put the library beside it and give its absolute path as the :path option of use Upcall.Nif, " <>
          "or make a release (mix release)"
    end
  end

  defp advice(:load_failed, text, _module, _path) do
    case Enum.find_value(@undefined_symbol, &Regex.run(&1, text)) do
      [_, symbol] ->
        "#{text}; #{undefined(symbol)}"

      nil ->
        if text =~
             ~r/cannot open shared object file|Error loading shared library|Library not loaded/,
           do: "#{text}; install that library on this machine, or link it statically",
           else: "#{text}; build it for this machine and against this Erlang/OTP"
    end
  end

  defp advice(:bad_lib, text, module, _path) do
    function = Regex.run(~r"__native_(.+)__/(\d+)", text)

    cond do
      function != nil ->
        [_, name, arity] = function

        "it has UPCALL_NIF(#{name}) for a C++ function of #{arguments(arity)}, and the module has " <>
          "no defnif of that name and number of arguments; add it, or compile the module again"

      text =~ "init function" ->
        "#{text}; write UPCALL_INIT(\"#{module}\") once, outside of all namespaces, in one of " <>
          "the files that are linked into it"

      text =~ "does not match calling module" ->
        "#{text}; the module that UPCALL_INIT names must be this one, with Elixir. in front: " <>
          "UPCALL_INIT(\"#{module}\")"

      true ->
        "#{text}; build it against this Erlang/OTP"
    end
  end

  defp advice(:load, text, _module, _path) do
    # What `load_library` (c_include/upcall/detail/library/library.ipp) returns where that is so.
    cond do
      text =~ "(3)" ->
        "no thread could be started for it: the system's limit on threads is reached " <>
          "(ulimit -u, or pids.max of the container)"

      text =~ "(4)" ->
        "some of its files were compiled with UPCALL_SEPARATE_COMPILATION and some without; define it in " <>
          "all of them (upcall_link_runtime does it for a library that a NIF library links), or in none"

      true ->
        "its load callback failed: #{text}"
    end
  end

  defp advice(_reason, text, _module, _path), do: text

  defp undefined("enif_" <> _),
    do: "this Erlang/OTP is older than the one whose erl_nif.h it was built with; build it here"

  defp undefined(symbol)
       when symbol in ~w(jump_fcontext make_fcontext ontop_fcontext) do
    "that is Boost.Context's: link its static library (-l:libboost_context.a, behind your own " <>
      "files; upcall_add_nif does it), or include <upcall/coroutines.hpp> in the place of <upcall.hpp>"
  end

  defp undefined(symbol) do
    "link the library that has #{readable(symbol)} behind your own files (-l…, or LINK … of " <>
      "upcall_add_nif), or the file of yours that should define it"
  end

  # A mangled name is read with a tool.
  defp readable("_Z" <> _ = symbol), do: "it (c++filt #{symbol} says what that is)"
  defp readable(symbol), do: symbol
end
