// says: take that as const &, or return what owns itself
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <vector>

std::vector<std::string_view> f(std::vector<std::string> texts) {
  return {texts.begin(), texts.end()};
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
