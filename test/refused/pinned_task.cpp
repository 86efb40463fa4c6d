// says: has no use for a thread of its own
#include <upcall.hpp>

upcall::task<> f() { co_return; }
UPCALL_NIF(f, upcall::pinned);
UPCALL_INIT("Elixir.Refused");
