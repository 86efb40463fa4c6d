# The rooms of the C++ side, from the ground up, and what they may know of each other.
#
#   elixir tools/rooms.exs            check the laws, and that docs/design.md draws the rooms as they are
#   elixir tools/rooms.exs --write    draw them there
#   elixir tools/rooms.exs FOLDER     check the laws in another copy of c_include/upcall
#
# A room is a folder in c_include/upcall/detail, with the public headers that are its face, and the definitions of what is
# compiled once (*.ipp). Three laws hold:
#
#   1. No room includes one above it.
#   2. What a room declares it defines: every member of its classes, and every function. (As far as the begin of a
#      line shows it: a name that several rooms have a class for is let pass.)
#   3. Each *.ipp is compiled by one file of c_include/upcall/src, and included by one header of its room, below
#      `#if defined(UPCALL_HEADER_ONLY)`.
#
# So whoever changes a room has read all that it stands on, and nothing else.

defmodule Rooms do
  @folder "c_include/upcall"

  # Name, face, subject.
  @rooms [
    base:
      {~w(atom owned_env),
       "what C++ and the VM lack: atoms, environments, sleeping and waking threads"},
    fiber:
      {[], "stacks, switching between them, and catching what overflows one; nothing of Elixir"},
    call: {[], "the native call, its roots, and what a thread knows of it"},
    term:
      {~w(term error error_kind innermost_error codec resource),
       "terms, errors, and the codecs of what every NIF takes"},
    codec:
      {~w(stl structs result), "codecs that are made of others: containers, structs, results"},
    nif: {~w(nif_options), "what the compiler makes of a C++ function that is a NIF"},
    frame:
      {[],
       "native calls that are suspended, on fibers or not, and finished when they are abandoned"},
    pinned: {[], "native calls on OS threads of their own"},
    exclusive: {~w(exclusive), "objects that one native call at a time may use"},
    executor: {~w(executor future), "calls of processes that run functions, from any thread"},
    function:
      {~w(function kept_function executor_function map apply native_call c_callback),
       "functions of Elixir's, and what calls them"},
    coroutine:
      {~w(task async_function), "native calls that are coroutines, and what these await"},
    stream:
      {~w(generator yield_value sequence),
       "values that travel in chunks, to Elixir and from there"},
    library:
      {~w(nif coroutines), "loading: the table of NIFs, and what a library does for all others"}
  ]
  @names Keyword.keys(@rooms)

  def main(["--write"]), do: write(@folder)
  def main([folder]), do: check(folder, false)
  def main([]), do: check(@folder, true)

  defp check(folder, drawn?) do
    headers = read(folder)

    complaints =
      strangers(headers) ++ includes(headers) ++ definitions(headers) ++ runtime(headers)

    complaints =
      if drawn? and not String.contains?(File.read!("docs/design.md"), drawing(headers)),
        do:
          complaints ++ ["docs/design.md draws other rooms; type: elixir tools/rooms.exs --write"],
        else: complaints

    Enum.each(complaints, &IO.puts(:stderr, &1))
    if complaints != [], do: System.halt(1)

    IO.puts(
      "rooms: #{length(headers)} files in #{length(@names)} rooms, none includes one above it"
    )
  end

  defp write(folder) do
    before = File.read!("docs/design.md")
    [first, rest] = String.split(before, "<!-- rooms -->\n", parts: 2)
    [_, last] = String.split(rest, "<!-- end of rooms -->\n", parts: 2)

    drawn =
      first <> "<!-- rooms -->\n" <> drawing(read(folder)) <> "<!-- end of rooms -->\n" <> last

    File.write!("docs/design.md", drawn)
  end

  # Each file, as `{path, room, text}`; room is nil for one that belongs to none.
  defp read(folder) do
    folder = Path.expand(folder)

    for path <- Path.wildcard("#{folder}/**/*.{hpp,ipp,cpp}") do
      {path, room_of(Path.relative_to(path, folder)), File.read!(path)}
    end
  end

  defp shown(path), do: Path.relative_to_cwd(path)

  defp room_of(path) do
    case Path.split(path) do
      ["detail", room, _header] -> Enum.find(@names, &(Atom.to_string(&1) == room))
      ["src", _source] -> List.last(@names)
      [header] -> room_of_face(Path.basename(header, ".hpp"))
      _ -> nil
    end
  end

  defp room_of_face(header) do
    Enum.find_value(@rooms, fn {room, {face, _}} -> if header in face, do: room end)
  end

  defp strangers(headers) do
    for {path, nil, _} <- headers, do: "#{shown(path)} is in no room: tools/rooms.exs names them"
  end

  # ---- the first law ----

  defp includes(headers) do
    for {path, room, text} <- headers,
        room != nil,
        {line, target} <- included(path, text),
        complaint = complaint_of(room, room_of_header(headers, target), shown(target)),
        do: "#{shown(path)}:#{line}: #{complaint}"
  end

  defp complaint_of(_, :none, target), do: "includes #{target}, which is in no room"

  defp complaint_of(room, above, target) do
    if level(above) > level(room), do: "#{room} includes #{target} of #{above}, which is above it"
  end

  # As `{line, path}`, of both forms; others than ours are left out.
  defp included(path, text) do
    root = path |> Path.split() |> Enum.reverse() |> Enum.drop_while(&(&1 != "upcall")) |> tl()

    for {line, number} <- Enum.with_index(String.split(text, "\n"), 1),
        [_, form, target] <- [Regex.run(~r/^#include (["<])([^">]+)/, line)],
        form == "\"" or String.starts_with?(target, "upcall") do
      folder = if form == "<", do: Path.join(Enum.reverse(root)), else: Path.dirname(path)
      {number, Path.expand(target, folder)}
    end
  end

  defp room_of_header(headers, target) do
    Enum.find_value(headers, :none, fn {path, room, _} -> if path == target, do: room || :none end)
  end

  defp level(room), do: Enum.find_index(@names, &(&1 == room))

  # ---- the second law ----

  defp definitions(headers) do
    classes = rooms_of(headers, &classes/1)
    prototypes = rooms_of(headers, &prototypes/1)

    for {path, room, text} <- headers,
        {name, line, kind} <- definitions_in(text),
        known = Map.get(if(kind == :member, do: classes, else: prototypes), name, []),
        known != [] and room not in known do
      what = if kind == :member, do: "a member of #{name}", else: "#{name}"
      "#{shown(path)}:#{line}: #{room} defines #{what}, which #{Enum.join(known, ", ")} declares"
    end
  end

  defp rooms_of(headers, names) do
    for {_, room, text} <- headers, name <- names.(text), reduce: %{} do
      known -> Map.update(known, name, [room], &Enum.uniq([room | &1]))
    end
  end

  defp classes(text) do
    for [_, name] <-
          Regex.scan(~r/^ *(?:class|struct) (?:\[\[[^\]]*\]\] )?(\w+)[^;()]*\{/m, text),
        do: name
  end

  # What begins in the first column outlives its line's indentation: declarations of namespaces.
  @function ~r/^(?!\s|#|\/\/|namespace|using|static_assert|template|class|struct|enum|friend|return|\})[^\n;{}()=]*?(?:(\w+)(?:<[^<>()]*>)?::)?(~?\w+)\([^;{}]*?([;{])/m

  defp prototypes(text) do
    for [_, "", name, ";"] <- Regex.scan(@function, text), do: name
  end

  defp definitions_in(text) do
    for [{start, _}, class, name, {last, 1}] <- Regex.scan(@function, text, return: :index),
        binary_part(text, last, 1) == "{" do
      line = text |> binary_part(0, start) |> String.split("\n") |> length()

      case class do
        {-1, 0} -> {slice(text, name), line, :function}
        class -> {slice(text, class), line, :member}
      end
    end
  end

  defp slice(text, {start, length}), do: binary_part(text, start, length)

  # ---- the third law ----

  defp runtime(headers) do
    includers =
      for {path, room, text} <- headers,
          {line, target} <- included(path, text),
          String.ends_with?(target, ".ipp"),
          do: {target, includer(path, room, text, line)}

    for {path, room, _} <- headers,
        String.ends_with?(path, ".ipp"),
        {kind, what} <- [
          {:source, "files of src"},
          {{:header, room}, "headers of its room, below #if defined(UPCALL_HEADER_ONLY)"}
        ],
        count = Enum.count(includers, &(&1 == {path, kind})),
        count != 1,
        do: "#{shown(path)} is included by #{count} #{what}; it should be by one"
  end

  defp includer(path, room, text, line) do
    before = text |> String.split("\n") |> Enum.take(line)

    cond do
      Path.extname(path) == ".cpp" -> :source
      "#if defined(UPCALL_HEADER_ONLY)" in before -> {:header, room}
      true -> :unguarded
    end
  end

  # ---- the drawing ----

  # An arrow for each room that another one includes, without those that others lead to.
  defp drawing(headers) do
    known =
      for {path, room, text} <- headers,
          {_, target} <- included(path, text),
          below = room_of_header(headers, target),
          below != room,
          uniq: true,
          do: {room, below}

    rows =
      for {room, {face, about}} <- Enum.reverse(@rooms),
          do: "| `#{room}` | #{about} | #{faces(face)} |\n"

    arrows =
      for {from, to} <- Enum.sort_by(known, fn {from, to} -> {-level(from), -level(to)} end),
          not Enum.any?(known, fn {by, way} ->
            by == from and way != to and reaches?(known, way, to)
          end),
          do: "  #{from} --> #{to}\n"

    """
    | room | what is in it | its face: `<upcall/….hpp>` |
    | --- | --- | --- |
    #{rows}
    ```mermaid
    flowchart TD
    #{arrows}```
    """
  end

  defp faces([]), do: ""
  defp faces(face), do: Enum.map_join(face, ", ", &"`#{&1}`")

  defp reaches?(known, from, to) do
    {from, to} in known or
      Enum.any?(known, fn {by, way} -> by == from and reaches?(known, way, to) end)
  end
end

Rooms.main(System.argv())
