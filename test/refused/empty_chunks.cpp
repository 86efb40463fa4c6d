// says: reads at least one element at a time
#include <cstdint>
#include <upcall.hpp>

upcall::task<> f(upcall::sequence<std::int64_t, 0> source) { co_await source.next(); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
