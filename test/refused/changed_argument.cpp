// says: a change of an argument by reference is lost
#include <functional>
#include <string>
#include <string_view>
#include <upcall.hpp>

int f(upcall::function<int(int&)> g) {
  int x = 1;
  return g(x) + x;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
