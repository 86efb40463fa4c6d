// says: a NIF that is made of a template needs a name: UPCALL_NIF_AS
#include <upcall.hpp>

template <class T, class U>
T f(T x, U) {
  return x;
}
UPCALL_NIF(f<int, int>);
UPCALL_INIT("Elixir.Refused");
