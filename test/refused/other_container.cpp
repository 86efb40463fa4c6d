// says: this container has no upcall::codec: take a std::vector
#include <set>
#include <upcall.hpp>

int f(std::set<int> x) { return static_cast<int>(x.size()); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
