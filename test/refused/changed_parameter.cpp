// says: changes a copy, and the change is lost: take it by value or as const &
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>

void f(std::string& text) { text += "!"; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
