// says: take that as const &, or return what owns itself
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>

struct object {
  std::string name;
};
std::string_view f(upcall::resource<object> shared) { return shared->name; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
