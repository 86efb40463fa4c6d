// says: a coroutine that yields values returns an upcall::generator
#include <cstdint>
#include <upcall.hpp>

upcall::task<> f() { co_return; }
UPCALL_NIF(f, upcall::yields<std::int64_t>);
UPCALL_INIT("Elixir.Refused");
