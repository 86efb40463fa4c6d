// says: a change of an argument by reference is lost
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>

int f(const std::function<int(std::string&)>& g) {
  std::string text;
  return g(text) + static_cast<int>(text.size());
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
