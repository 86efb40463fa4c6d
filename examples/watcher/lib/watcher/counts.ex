defmodule Watcher.Counts do
  @moduledoc """
  What has become of a watcher's events.

    * `:handled` - the handler has returned
    * `:failed` - the handler has not returned, or not in time; the watcher's `:on_failure` was called
    * `:retried` - how often an event was tried again, because the pool did not run, or had no room or no time
    * `:overflows` - how often the kernel has lost events
  """

  @enforce_keys [:handled, :failed, :retried, :overflows]
  defstruct [:handled, :failed, :retried, :overflows]

  @type t :: %__MODULE__{
          handled: non_neg_integer(),
          failed: non_neg_integer(),
          retried: non_neg_integer(),
          overflows: non_neg_integer()
        }
end
