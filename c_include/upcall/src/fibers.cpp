// What a library needs besides runtime.cpp that includes <upcall.hpp>, and not only
// <upcall/coroutines.hpp>: fibers, and so Boost.Context.

#if !defined(UPCALL_SEPARATE_COMPILATION)
#error "define UPCALL_SEPARATE_COMPILATION in all files of the library, or do not compile this one"
#endif

// clang-format off
#include "../detail/fiber/fiber.ipp"
#include "../detail/fiber/fiber_thread.ipp"
#include "../detail/fiber/stack_memory.ipp"
#include "../detail/fiber/stack_pool.ipp"
#include "../detail/fiber/stack_use.ipp"
#include "../detail/frame/fiber_frame.ipp"
// clang-format on
