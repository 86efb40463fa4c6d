// says: nothing is fetched before it is awaited: co_await it
#include <cstdint>
#include <upcall.hpp>

upcall::task<> f(upcall::sequence<std::int64_t> source) {
  source.next();
  co_return;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
