defmodule Upcall.Library do
  @moduledoc false
  # Loads native libraries, and says clearly why one could not be loaded.

  alias Upcall.LoadFailure

  @schema [
    otp_app: [
      type: :atom,
      required: true,
      doc: "The application in whose `priv` directory the library is."
    ],
    path: [
      type: :string,
      required: true,
      doc: "The library's path in `priv`, without `.so`. An absolute path is taken as it is."
    ],
    guard_pages: [
      type: {:in, [:auto, :mprotect]},
      default: :auto,
      doc:
        "What stops a native stack that grows too far. `:auto` takes light guard pages where the " <>
          "kernel has them (Linux 6.13), `:mprotect` never does, which allows far fewer stacks."
    ],
    max_stacks: [
      type: :pos_integer,
      doc:
        "How many native calls may be under way at once; one more raises `SystemLimitError`. " <>
          "Without it, as many as the guard pages bear: 1,000,000 with light ones, else an eighth " <>
          "of the kernel's `vm.max_map_count`."
    ]
  ]

  @doc """
  Checks the options of `use Upcall.Nif`.
  """
  @spec options!(keyword()) :: keyword()
  def options!(options), do: Upcall.Options.validate!(options, @schema, "use Upcall.Nif")

  @doc """
  Lists them in Markdown.
  """
  @spec option_docs() :: String.t()
  def option_docs, do: Upcall.Options.docs(@schema)

  @doc """
  Loads the library of `module`, whose `defnif`s are `nifs`, by `load`, or raises.

  `native_nifs` gives, once it is loaded, what the library has: the names in its table, and arities;
  or `:handwritten`, where it can't tell.
  """
  @spec load!(
          module(),
          keyword(),
          [{atom(), arity()}],
          (charlist(), map() -> term()),
          (() -> [{atom(), arity()}] | :handwritten)
        ) :: :ok
  def load!(module, options, nifs, load, native_nifs) do
    path = path(options)

    info =
      options
      |> Keyword.take([:guard_pages, :max_stacks])
      |> Map.new()
      |> Map.merge(%{
        module: module,
        dirty_io_schedulers: :erlang.system_info(:dirty_io_schedulers)
      })

    case load_once_per_name(path, &load.(String.to_charlist(&1), info)) do
      :ok -> check_declared!(module, nifs, native_nifs.(), path)
      {:error, {reason, text}} -> fail!(module, path, reason, to_string(text))
    end
  end

  @doc """
  Says that a `defnif` has no native function, which only a hand-written table can lead to.
  """
  @spec no_function(module(), atom(), arity()) :: Exception.t()
  def no_function(module, name, arity) do
    RuntimeError.exception(
      "#{inspect(module)}.#{name}/#{arity}: the library's table has no entry for it; " <>
        "add UPCALL_ENTRY(\"#{name}\", #{name})"
    )
  end

  @spec fail!(module(), Path.t(), atom(), String.t()) :: no_return()
  defp fail!(module, path, reason, text) do
    message = LoadFailure.message(module, path, reason, text)
    # An escript ends before the log has told why there is no such module.
    if LoadFailure.archive(path), do: IO.puts(:stderr, message)
    raise message
  end

  defp path(options) do
    case Path.type(options[:path]) do
      :absolute -> options[:path]
      _ -> Path.join(priv_dir(options[:otp_app]), options[:path])
    end
  end

  defp priv_dir(app) do
    case :code.priv_dir(app) do
      {:error, :bad_name} ->
        raise "use Upcall.Nif, otp_app: #{inspect(app)}: there is no such application; " <>
                "give the name that mix.exs gives as :app, or an absolute path"

      directory ->
        to_string(directory)
    end
  end

  # The dynamic linker hands out the image that it has for a path it knows, even when the file is a new
  # one by now. So a path that was tried before (the linker may keep what the VM has refused) is loaded
  # from a copy with a name of its own. The copy can go at once: the image is in memory.
  defp load_once_per_name(path, load) do
    case File.stat(path <> ".so") do
      {:ok, file} ->
        # It knows a file by its inode, too: a link to one is no new name.
        keys = for id <- [path, {file.major_device, file.inode}], do: {__MODULE__, id}
        known = Enum.any?(keys, &:persistent_term.get(&1, false))
        Enum.each(keys, &:persistent_term.put(&1, true))
        if known, do: load_copy(path, load), else: load.(path)

      {:error, _} ->
        {:error, {:missing, ""}}
    end
  end

  # Beside the original, where what it links to by $ORIGIN is found and code may be run from.
  defp load_copy(path, load) do
    name = "upcall-#{System.pid()}-#{System.unique_integer([:positive])}"
    beside = Path.join(Path.dirname(path), ".#{name}")

    with {:error, {:copy, _}} <- load_copy(path, beside, load) do
      load_copy_in(Path.join(System.tmp_dir!(), name), path, load)
    end
  end

  # Where that may not be written to, in a directory of our own: what others may write to is no place to
  # load code from.
  defp load_copy_in(directory, path, load) do
    case File.mkdir(directory) do
      :ok ->
        File.chmod!(directory, 0o700)
        load_copy(path, Path.join(directory, Path.basename(path)), load)

      {:error, reason} ->
        copy_error(directory, reason)
    end
  after
    File.rmdir(directory)
  end

  defp load_copy(path, copy, load) do
    case File.cp(path <> ".so", copy <> ".so") do
      :ok -> load.(copy)
      {:error, reason} -> copy_error(copy <> ".so", reason)
    end
  after
    File.rm(copy <> ".so")
  end

  defp copy_error(path, reason) do
    {:error, {:copy, "a copy of it, #{path}, could not be made: #{:file.format_error(reason)}"}}
  end

  # A C++ function without a `defnif` is found by the VM; this finds a `defnif` without a C++ function.
  defp check_declared!(_module, _nifs, :handwritten, _path), do: :ok

  defp check_declared!(module, nifs, native_nifs, path) do
    missing =
      Enum.find(nifs, fn {name, arity} -> {:"__native_#{name}__", arity} not in native_nifs end)

    case missing do
      nil ->
        :ok

      {name, arity} ->
        raise "#{inspect(module)}: #{path}.so has no function for `defnif #{name}/#{arity}`; " <>
                "add UPCALL_NIF(#{name}) for a C++ function of #{LoadFailure.arguments(arity)}, and build it again"
    end
  end
end
