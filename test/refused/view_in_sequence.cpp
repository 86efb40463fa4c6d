// says: T must have a codec and borrow nothing
#include <string_view>
#include <upcall.hpp>

upcall::task<> f(upcall::sequence<std::string_view> source) { co_await source.next(); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
