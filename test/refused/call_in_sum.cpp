// says: co_await f.x. gives what f returns
#include <upcall.hpp>

upcall::task<double> f(upcall::async_function<double(int)> g) {
  double sum = 0;
  sum += g(1);
  co_return sum;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
