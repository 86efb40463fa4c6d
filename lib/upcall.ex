defmodule Upcall do
  @moduledoc """
  Lets native C++ code call Elixir and Erlang functions.

  A NIF that gets a function calls it like any C++ callable. The function runs in the process that
  called the NIF, while the native code waits on a stack of its own and holds no scheduler.

  A thread that no Elixir process waits for calls functions in an `Upcall.Server` or an `Upcall.Pool`.

  `Upcall.Nif` declares a module's NIFs; the C++ side is the header `upcall.hpp` in
  `include_dir/0`. `info/1` looks at the native calls of a library: while Elixir runs a function for it, one is
  *suspended*. When its caller is killed, nobody will resume it: it is *abandoned*, and finished on a thread of
  the library's own, so that every C++ destructor runs. Where that is not possible it is *parked*: what it holds
  is lost. A *pinned* call has a thread of its own, and is never suspended.
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

  @typedoc """
  Counts of one library's native calls:

    * `suspended` - those that have been suspended and have not ended, abandoned ones included
    * `abandoned` - those that wait to be finished, or are being finished
    * `finishing` - of the abandoned ones, those that a thread of the library runs now, at most 64; where that
      number stays, their native code computes on or waits, which is reported on standard error
    * `parked` - those that will never end; each keeps what it holds
    * `pinned` - pinned calls under way, and those that have ended while something still refers to them
    * `calls` - calls through executors that still take memory: they wait, run, or have an answer that
      somebody is to take. One that was given up, after its timeout, say, is one of them until its executor
      looks for calls again, or needs its place for another
    * `waiting` - those of them that no executor has begun yet
    * `lost_casts` - casts that were accepted and did not run, or not to the end, because their executor has
      died, or was found not to run; a count since the library was loaded
    * `stacks` - stacks of fibers that were ever needed at once, in use or kept for use
    * `max_stacks` - how many there may be; a call that needs one more raises `SystemLimitError`;
      0 in a library without fibers
    * `light_guards` - whether the kernel's light guard pages protect them
    * `stack_depths` - for each native function that has run on a fiber, by its name and arity: the `size` of its
      stacks, and how deep the `deepest` of them was when the function was suspended or had ended, both in
      bytes. In between it may have been deeper, which only a build that measures tells: see
      [Choosing a stack size](choosing_a_stack_size.md)
    * `measures_stacks` - whether the library was built so: with `UPCALL_MEASURE_STACKS`
  """
  @type info :: %{
          suspended: non_neg_integer(),
          abandoned: non_neg_integer(),
          finishing: non_neg_integer(),
          parked: non_neg_integer(),
          pinned: non_neg_integer(),
          calls: non_neg_integer(),
          waiting: non_neg_integer(),
          lost_casts: non_neg_integer(),
          stacks: non_neg_integer(),
          max_stacks: non_neg_integer(),
          light_guards: boolean(),
          stack_depths: %{
            {atom(), arity()} => %{size: pos_integer(), deepest: non_neg_integer()}
          },
          measures_stacks: boolean()
        }

  @doc """
  Counts the native calls of the library that `module` has loaded with `use Upcall.Nif`.

  A module without one raises `ArgumentError`.
  """
  @spec info(module()) :: info()
  def info(module) do
    if Code.ensure_loaded?(module) and function_exported?(module, :__upcall_info__, 0) do
      module.__upcall_info__()
    else
      raise ArgumentError, "expected a module with `use Upcall.Nif`, got: #{inspect(module)}"
    end
  end
end
