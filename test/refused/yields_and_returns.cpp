// says: gives values by upcall::yield_value: it returns void
#include <cstdint>
#include <upcall.hpp>

std::int64_t f() { return 1; }
UPCALL_NIF(f, upcall::yields<std::int64_t>);
UPCALL_INIT("Elixir.Refused");
