// says: give a template .*its arguments
#include <upcall.hpp>

template <class T>
T f(T x) {
  return x;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
