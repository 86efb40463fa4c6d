#pragma once

#include <erl_nif.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <upcall.hpp>
#include <upcall/structs.hpp>

// Objects whose destructors tell Elixir something.

namespace {

/// What a destructor tries.
enum class way { cast, try_call, call, try_get, try_call_kept, call_kept, throws };

}  // namespace

template <>
struct upcall::codec<way>
    : upcall::enum_codec<
          way, upcall::named<way::cast, "cast">, upcall::named<way::try_call, "try_call">,
          upcall::named<way::call, "call">, upcall::named<way::try_get, "try_get">,
          upcall::named<way::try_call_kept, "try_call_kept">,
          upcall::named<way::call_kept, "call_kept">, upcall::named<way::throws, "throws">> {};

namespace {

using bound_function = upcall::executor_function<void(std::int64_t, std::string)>;
using kept_function = upcall::kept_function<void(std::int64_t, std::string)>;

std::atomic<std::int64_t> begun{0};
std::atomic<std::int64_t> accepted{0};
std::atomic<std::int64_t> refused{0};

bool cast(const bound_function& tell, std::int64_t number, const std::string& note) {
  ++begun;
  const bool is_accepted = tell.cast(number, note);
  ++(is_accepted ? accepted : refused);
  return is_accepted;
}

/// Names the thread that runs this.
std::string here() {
  switch (enif_thread_type()) {
    case ERL_NIF_THR_NORMAL_SCHEDULER:
      return "normal";
    case ERL_NIF_THR_DIRTY_CPU_SCHEDULER:
      return "dirty CPU";
    case ERL_NIF_THR_DIRTY_IO_SCHEDULER:
      return "dirty IO";
    default:
      return "native";
  }
}

// What calls by a pointer is not said to throw, nor is what destroys such an object.
void (*const volatile call_uncaught)(const bound_function&, std::int64_t) =
    [](const bound_function& tell, std::int64_t number) { tell(number, "call"); };

/// Tells, in its destructor, where that runs or what became of a call.
class teller {
 public:
  teller(const kept_function& f, upcall::executor where, std::int64_t number, way how)
      : m_kept(f), m_bound(f.on(where)), m_number(number), m_how(how) {}
  teller(const teller&) = delete;
  teller& operator=(const teller&) = delete;
  ~teller() {
    if (m_how == way::throws) call_uncaught(m_bound, m_number);
    cast(m_bound, m_number, note());
  }

 private:
  [[nodiscard]] std::string note() const {
    switch (m_how) {
      case way::try_call:
        return text_of(m_bound.try_call(m_number, "call"));
      case way::try_get:
        return text_of(m_bound.submit(m_number, "call").try_get());
      case way::try_call_kept:
        return text_of(m_kept.try_call(m_number, "call"));
      case way::call:
        return text_of_throw([this] { m_bound(m_number, "call"); });
      case way::call_kept:
        return text_of_throw([this] { m_kept(m_number, "call"); });
      default:
        return here();
    }
  }
  static std::string text_of(const upcall::result<void>& result) {
    return result ? "called" : result.error().what();
  }
  template <class Call>
  static std::string text_of_throw(const Call& call) {
    try {
      call();
      return "called";
    } catch (const upcall::error& failure) {
      return failure.what();
    }
  }

  kept_function m_kept;
  bound_function m_bound;
  std::int64_t m_number;
  way m_how;
};

}  // namespace
