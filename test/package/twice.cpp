#include "core.hpp"

static double twice(const upcall::function<double(double)>& f, double x) {
  return call_twice(f, x);
}

UPCALL_NIF(twice);
UPCALL_INIT("Elixir.Twice");
