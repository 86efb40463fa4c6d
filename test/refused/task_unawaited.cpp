// says: a task does nothing before it is awaited: co_await it
#include <upcall.hpp>

upcall::task<> g() { co_return; }
upcall::task<> f() {
  g();
  co_return;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
