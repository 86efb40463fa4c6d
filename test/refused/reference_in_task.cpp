// says: take its parameters by value, where a reference would dangle
#include <cstdint>
#include <string>
#include <upcall.hpp>

upcall::task<std::int64_t> f(const std::string& text) { co_return std::int64_t(text.size()); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
