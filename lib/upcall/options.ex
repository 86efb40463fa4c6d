defmodule Upcall.Options do
  @moduledoc false
  # A schema describes an option list once, for the check and for the docs:
  #
  #     [
  #       otp_app: [type: :atom, required: true, doc: "The application whose `priv` is searched."],
  #       max_stacks: [type: :pos_integer, doc: "How many calls may be suspended."]
  #     ]
  #
  # An option that is neither given nor has a default is absent from the result.

  @type type ::
          :atom
          | :string
          | :boolean
          | :pos_integer
          | :non_neg_integer
          | :timeout
          | :name
          | :any
          | {:in, [term(), ...]}

  @type schema :: [
          {atom(), [type: type(), required: boolean(), default: term(), doc: String.t()]}
        ]

  @doc """
  Checks `options` and fills in the defaults, in the order of the schema.

  `where` opens the message of the `ArgumentError`, such as `"Upcall.Nif"`.
  """
  @spec validate!(term(), schema(), String.t()) :: keyword()
  def validate!(options, schema, where) do
    unless Keyword.keyword?(options) do
      raise ArgumentError,
            "#{where}: expected a keyword list of options, got: #{inspect(options)}"
    end

    for {name, _value} <- options, not Keyword.has_key?(schema, name) do
      known = Enum.map_join(schema, ", ", fn {known, _spec} -> inspect(known) end)
      raise ArgumentError, "#{where}: unknown option #{inspect(name)}, known options are #{known}"
    end

    Enum.flat_map(schema, fn {name, spec} ->
      case Keyword.fetch(options, name) do
        {:ok, value} -> [{name, check!(value, spec[:type], name, where)}]
        :error -> default!(spec, name, where)
      end
    end)
  end

  @doc """
  Lists the options of a schema in Markdown.
  """
  @spec docs(schema()) :: String.t()
  def docs(schema) do
    Enum.map_join(schema, "\n", fn {name, spec} ->
      "  * `#{inspect(name)}` - #{describe(spec[:type])}#{presence(spec)}. #{spec[:doc]}"
    end)
  end

  defp check!(value, type, name, where) do
    if valid?(type, value) do
      value
    else
      raise ArgumentError,
            "#{where}: option #{inspect(name)}: expected #{describe(type)}, got: #{inspect(value)}"
    end
  end

  defp default!(spec, name, where) do
    if spec[:required] do
      raise ArgumentError,
            "#{where}: missing option #{inspect(name)}, expected #{describe(spec[:type])}"
    end

    case Keyword.fetch(spec, :default) do
      {:ok, default} -> [{name, default}]
      :error -> []
    end
  end

  defp valid?(:atom, value), do: is_atom(value)
  defp valid?(:string, value), do: is_binary(value) and String.valid?(value)
  defp valid?(:boolean, value), do: is_boolean(value)
  defp valid?(:pos_integer, value), do: is_integer(value) and value > 0
  defp valid?(:non_neg_integer, value), do: is_integer(value) and value >= 0
  defp valid?(:timeout, value), do: value == :infinity or valid?(:non_neg_integer, value)
  defp valid?(:name, {:global, _name}), do: true
  defp valid?(:name, {:via, module, _name}), do: is_atom(module)
  defp valid?(:name, name), do: is_atom(name) and name not in [nil, true, false]
  defp valid?(:any, _value), do: true
  defp valid?({:in, allowed}, value), do: value in allowed

  defp describe(:atom), do: "an atom"
  defp describe(:string), do: "a string"
  defp describe(:boolean), do: "a boolean"
  defp describe(:pos_integer), do: "a positive integer"
  defp describe(:non_neg_integer), do: "a non-negative integer"
  defp describe(:timeout), do: "a number of milliseconds or :infinity"
  defp describe(:name), do: "an atom, {:global, term} or {:via, module, term}"
  defp describe(:any), do: "any term"
  defp describe({:in, allowed}), do: "one of " <> Enum.map_join(allowed, ", ", &inspect/1)

  defp presence(spec) do
    cond do
      spec[:required] -> ", required"
      Keyword.has_key?(spec, :default) -> ", by default `#{inspect(spec[:default])}`"
      true -> ""
    end
  end
end
