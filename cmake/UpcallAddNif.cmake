include_guard(GLOBAL)

# upcall_add_nif(NAME SOURCES a.cpp [b.cpp …] [LINK library …] [WITHOUT_FIBERS] [HEADER_ONLY])
#
# Adds the target NAME: a NIF library NAME.so, without a prefix. It needs nothing of ours at run
# time: Boost.Context is linked statically, and its symbols stay inside, so that two NIF libraries
# with different Boosts can live in one VM. Where it is written is up to the caller
# (LIBRARY_OUTPUT_DIRECTORY). WITHOUT_FIBERS is for a library that includes <upcall/coroutines.hpp>
# in the place of <upcall.hpp>: it needs no Boost.
#
# What of Upcall is no template is compiled once, for all NIF libraries of the project: the target
# upcall_runtime, with the flags that hold where it is first needed (CMAKE_CXX_FLAGS and the build
# type). A library with sanitizers or _GLIBCXX_DEBUG of its own is HEADER_ONLY: it compiles all of
# Upcall in each of its files. All files of a NIF library do it one way: a static library of yours
# that includes Upcall, and that a NIF library links, calls
#
# upcall_link_runtime(TARGET [WITHOUT_FIBERS])
#
# Cache variables, found when not given: UPCALL_ERLANG_INCLUDE_DIR, UPCALL_BOOST_CONTEXT_LIBRARY,
# UPCALL_BOOST_INCLUDE_DIR.
function(upcall_add_nif name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WITHOUT_FIBERS;HEADER_ONLY" "" "SOURCES;LINK")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "upcall_add_nif(${name}): expected SOURCES and at least one file")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "upcall_add_nif(${name}): unknown argument ${arg_UNPARSED_ARGUMENTS}; "
                        "known are SOURCES, LINK, WITHOUT_FIBERS and HEADER_ONLY")
  endif()

  upcall_find_erlang_headers()
  add_library(${name} MODULE ${arg_SOURCES})
  if(arg_HEADER_ONLY)
    if(NOT arg_WITHOUT_FIBERS)
      upcall_find_boost_context()
      list(APPEND arg_LINK upcall::boost_context)
    endif()
  elseif(arg_WITHOUT_FIBERS)
    upcall_link_runtime(${name} WITHOUT_FIBERS)
  else()
    upcall_link_runtime(${name})
  endif()
  target_compile_features(${name} PRIVATE cxx_std_20)
  # A function with large local arrays must touch the guard below its stack, not step over it.
  target_compile_options(${name} PRIVATE -fstack-clash-protection)
  set_target_properties(
    ${name}
    PROPERTIES PREFIX ""
               SUFFIX ".so"
               CXX_EXTENSIONS OFF
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PRIVATE upcall::upcall upcall::erlang_headers ${arg_LINK})
  # Without what of the runtime it does not use.
  if(APPLE)
    target_link_options(${name} PRIVATE "LINKER:-dead_strip")
  else()
    target_link_options(${name} PRIVATE "LINKER:--exclude-libs,ALL" "LINKER:--gc-sections")
  endif()
endfunction()

# upcall_link_runtime(TARGET [WITHOUT_FIBERS])
#
# Compiles TARGET against the runtime, and links it.
function(upcall_link_runtime target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WITHOUT_FIBERS" "" "")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "upcall_link_runtime(${target}): unknown argument "
                        "${arg_UNPARSED_ARGUMENTS}; known is WITHOUT_FIBERS")
  endif()
  upcall_find_erlang_headers()
  upcall_add_runtime(upcall_runtime runtime.cpp)
  if(arg_WITHOUT_FIBERS)
    target_link_libraries(${target} PRIVATE upcall_runtime)
  else()
    upcall_find_boost_context()
    upcall_add_runtime(upcall_runtime_of_fibers fibers.cpp upcall_runtime upcall::boost_context)
    target_link_libraries(${target} PRIVATE upcall_runtime_of_fibers)
  endif()
endfunction()

