// says: a task does nothing before it is awaited: co_await it
#include <upcall.hpp>

upcall::task<int> one() { co_return 1; }
upcall::task<int> f() {
  const int x = one();
  co_return x;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
