// says: nothing is called before it is awaited: co_await it
#include <cstdint>
#include <upcall.hpp>

upcall::task<> f(upcall::async_function<void()> g) {
  g.try_call();
  co_return;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
