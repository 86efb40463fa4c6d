// says: a coroutine has no stack of its own
#include <upcall.hpp>

upcall::task<> f() { co_return; }
UPCALL_NIF(f, upcall::stack_size{1 << 20});
UPCALL_INIT("Elixir.Refused");
