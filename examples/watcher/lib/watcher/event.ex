defmodule Watcher.Event do
  @moduledoc """
  What has happened in a watched directory.

    * `:kind` - see below
    * `:path` - of the file; of the directory itself for `:started`, `:overflow` and `:gone`
    * `:directory?` - whether that is a directory
    * `:cookie` - a number that `:moved_from` and `:moved_to` of one move have in common, else `nil`

  | kind | |
  | --- | --- |
  | `:started` | the first event of every watcher: what came before is not known, so look at the directory |
  | `:created` | a file or directory is new |
  | `:modified` | something was written to a file |
  | `:closed` | a file that was open for writing is closed: it is complete, as a rule |
  | `:deleted` | |
  | `:moved_from`, `:moved_to` | a file has left this name; a file has come to this name |
  | `:overflow` | events were lost, as the handlers were too slow for the kernel's queue: look at the directory |
  | `:gone` | the directory itself was deleted or moved: the last event, the watcher ends |
  """

  @enforce_keys [:kind, :path, :directory?, :cookie]
  defstruct [:kind, :path, :directory?, :cookie]

  @type kind ::
          :started
          | :created
          | :modified
          | :closed
          | :deleted
          | :moved_from
          | :moved_to
          | :overflow
          | :gone

  @type t :: %__MODULE__{
          kind: kind(),
          path: Path.t(),
          directory?: boolean(),
          cookie: pos_integer() | nil
        }
end
