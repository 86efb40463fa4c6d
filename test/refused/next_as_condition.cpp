// says: co_await numbers.next
#include <upcall.hpp>

upcall::task<int> f(upcall::sequence<int> numbers) {
  int count = 0;
  while (auto each = numbers.next()) ++count;
  co_return count;
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
