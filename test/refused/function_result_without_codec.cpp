// says: this type has no upcall::codec: specialise it
#include <upcall.hpp>

struct unknown {};
int f(upcall::function<unknown(int)> g) {
  g(1);
  return 1;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
