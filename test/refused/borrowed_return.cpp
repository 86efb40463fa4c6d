// says: a view would dangle at the next upcall
#include <functional>
#include <string_view>
#include <upcall.hpp>

std::int64_t f(upcall::function<std::string_view(int)> g) {
  return static_cast<std::int64_t>(g(1).size());
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
