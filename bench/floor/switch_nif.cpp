#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <cstdint>
#include <upcall.hpp>

namespace context = boost::context::detail;

// Goes to another stack and comes back, `count` times, and does nothing there.
static std::int64_t switches(std::int64_t count) {
  boost::context::fixedsize_stack allocator;
  boost::context::stack_context stack = allocator.allocate();
  context::transfer_t there{context::make_fcontext(stack.sp, stack.size,
                                                   [](context::transfer_t back) {
                                                     for (;;)
                                                       back = context::jump_fcontext(back.fctx,
                                                                                     nullptr);
                                                   }),
                            nullptr};
  for (std::int64_t i = 0; i < count; ++i) there = context::jump_fcontext(there.fctx, nullptr);
  allocator.deallocate(stack);  // nothing on it needs a destructor
  return count;
}

UPCALL_NIF(switches);
UPCALL_INIT("Elixir.Bench.Floor.Switch");
