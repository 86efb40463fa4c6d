// says: the object is not taken before it is awaited: co_await it
#include <cstdint>
#include <upcall.hpp>

upcall::task<> f(upcall::resource<upcall::exclusive<std::int64_t>> shared) {
  shared->async_lock();
  co_return;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
