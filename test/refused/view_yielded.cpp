// says: what is yielded waits for its chunk, where a view would dangle
#include <string_view>
#include <upcall.hpp>

upcall::generator<std::string_view> f() { co_yield "text"; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
