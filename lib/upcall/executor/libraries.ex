defmodule Upcall.Libraries do
  @moduledoc false
  # The libraries that an executor knows, and in which order it takes their calls: in turn, each after its
  # message has come. A function may take messages out of the mailbox that were for the executor. So after
  # each function the executor looks whether a library that it knows has calls for it, and whether one has
  # called it for the first time (`Upcall.Contacts`).

  alias Upcall.{Contacts, Executor}

  @enforce_keys [:contacts, :seen]
  # `ready`: those that may have a call, the next one first. `late`: those behind them, the last one first.
  defstruct [:contacts, :seen, known: [], ready: [], late: []]

  @type t :: %__MODULE__{
          contacts: Contacts.counter(),
          seen: non_neg_integer(),
          known: [Executor.library()],
          ready: [Executor.library()],
          late: [Executor.library()]
        }

  @spec new() :: t()
  def new do
    contacts = Contacts.counter()
    # None can have called this process yet that it would have to look for.
    %__MODULE__{contacts: contacts, seen: Contacts.count(contacts)}
  end

  @doc """
  Notes that a library may have a call.
  """
  @spec add(t(), Executor.library()) :: t()
  def add(libraries, library) do
    libraries = know(libraries, library)

    if ready?(libraries, library),
      do: libraries,
      else: %{libraries | late: [library | libraries.late]}
  end

  @doc """
  Takes the next call there is.
  """
  @spec take(t(), Executor.capacity()) ::
          {Executor.library(), Executor.call(), t()} | {:none, t()}
  def take(%{ready: [], late: []} = libraries, _capacity), do: {:none, libraries}

  def take(%{ready: []} = libraries, capacity),
    do: take(%{libraries | ready: Enum.reverse(libraries.late), late: []}, capacity)

  def take(%{ready: [library | ready]} = libraries, capacity) do
    libraries = %{libraries | ready: ready}

    case Executor.take(library, capacity) do
      :none -> take(libraries, capacity)
      nil -> take(forget(libraries, library), capacity)
      call -> {library, call, libraries}
    end
  end

  @doc """
  Notes whether a library has more calls, as it has said with the answer to one.
  """
  @spec note(t(), Executor.library(), Executor.more()) :: t()
  def note(libraries, library, true), do: add(libraries, library)
  def note(libraries, _library, false), do: libraries
  def note(libraries, library, nil), do: forget(libraries, library)

  @doc """
  Looks for calls whose messages the function that has just ended may have taken: of all libraries but the
  one that it was called by.
  """
  @spec look_around(t(), Executor.library()) :: t()
  def look_around(libraries, called_by) do
    libraries = look_for_new(libraries)

    case libraries.known do
      [^called_by] -> libraries
      known -> Enum.reduce(known, libraries, &if(&1 == called_by, do: &2, else: look(&2, &1)))
    end
  end

  defp look(libraries, library) do
    if ready?(libraries, library),
      do: libraries,
      else: note(libraries, library, Executor.look(library))
  end

  defp look_for_new(libraries) do
    count = Contacts.count(libraries.contacts)

    if count == libraries.seen,
      do: libraries,
      else: Enum.reduce(Contacts.of(self()), %{libraries | seen: count}, &know(&2, &1))
  end

  defp know(%{known: known} = libraries, library),
    do: if(library in known, do: libraries, else: %{libraries | known: [library | known]})

  defp forget(libraries, library), do: %{libraries | known: List.delete(libraries.known, library)}

  defp ready?(libraries, library), do: library in libraries.late or library in libraries.ready

  @doc """
  Says whether some library may have a call.
  """
  @spec ready?(t()) :: boolean()
  def ready?(libraries), do: libraries.ready != [] or libraries.late != []
end
