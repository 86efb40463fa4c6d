// Mistakes whose texts say what to write instead.

#include <cstdint>
#include <thread>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <vector>

namespace {

using int_function = upcall::function<std::int64_t(std::int64_t)>;

void call_on_thread(const int_function& f) {
  std::thread([&f] { f(1); }).join();
}
UPCALL_NIF(call_on_thread);
UPCALL_NIF_AS("call_on_thread_of_pinned", &call_on_thread, upcall::pinned);

struct holder {
  upcall::term borrowed;
};
upcall::resource<holder> store(upcall::term borrowed) {
  return upcall::make_resource<holder>(borrowed);
}
UPCALL_NIF(store);
std::int64_t use_stored(const upcall::resource<holder>& stored) {
  return stored->borrowed.as<std::int64_t>();
}
UPCALL_NIF(use_stored);

using grid = std::vector<std::vector<double>>;
double first_of_grid(const upcall::function<grid()>& f) { return f()[0][0]; }
UPCALL_NIF(first_of_grid);
double first_of_grid_there(const upcall::function<grid()>& f, upcall::executor where) {
  return f.on(where)()[0][0];
}
UPCALL_NIF(first_of_grid_there);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Advice");
