defmodule PipelineTest.Source do
  @moduledoc false
  # The file, as enumerables of binaries.

  @default_path "/usr/share/unicode/UnicodeData.txt"

  def path, do: System.get_env("UNICODE_DATA") || @default_path

  def stream(chunk_size), do: %{File.stream!(path()) | line_or_bytes: chunk_size}

  @doc "Cuts a text into binaries of that size."
  def cut("", _size), do: []

  def cut(text, size) do
    {chunk, rest} = :erlang.split_binary(text, min(size, byte_size(text)))
    [chunk | cut(rest, size)]
  end

  @doc """
  Gives chunks of the file over and over, and tells `test` `:opened`, `{:read, bytes}` for each of them and
  `:closed`.
  """
  def reported(test, chunk_size \\ 4096) do
    Stream.resource(
      fn ->
        send(test, :opened)
        File.open!(path(), [:read, :raw])
      end,
      fn file ->
        with :eof <- :file.read(file, chunk_size) do
          {:ok, 0} = :file.position(file, 0)
          {[], file}
        else
          {:ok, chunk} ->
            send(test, {:read, byte_size(chunk)})
            {[chunk], file}
        end
      end,
      fn file ->
        File.close(file)
        send(test, :closed)
      end
    )
  end

  @doc "Waits until native code holds nothing any more."
  def wait_until_native_is_idle do
    unless Upcall.info(Pipeline.Native).suspended == 0 do
      :erlang.yield()
      wait_until_native_is_idle()
    end
  end
end
