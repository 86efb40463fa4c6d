// says: co_await f.try_call.x. gives the result
#include <upcall.hpp>

upcall::task<int> f(upcall::async_function<int(int)> g) {
  if (const auto outcome = g.try_call(1)) co_return 1;
  co_return 0;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
