defmodule Upcall.ExecutorError do
  @moduledoc """
  Says that an executor (`Upcall.Server`, `Upcall.Pool`) did not run a function, or not to its end.

  A NIF raises it where its C++ code calls a function through an executor and lets the failure pass.

    * `:reason` - `:timeout`, `{:down, reason}`, `:noproc`, `:calling_self` or `:overloaded`
    * `:executor` - the pid or the name that was called
    * `:begun` - whether the function had begun; where not, it never will, and it is safe to try again
    * `:message` - the same for readers, with what to do
  """

  defexception [:message, :reason, :executor, :begun]

  @type t :: %__MODULE__{
          message: String.t(),
          reason: :timeout | {:down, term()} | :noproc | :calling_self | :overloaded,
          executor: pid() | atom(),
          begun: boolean()
        }
end
