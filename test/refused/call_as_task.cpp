// says: a call is no task: in a coroutine, write co_return co_await f.x.
#include <upcall.hpp>

upcall::task<int> f(upcall::async_function<int(int)> g) { return g(1); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
