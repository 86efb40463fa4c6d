defmodule Upcall do
  @moduledoc """
  Lets native C++ code call Elixir and Erlang functions.

  A NIF that gets a function calls it like any C++ callable. The function runs in the process that
  called the NIF, while the native code waits on a stack of its own and holds no scheduler.

  A thread that no Elixir process waits for calls functions in an `Upcall.Server` or an `Upcall.Pool`.

  `Upcall.Nif` declares a module's NIFs; the C++ side is the header `upcall.hpp` in
  `include_dir/0`.
  """

  # Not `include`, which Mix takes for a folder of Erlang headers.
  @include_dir Path.expand("../c_include", __DIR__)

  @doc """
  Returns the absolute path of the folder that holds `upcall.hpp`.

  For builds without CMake, such as a Makefile run by `elixir_make`:

      make_env: fn -> %{"UPCALL_INCLUDE" => Upcall.include_dir()} end
  """
  @spec include_dir() :: Path.t()
  def include_dir, do: @include_dir
end
