// says: a change of an argument by reference is lost
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>

upcall::task<int> f(upcall::async_function<int(int&)> g) { co_return co_await g(1); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
