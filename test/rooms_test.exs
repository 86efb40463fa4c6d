defmodule Upcall.RoomsTest do
  # `tools/rooms.exs` checks how the C++ side is laid out. Each law has to be seen broken.
  use ExUnit.Case, async: true

  @moduletag :tmp_dir

  setup %{tmp_dir: folder} do
    folder = Path.join(folder, "upcall")
    File.cp_r!("c_include/upcall", folder)
    {:ok, folder: folder}
  end

  defp check(folder) do
    System.cmd("elixir", ["tools/rooms.exs", folder], stderr_to_stdout: true)
  end

  # Puts a line before what closes the namespace `detail`.
  defp plant(folder, header, line) do
    path = Path.join(folder, header)
    end_of_detail = "}  // namespace detail\n}  // namespace UPCALL_HIDDEN\n"
    text = File.read!(path)
    assert String.contains?(text, end_of_detail)
    File.write!(path, String.replace(text, end_of_detail, line <> "\n\n" <> end_of_detail))
  end

  test "the rooms are as they should be", %{folder: folder} do
    assert {"rooms: " <> _, 0} = check(folder)
  end

  test "a room that includes one above it is named", %{folder: folder} do
    path = Path.join(folder, "detail/call/roots.hpp")
    text = File.read!(path)

    File.write!(
      path,
      String.replace(text, "#pragma once\n", "#pragma once\n#include \"../frame/frame.hpp\"\n")
    )

    assert {output, 1} = check(folder)
    assert output =~ ~r/roots\.hpp:2: call includes .*frame\.hpp of frame, which is above it/
  end

  test "a room that includes one above it as users do is named", %{folder: folder} do
    path = Path.join(folder, "detail/call/roots.hpp")
    text = File.read!(path)

    File.write!(
      path,
      String.replace(
        text,
        "#pragma once\n",
        "#pragma once\n#include <upcall/detail/frame/frame.hpp>\n"
      )
    )

    assert {output, 1} = check(folder)
    assert output =~ ~r/roots\.hpp:2: call includes .*frame\.hpp of frame, which is above it/
  end

  test "a source of the runtime that no file of src compiles is named", %{folder: folder} do
    path = Path.join(folder, "src/runtime.cpp")

    File.write!(
      path,
      String.replace(File.read!(path), "#include \"../detail/call/roots.ipp\"\n", "")
    )

    assert {output, 1} = check(folder)
    assert output =~ ~r/roots\.ipp is included by 0 files of src/
  end

  test "a source of the runtime that no header includes is named", %{folder: folder} do
    path = Path.join(folder, "detail/call/roots.hpp")
    text = File.read!(path)
    File.write!(path, String.replace(text, ~s(#include "roots.ipp"), "// no include"))
    assert {output, 1} = check(folder)
    assert output =~ ~r/roots\.ipp is included by 0 headers of its room/
  end

  test "a source of the runtime that a header includes in all modes is named", %{folder: folder} do
    path = Path.join(folder, "detail/call/roots.hpp")
    text = File.read!(path)
    File.write!(path, String.replace(text, "#if defined(UPCALL_HEADER_ONLY)\n", "#if 1\n"))
    assert {output, 1} = check(folder)
    assert output =~ ~r/roots\.ipp is included by 0 headers of its room/
  end

  test "an include of a header that is not there is named", %{folder: folder} do
    path = Path.join(folder, "error.hpp")
    File.write!(path, "#include \"lost.hpp\"\n" <> File.read!(path))

    assert {output, 1} = check(folder)
    assert output =~ ~r/error\.hpp:1: includes .*lost\.hpp, which is in no room/
  end

  test "a face that includes a room above its own is named", %{folder: folder} do
    path = Path.join(folder, "error.hpp")
    File.write!(path, "#include \"function.hpp\"\n" <> File.read!(path))

    assert {output, 1} = check(folder)

    assert output =~
             ~r/error\.hpp:1: term includes .*function\.hpp of function, which is above it/
  end

  test "a member that is defined in another room than its class is named", %{folder: folder} do
    plant(
      folder,
      "detail/call/native_call.hpp",
      "class planted {\n public:\n  int given() noexcept;\n};"
    )

    plant(
      folder,
      "detail/pinned/pinned_call.hpp",
      "inline int planted::given() noexcept { return 1; }"
    )

    assert {output, 1} = check(folder)

    assert output =~
             ~r/pinned_call\.hpp:\d+: pinned defines a member of planted, which call declares/
  end

  test "a function that is defined in another room than it is declared in is named", %{
    folder: folder
  } do
    plant(folder, "detail/call/native_call.hpp", "[[noreturn]] void throw_planted(int number);")

    plant(
      folder,
      "detail/frame/frame.hpp",
      "[[noreturn]] inline void throw_planted(int number) {\n  throw number;\n}"
    )

    assert {output, 1} = check(folder)
    assert output =~ ~r/frame\.hpp:\d+: frame defines throw_planted, which call declares/
  end

  test "a header outside of all rooms is named", %{folder: folder} do
    File.write!(Path.join(folder, "detail/lost.hpp"), "#pragma once\n")

    assert {output, 1} = check(folder)
    assert output =~ ~r/lost\.hpp is in no room/
  end
end
