// says: take that as const &, or return what owns itself
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>

std::string_view f(std::string text) { return text; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
