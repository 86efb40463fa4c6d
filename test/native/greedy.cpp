// Types whose namespace has templates that take any call, of every name that Upcall's headers call:
// those of the library must be found all the same. It is the same for the global namespace, where
// the VM's own types are. Only compiled: see greedy_names.cmake.

#include <cxxabi.h>
#include <dlfcn.h>
#include <erl_nif.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <boost/context/detail/fcontext.hpp>
#include <chrono>
#include <cmath>
#include <concepts>
#include <condition_variable>
#include <coroutine>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#define UPCALL_GREEDY(name)     \
  template <class... Arguments> \
  void name(Arguments&&...) = delete;

#include "greedy_names.hpp"

namespace greedy {

#include "greedy_names.hpp"

}  // namespace greedy

// Functions that are no templates go before ours that are, and are as good as ours that are none.
#undef UPCALL_GREEDY
#define UPCALL_GREEDY(name)                                   \
  void name(ErlNifEnv*) = delete;                             \
  void name(ErlNifEnv*, ERL_NIF_TERM) = delete;               \
  void name(ErlNifEnv*, ERL_NIF_TERM, ERL_NIF_TERM) = delete; \
  void name(ErlNifEnv*, const ERL_NIF_TERM*) = delete;        \
  void name(ErlNifEnv*, const char*) = delete;                \
  void name(ErlNifEnv*, std::string_view) = delete;           \
  void name(ErlNifEnv*, const std::string&) = delete;         \
  void name(ErlNifEnv*, int, const ERL_NIF_TERM*) = delete;   \
  void name(ErlNifEnv*, ERL_NIF_TERM, const char*) = delete;  \
  void name(ErlNifEnv*, ERL_NIF_TERM&, const char*, ERL_NIF_TERM) = delete;

#include "greedy_names.hpp"

namespace greedy {

template <class Left, class Right>
void operator,(Left&&, Right&&) = delete;

enum class color_type { red, green };
struct point_type {
  double x = 0;
  color_type shade{};
  bool operator<(const point_type& other) const { return x < other.x; }
};
struct celsius_type {
  double degrees = 0;
};
struct options_type {
  std::optional<celsius_type> least;
};
struct counter_type {
  std::int64_t reached = 0;
  point_type at(point_type given) const { return given; }
};
struct failure_type {};

}  // namespace greedy

#include <upcall.hpp>
#include <upcall/map.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>

template <>
struct upcall::codec<greedy::color_type>
    : upcall::enum_codec<greedy::color_type, upcall::named<greedy::color_type::red, "red">,
                         upcall::named<greedy::color_type::green, "green">> {};
template <>
struct upcall::codec<greedy::point_type>
    : upcall::struct_codec<greedy::point_type, "Elixir.Greedy.Point",
                           upcall::field<&greedy::point_type::x, "x">,
                           upcall::field<&greedy::point_type::shade, "shade">> {};
template <>
struct upcall::codec<greedy::celsius_type> {
  static greedy::celsius_type decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return {upcall::decode<double>(env, raw)};
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const greedy::celsius_type& value) {
    return upcall::encode(env, value.degrees);
  }
};
template <>
struct upcall::codec<greedy::options_type>
    : upcall::keyword_codec<greedy::options_type,
                            upcall::field<&greedy::options_type::least, "least">> {};

