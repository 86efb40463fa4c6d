// A library as one builds it by hand: without -fvisibility=hidden, and so with a warning of GCC's
// for each member of a hidden type, were it not off. It has something of each header, and is built
// twice, for two modules of one VM.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <upcall.hpp>
#include <upcall/map.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>
#include <utility>
#include <vector>

// Not in an anonymous namespace, which would hide all.
namespace unflagged {

enum class color { red, green };
struct point {
  double x = 0;
  color shade = color::red;
};
struct options {
  std::int64_t depth = 3;
  std::optional<upcall::function<std::int64_t(std::int64_t)>> step;
};
struct counter {
  std::int64_t count = 0;
  std::int64_t next() { return ++count; }
};

}  // namespace unflagged

template <>
struct upcall::codec<unflagged::color>
    : upcall::enum_codec<unflagged::color, upcall::named<unflagged::color::red, "red">,
                         upcall::named<unflagged::color::green, "green">> {};
template <>
struct upcall::codec<unflagged::point>
    : upcall::struct_codec<unflagged::point, "Elixir.UpcallTest.Unflagged.Point",
                           upcall::field<&unflagged::point::x, "x">,
                           upcall::field<&unflagged::point::shade, "shade">> {};
template <>
struct upcall::codec<unflagged::options>
    : upcall::keyword_codec<unflagged::options, upcall::field<&unflagged::options::depth, "depth">,
                            upcall::field<&unflagged::options::step, "step">> {};

namespace unflagged {

using points = std::vector<point>;

color same_color(color value) { return value; }
point same_point(point value) { return value; }
std::int64_t depth(options given) { return given.step ? (*given.step)(given.depth) : given.depth; }

upcall::task<points> mapped_in_coroutine(upcall::async_function<point(point)> f, points values) {
  points results;
  for (const point& each : values) {
    const upcall::result<point> outcome = co_await f.try_call(each);
    results.push_back(outcome.value());
    co_await upcall::give_time();
  }
  co_return results;
}
upcall::generator<point> generate(points values) {
  for (const point& each : values) co_yield each;
}
void generate_on_fiber(points values) {
  for (const point& each : values) upcall::yield_value(each);
}
points to_list(upcall::sequence<point> values) {
  points all;
  for (const point& each : values) all.push_back(each);
  return all;
}

using shared_counter = upcall::exclusive<counter>;
upcall::resource<shared_counter> new_counter() { return upcall::make_resource<shared_counter>(); }
upcall::task<std::int64_t> count(upcall::resource<shared_counter> shared) {
  auto locked = co_await shared->async_lock();
  co_return locked->next();
}

points mapped(upcall::function<point(point)> f, points values) { return upcall::map(f, values); }
points mapped_on(upcall::function<point(point)> f, upcall::executor executor, points values) {
  const auto on_executor = f.keep().on(executor);
  points results = upcall::map(on_executor, values);
  results.push_back(on_executor.submit(point{}).get());
  return results;
}

color through_callback(upcall::function<color(color)> f) {
  upcall::c_callback<color(upcall::user_data, color)> callback(
      color::red, [&f](color value) { return f(value); });
  return upcall::through_c([&] { return callback.function()(callback.data(), color::green); });
}

}  // namespace unflagged

UPCALL_NIF(unflagged::same_color);
UPCALL_NIF(unflagged::same_point);
UPCALL_NIF(unflagged::depth);
UPCALL_NIF(unflagged::mapped_in_coroutine);
UPCALL_NIF(unflagged::generate);
UPCALL_NIF(unflagged::generate_on_fiber, upcall::yields<unflagged::point>);
UPCALL_NIF(unflagged::to_list);
UPCALL_NIF(unflagged::new_counter);
UPCALL_NIF(unflagged::count);
UPCALL_NIF(unflagged::mapped);
UPCALL_NIF_AS("mapped_pinned", &unflagged::mapped, upcall::pinned);
UPCALL_NIF(unflagged::mapped_on);
UPCALL_NIF(unflagged::through_callback, upcall::dirty_cpu);

#if !defined(UNFLAGGED_MODULE)
#define UNFLAGGED_MODULE "Elixir.UpcallTest.Unflagged"
#endif
UPCALL_INIT(UNFLAGGED_MODULE);
