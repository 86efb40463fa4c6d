// says: of a lambda that captures nothing, UPCALL_NIF_AS.* takes the function
#include <upcall.hpp>

constexpr auto f = [](int x) { return x; };
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
