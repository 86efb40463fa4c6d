#include <cstdint>
#include <upcall/coroutines.hpp>

// A lazy enumerable in Elixir: it computes what is taken.
upcall::generator<std::int64_t> primes() {
  for (std::int64_t n = 2;; ++n) {
    bool is_prime = true;
    for (std::int64_t d = 2; d * d <= n && is_prime; ++d) is_prime = n % d != 0;
    if (is_prime) co_yield n;
  }
}

// Reads any enumerable of Elixir's, and awaits a function for each element.
upcall::task<double> mean(upcall::sequence<double> numbers,
                          upcall::async_function<double(double)> f) {
  double sum = 0;
  int count = 0;
  while (auto x = co_await numbers.next()) {
    sum += co_await f(*x);
    ++count;
  }
  co_return count == 0 ? 0 : sum / count;
}

UPCALL_NIF(primes);
UPCALL_NIF(mean);
UPCALL_INIT("Elixir.Demo.Streams");
