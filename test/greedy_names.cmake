# Compiles SOURCE by COMPILER with templates around that would take any call: for every name that Upcall's headers
# call (greedy_names.hpp, which it makes in DIRECTORY). Who calls one of them compiles no more.
# Variables: COMPILER, INCLUDE (Upcall's headers), ERLANG_INCLUDE, SOURCE, DIRECTORY.

file(GLOB_RECURSE headers "${INCLUDE}/*.hpp")
set(names)
foreach(header IN LISTS headers)
  file(READ "${header}" text)
  string(REPLACE ";" " " text "${text}")
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "\"[^\"\n]*\"" "" text "${text}")
  string(REGEX REPLACE "#[^\n]*" "" text "${text}")
  string(REGEX MATCHALL "[A-Za-z_][A-Za-z0-9_]*[(<]" called "${text}")
  string(REGEX REPLACE "[(<]" "" called "${called}")
  list(APPEND names ${called})
endforeach()
list(REMOVE_DUPLICATES names)

# Words of the language, macros, and what C and the VM call so.
list(FILTER names EXCLUDE REGEX "^(_|[A-Z]|enif_|s[ai]_|pthread_|dl|m(map|unmap|advise|protect)$)")
list(REMOVE_ITEM names alignas alignof asm assert auto bool catch char co_await co_return co_yield concept const
     const_cast constexpr consteval decltype defined delete double dynamic_cast explicit float for if int long new noexcept
     operator reinterpret_cast requires return short signed sizeof static_assert static_cast struct switch template
     throw typeid unsigned using void volatile while class friend and or not inline upcall mincore sched_yield sigaction sigaltstack sysconf syscall getauxval write)
list(SORT names)
list(LENGTH names count)
if(count LESS 300)
  message(FATAL_ERROR "only ${count} names were found in ${INCLUDE}")
endif()
list(TRANSFORM names REPLACE "(.+)" "UPCALL_GREEDY(\\1)\n")
file(MAKE_DIRECTORY "${DIRECTORY}")
file(WRITE "${DIRECTORY}/greedy_names.hpp" ${names})

execute_process(
  COMMAND "${COMPILER}" -std=c++20 -O0 -Wall -Wextra -S -o - -I "${DIRECTORY}" -isystem "${INCLUDE}" -isystem
          "${ERLANG_INCLUDE}" "${SOURCE}"
  RESULT_VARIABLE status
  OUTPUT_QUIET
  ERROR_VARIABLE errors)
if(NOT status EQUAL 0 OR NOT errors STREQUAL "")
  message(NOTICE "${errors}")
  message(FATAL_ERROR "a call takes a template of the user's: write upcall:: or detail:: in front of it")
endif()
