# For tools/platforms.sh: compiles for the arm64 root at $UPCALL_SYSROOT, with its Boost and its erl_nif.h.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_SYSROOT "$ENV{UPCALL_SYSROOT}")
set(UPCALL_ERLANG_INCLUDE_DIR "${CMAKE_SYSROOT}/usr/lib/erlang/usr/include")

# Branches are checked to land where they may, and return addresses are signed, as distributions build for arm64.
set(CMAKE_CXX_FLAGS_INIT "-mbranch-protection=standard")

# GoogleTest of the root was compiled with newer C and C++ libraries than this compiler brings and looks for first.
file(GLOB libstdcxx_dirs "${CMAKE_SYSROOT}/usr/lib/gcc/aarch64-linux-gnu/*")
list(SORT libstdcxx_dirs COMPARE NATURAL)
list(POP_BACK libstdcxx_dirs libstdcxx_dir)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu -L${libstdcxx_dir}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
