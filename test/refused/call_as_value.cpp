// says: co_await f.x. gives what f returns
#include <upcall.hpp>

upcall::task<int> f(upcall::async_function<int(int)> g) {
  const int x = g(1);
  co_return x;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