namespace greedy_nifs {

using greedy::celsius_type;
using greedy::color_type;
using greedy::counter_type;
using greedy::options_type;
using greedy::point_type;

using points = std::vector<point_type>;
using point_function = upcall::function<point_type(point_type)>;

// ---- frames ----

points calls(point_function f, upcall::function<void(celsius_type, point_type, color_type)> g,
             points values) {
  for (point_type& each : values) {
    each = f(each);
    each = f.try_call(each).value();
    each = f.keep()(each);
    each = f.keep().try_call(each).value_or(each);
    g(celsius_type{1}, each, color_type::red);
    upcall::give_time();
  }
  return upcall::map(f, values);
}

using faces = std::variant<std::monostate, point_type, color_type>;
using chart = std::map<point_type, std::pair<celsius_type, std::optional<color_type>>>;
using legend = std::unordered_map<std::string, std::array<point_type, 2>>;
using all_of_them = std::tuple<faces, chart, legend, options_type>;
all_of_them same(all_of_them value) { return value; }

point_type terms(upcall::term borrowed, upcall::owned_term kept) {
  if (borrowed.as<celsius_type>().degrees > kept.as<celsius_type>().degrees)
    upcall::raise("Elixir.KeyError", std::pair{"key", point_type{}}, std::pair{"term", 1});
  return {};
}
color_type through_callback(upcall::function<color_type(point_type)> f) {
  upcall::c_callback<color_type(upcall::user_data, point_type)> callback(
      color_type::red, [&f](point_type value) { return f(value); });
  return upcall::through_c([&] { return callback.function()(callback.data(), point_type{}); });
}
upcall::function<point_type(point_type)> named() {
  return upcall::function<point_type(point_type)>(upcall::mfa{"Elixir.Greedy", "same"});
}

// ---- coroutines and streams ----

upcall::task<point_type> inner(upcall::async_function<point_type(point_type)> f, point_type value) {
  co_return co_await f(value);
}
upcall::task<points> in_coroutine(upcall::async_function<point_type(point_type)> f,
                                  upcall::executor executor, points values) {
  const auto same =
      co_await upcall::async_function<point_type(point_type)>::named({"Elixir.Greedy", "same"});
  for (point_type& each : values) {
    each = co_await same(each);
    const upcall::result<point_type> outcome = co_await f.try_call(each);
    each = outcome.value();
    each = co_await inner(f, each);
    each = co_await f.keep().async_here()(each);
    each = co_await f.on(executor).submit(each);
    co_await upcall::give_time();
  }
  co_return values;
}
upcall::generator<point_type> generate(points values) {
  for (const point_type& each : values) co_yield each;
}
void generate_on_fiber(points values) {
  for (const point_type& each : values) upcall::yield_value(each);
}
points to_vector(upcall::sequence<point_type> values) {
  points all;
  for (const point_type& each : values) all.push_back(each);
  return all;
}
upcall::task<points> to_vector_in_coroutine(upcall::sequence<celsius_type> values) {
  points all;
  while (const auto each = co_await values.next()) all.push_back(point_type{each->degrees, {}});
  co_return all;
}

// ---- objects, executors, NIFs by hand ----

using shared_counter = upcall::exclusive<counter_type>;
upcall::resource<shared_counter> new_counter() { return upcall::make_resource<shared_counter>(); }
upcall::resource<counter_type> new_plain_counter() { return upcall::make_resource<counter_type>(); }
upcall::task<std::int64_t> count_up(upcall::resource<shared_counter> shared) {
  auto locked = co_await shared->async_lock();
  co_return ++locked->reached;
}
std::int64_t count_on(upcall::resource<shared_counter> shared) {
  if (auto locked = shared->try_lock()) return (*locked)->reached;
  return shared->lock()->reached;
}

points on_executor(point_function f, upcall::executor executor, points values) {
  const auto there = f.on(executor);
  for (point_type& each : values) {
    each = there(each);
    each = there.try_call(each).value();
    each = there.submit(each).get();
    there.cast(each);
    each = upcall::apply(nullptr, executor, f, std::tuple(each)).value().as<point_type>();
  }
  return upcall::map(there, values);
}
ERL_NIF_TERM by_hand(ErlNifEnv* env, ERL_NIF_TERM raw) {
  return upcall::catching(env, [&] {
    const upcall::result<point_type> made(upcall::decode<point_type>(env, raw));
    return made.to_term(env);
  });
}

void translate(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const greedy::failure_type&) {
    upcall::raise("Elixir.ArgumentError", std::pair{"message", "translated"});
  } catch (...) {
  }
}

}  // namespace greedy_nifs

UPCALL_NIF(greedy_nifs::calls);
UPCALL_NIF_AS("pinned_calls", &greedy_nifs::calls, upcall::pinned);
UPCALL_NIF(greedy_nifs::same, upcall::dirty_cpu);
UPCALL_NIF(greedy_nifs::terms);
UPCALL_NIF(greedy_nifs::through_callback);
UPCALL_NIF(greedy_nifs::named);
UPCALL_NIF(greedy_nifs::in_coroutine);
UPCALL_NIF(greedy_nifs::generate, upcall::chunk_size{10});
UPCALL_NIF(greedy_nifs::generate_on_fiber, upcall::yields<greedy::point_type>);
UPCALL_NIF(greedy_nifs::to_vector);
UPCALL_NIF(greedy_nifs::to_vector_in_coroutine);
UPCALL_NIF(greedy_nifs::new_counter);
UPCALL_NIF(greedy_nifs::new_plain_counter);
UPCALL_NIF(greedy_nifs::count_up);
UPCALL_NIF(greedy_nifs::count_on, upcall::dirty_io);
UPCALL_NIF(greedy_nifs::on_executor);
UPCALL_NIF_AS("pinned_on_executor", &greedy_nifs::on_executor, upcall::pinned);
UPCALL_NIF_AS("at", &greedy::counter_type::at);
UPCALL_TRANSLATOR(greedy_nifs::translate);
UPCALL_INIT("Elixir.Greedy");
