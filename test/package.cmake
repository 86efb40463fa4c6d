# Installs Upcall into DIRECTORY and builds the project in test/package with it, under warnings that a project may have.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${said}")
  endif()
endfunction()

file(REMOVE_RECURSE "${DIRECTORY}")
set(compiler "-DCMAKE_CXX_COMPILER=${COMPILER}")
run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${DIRECTORY}/upcall" "${compiler}" -DUPCALL_BUILD_TESTS=OFF)
run("${CMAKE_COMMAND}" --install "${DIRECTORY}/upcall" --prefix "${DIRECTORY}/installed")
run("${CMAKE_COMMAND}" -S "${SOURCE}/test/package" -B "${DIRECTORY}/user" "${compiler}"
    "-DCMAKE_PREFIX_PATH=${DIRECTORY}/installed"
    "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wmissing-declarations -Werror")
run("${CMAKE_COMMAND}" --build "${DIRECTORY}/user")
