# Builds the NIF library LIBRARY from SOURCE by COMPILER, without a flag about visibility, and looks at what it
# exports. Names of Upcall's own must not be among it, nor what GCC makes unique in the whole process for them.
# Variables: COMPILER, INCLUDE (Upcall's headers), ERLANG_INCLUDE, SOURCE, LIBRARY.

execute_process(
  COMMAND "${COMPILER}" -std=c++20 -O0 -fPIC -shared -Wall -Wextra -isystem "${INCLUDE}" -isystem
          "${ERLANG_INCLUDE}" "${SOURCE}" -o "${LIBRARY}"
  RESULT_VARIABLE status
  ERROR_VARIABLE warnings)
if(NOT status EQUAL 0 OR NOT warnings STREQUAL "")
  message(NOTICE "${warnings}")
  message(FATAL_ERROR "${SOURCE} does not compile, or with warnings")
endif()

execute_process(COMMAND nm -D --defined-only "${LIBRARY}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(NOT symbols MATCHES " nif_init\n")
  message(FATAL_ERROR "nm says nothing of nif_init:\n${symbols}")
endif()

string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
# Mangled: what Upcall defines, with its tables, guards and statics of functions; then what is unique.
list(FILTER symbols INCLUDE REGEX "(_Z[A-Z]*N?K?6upcall| u .*6upcall)")
if(symbols)
  list(JOIN symbols "\n" symbols)
  message(NOTICE "${symbols}")
  message(FATAL_ERROR "${LIBRARY} exports what libraries of one VM would share")
endif()
