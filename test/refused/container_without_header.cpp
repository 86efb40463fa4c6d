// says: include <upcall/stl.hpp>
#include <optional>
#include <upcall.hpp>

int f(std::optional<int> x) { return x.value_or(1); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
