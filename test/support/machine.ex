defmodule UpcallTest.Machine do
  @moduledoc false

  @doc """
  Whether native code is many times slower than users have it, so that fewer rounds have to do.
  """
  @spec slow?() :: boolean()
  def slow?, do: sanitized?() or emulated?()

  @doc """
  Whether native code runs under a sanitizer, which needs memory of its own.
  """
  @spec sanitized?() :: boolean()
  def sanitized?, do: System.get_env("UPCALL_SANITIZER") != nil

  @doc """
  Whether all runs in an emulator of another processor (tools/platforms.sh). Tests of what that can't do have
  `@tag unemulated: reason`.
  """
  @spec emulated?() :: boolean()
  def emulated?, do: System.get_env("UPCALL_EMULATED") != nil
end
