// says: nothing is looked up before it is awaited: co_await it
#include <cstdint>
#include <upcall.hpp>

upcall::task<> f() {
  upcall::async_function<void()>::named({"erlang", "yield"});
  co_return;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
