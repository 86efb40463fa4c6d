#include <upcall.hpp>

// Simpson's rule: f is an ordinary C++ callable.
double integrate(upcall::function<double(double)> f, double a, double b) {
  constexpr int halves = 1000;
  const double h = (b - a) / (2 * halves);
  double sum = f(a) + f(b);
  for (int i = 1; i < 2 * halves; ++i) sum += (i % 2 == 1 ? 4 : 2) * f(a + i * h);
  return sum * h / 3;
}

UPCALL_NIF(integrate);
UPCALL_INIT("Elixir.Demo.Native");
