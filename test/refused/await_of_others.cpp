// says: an upcall::task can await another one
#include <coroutine>
#include <upcall.hpp>

upcall::task<> f() { co_await std::suspend_always{}; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
