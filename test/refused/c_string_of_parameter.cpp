// says: take that as const &, or return what owns itself
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>

const char* f(std::string text) { return text.c_str(); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