# Defines a target of the runtime, compiled with the project's own flags. Its warnings are ours.
function(upcall_add_runtime target source)
  if(TARGET ${target})
    return()
  endif()

  get_target_property(sources upcall::upcall UPCALL_RUNTIME_SOURCES)
  add_library(${target} STATIC EXCLUDE_FROM_ALL "${sources}/${source}")
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_definitions(${target} PUBLIC UPCALL_SEPARATE_COMPILATION)
  # Each function in a section of its own: a library gets those that it uses.
  target_compile_options(${target} PRIVATE -fstack-clash-protection -ffunction-sections
                                           -fdata-sections)
  if(NOT UPCALL_BUILD_TESTS)
    target_compile_options(${target} PRIVATE -w)
  endif()
  set_target_properties(
    ${target}
    PROPERTIES CXX_EXTENSIONS OFF
               CXX_CLANG_TIDY ""
               CXX_CPPCHECK ""
               CXX_INCLUDE_WHAT_YOU_USE ""
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PUBLIC upcall::upcall upcall::erlang_headers ${ARGN})
endfunction()

# Defines the target upcall::erlang_headers.
function(upcall_find_erlang_headers)
  if(TARGET upcall::erlang_headers)
    return()
  endif()

  if(NOT UPCALL_ERLANG_INCLUDE_DIR)
    find_program(UPCALL_ERL_EXECUTABLE erl DOC "The Erlang VM whose headers NIF libraries use")
    if(NOT UPCALL_ERL_EXECUTABLE)
      message(FATAL_ERROR "upcall: erl is not in PATH; install Erlang (Debian: apt-get install "
                          "erlang-base erlang-dev) or set UPCALL_ERLANG_INCLUDE_DIR to the folder "
                          "of erl_nif.h")
    endif()
    execute_process(
      COMMAND "${UPCALL_ERL_EXECUTABLE}" -noshell -eval
              "io:format(\"~ts/usr/include\", [code:root_dir()]), halt()."
      OUTPUT_VARIABLE include_dir
      RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "upcall: ${UPCALL_ERL_EXECUTABLE} ended with status ${status} when asked "
                          "for its root folder; repair the Erlang installation or set "
                          "UPCALL_ERLANG_INCLUDE_DIR to the folder of erl_nif.h")
    endif()
    set(UPCALL_ERLANG_INCLUDE_DIR "${include_dir}" CACHE PATH "The folder of erl_nif.h" FORCE)
  endif()

  if(NOT EXISTS "${UPCALL_ERLANG_INCLUDE_DIR}/erl_nif.h")
    set(missing_from "${UPCALL_ERLANG_INCLUDE_DIR}")
    # Forgotten, so that the next run looks again.
    unset(UPCALL_ERLANG_INCLUDE_DIR CACHE)
    message(FATAL_ERROR "upcall: erl_nif.h is not in ${missing_from}; install Erlang's headers "
                        "(Debian: apt-get install erlang-dev) or set UPCALL_ERLANG_INCLUDE_DIR to "
                        "their folder")
  endif()

  add_library(upcall::erlang_headers INTERFACE IMPORTED)
  target_include_directories(upcall::erlang_headers INTERFACE "${UPCALL_ERLANG_INCLUDE_DIR}")
endfunction()

# Defines the target upcall::boost_context. Boost's own CMake package is not used: it gives the
# shared library where the project found Boost before without asking for static ones.
function(upcall_find_boost_context)
  if(TARGET upcall::boost_context)
    return()
  endif()

  find_library(UPCALL_BOOST_CONTEXT_LIBRARY NAMES libboost_context.a
               DOC "Boost.Context's static library")
  find_path(UPCALL_BOOST_INCLUDE_DIR boost/context/detail/fcontext.hpp DOC "Boost's headers")
  if(NOT UPCALL_BOOST_CONTEXT_LIBRARY OR NOT UPCALL_BOOST_INCLUDE_DIR)
    message(FATAL_ERROR "upcall: Boost.Context's static library libboost_context.a or its headers "
                        "were not found; install them (Debian: apt-get install "
                        "libboost-context-dev) or set UPCALL_BOOST_CONTEXT_LIBRARY and "
                        "UPCALL_BOOST_INCLUDE_DIR")
  endif()

  add_library(upcall::boost_context STATIC IMPORTED)
  set_target_properties(
    upcall::boost_context PROPERTIES IMPORTED_LOCATION "${UPCALL_BOOST_CONTEXT_LIBRARY}"
                                     INTERFACE_INCLUDE_DIRECTORIES "${UPCALL_BOOST_INCLUDE_DIR}")
endfunction()
