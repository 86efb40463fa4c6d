// says: a reference to it would dangle
#include <functional>
#include <string_view>
#include <upcall.hpp>

double f(const std::function<const double&(double)>& g) { return g(1); }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
