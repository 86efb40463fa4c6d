defmodule UpcallTest.Native do
  @moduledoc false

  @project_dir Path.expand("../..", __DIR__)

  @doc """
  Returns the path of a test NIF library, without its extension.

  `UPCALL_NATIVE_DIR` chooses a build other than `build/dev`.
  """
  @spec path(String.t()) :: Path.t()
  def path(name) do
    (System.get_env("UPCALL_NATIVE_DIR") || "build/dev/native")
    |> Path.expand(@project_dir)
    |> Path.join(name)
  end

  @doc """
  Returns that of the build of a library that has such bodies (see `UpcallTest.Bodies`).
  """
  @spec path(String.t(), :fiber | :coroutine) :: Path.t()
  def path(name, :fiber), do: path(name)
  def path(name, :coroutine), do: path(String.replace_suffix(name, "_nif", "_task_nif"))

  @doc """
  Declares two native functions, `coroutine_name` and `fiber_name`, which do the same on either body.
  """
  defmacro defnif_both({name, _, arguments}) do
    for body <- [:coroutine, :fiber] do
      quote do
        defnif unquote(:"#{body}_#{name}")(unquote_splicing(arguments))
      end
    end
  end
end
