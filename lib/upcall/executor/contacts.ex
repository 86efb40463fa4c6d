defmodule Upcall.Contacts do
  @moduledoc false
  # Which libraries have called which executors, and a count of that. A library makes itself known to an
  # executor by a message, which a function that runs there may take; here it stays. `Upcall.Monitor` writes
  # it down before it sends another such message: so an executor that has run a function sees by the count
  # whether it has to look here, and one that is idle gets the message.
  #
  # The table belongs to the process that starts the application, and outlives a monitor that is killed.

  @type counter :: :atomics.atomics_ref() | nil

  @spec make() :: :ok
  def make do
    :ets.new(__MODULE__, [:bag, :named_table, :public, read_concurrency: true])
    :ets.insert(__MODULE__, {:counter, :atomics.new(1, signed: false), nil})
    :ok
  end

  @doc """
  Returns what counts the contacts; nil where the application `:upcall` is not started.
  """
  @spec counter() :: counter()
  def counter do
    case :ets.whereis(__MODULE__) do
      :undefined -> nil
      table -> :ets.lookup_element(table, :counter, 2) |> hd()
    end
  end

  @spec count(counter()) :: non_neg_integer()
  def count(nil), do: 0
  def count(counter), do: :atomics.get(counter, 1)

  @doc """
  Writes down that a library has called an executor, and sends that the message of it.
  """
  @spec add(pid(), Upcall.Executor.library()) :: :ok
  def add(executor, {module, link}) do
    :ets.insert(__MODULE__, {executor, module, link})
    :atomics.add(counter(), 1, 1)
    send(executor, {:upcall, module, link})
    :ok
  end

  @doc """
  Lists the libraries that have called an executor.
  """
  @spec of(pid()) :: [Upcall.Executor.library()]
  def of(executor),
    do: for({_executor, module, link} <- :ets.lookup(__MODULE__, executor), do: {module, link})

  @doc """
  Lists the executors that were called.
  """
  @spec executors() :: [pid()]
  def executors,
    do: Enum.uniq(for {pid, _module, _link} <- :ets.tab2list(__MODULE__), is_pid(pid), do: pid)

  @spec forget(pid()) :: :ok
  def forget(executor) do
    :ets.delete(__MODULE__, executor)
    :ok
  end
end
