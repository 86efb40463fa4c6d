// Codecs that fail in the way of C NIFs, in streams, in pinned calls and in those of executors.

#include <erl_nif.h>

#include <cstdint>
#include <string>
#include <thread>
#include <tuple>
#include <upcall.hpp>
#include <upcall/map.hpp>
#include <utility>
#include <vector>

#include "failing_codec.hpp"

namespace {

// ---- streams ----

upcall::generator<faulty> generate(std::vector<faulty> values) {
  for (const faulty& each : values) co_yield each;
}
UPCALL_NIF(generate);
void generate_on_fiber(std::vector<faulty> values) {
  for (const faulty& each : values) upcall::yield_value(each);
}
UPCALL_NIF(generate_on_fiber, upcall::yields<faulty>);

std::int64_t count(upcall::sequence<faulty> values) {
  std::int64_t counted = 0;
  for ([[maybe_unused]] const faulty& each : values) ++counted;
  return counted;
}
UPCALL_NIF(count);
upcall::task<std::int64_t> count_in_coroutine(upcall::sequence<faulty> values) {
  std::int64_t counted = 0;
  while (const auto each = co_await values.next()) ++counted;
  co_return counted;
}
UPCALL_NIF(count_in_coroutine);

// ---- pinned ----

faulty result(faulty value) { return value; }
UPCALL_NIF(result, upcall::pinned);
void second_argument(upcall::function<void(std::int64_t, faulty)> f, faulty value) { f(1, value); }
UPCALL_NIF(second_argument, upcall::pinned);
fault returned(upcall::function<faulty()> f) { return f().how; }
UPCALL_NIF(returned, upcall::pinned);
void fields_of_raise(faulty value) {
  upcall::raise("Elixir.KeyError", std::pair{"key", 1}, std::pair{"term", value});
}
UPCALL_NIF(fields_of_raise, upcall::pinned);
upcall::term no_term() { return upcall::term(0); }
UPCALL_NIF(no_term, upcall::pinned);

/// Gives what each of two calls came to, and goes on with the environments of the call.
std::vector<std::string> goes_on(upcall::function<void(faulty)> f, upcall::function<faulty()> g,
                                 upcall::term value) {
  std::vector<std::string> texts;
  const auto tell = [&](const auto& call) {
    try {
      call();
      texts.push_back("done");
    } catch (const upcall::error& e) {
      texts.push_back(e.what());
    }
  };
  for (const fault how : {fault::zero, fault::none, fault::badarg, fault::none})
    tell([&] { f({how}); });
  for (int round = 0; round < 2; ++round) tell([&] { g(); });
  for (int round = 0; round < 2; ++round) tell([&] { static_cast<void>(value.as<faulty>()); });
  tell([&] { static_cast<void>(value.as<fault>()); });
  return texts;
}
UPCALL_NIF(goes_on, upcall::pinned);

std::string on_thread_of_call(upcall::function<void(faulty)> f) {
  std::string text;
  std::thread([&] {
    try {
      f({fault::badarg});
    } catch (const upcall::error& e) {
      text = e.what();
    }
  }).join();
  return text;
}
UPCALL_NIF(on_thread_of_call, upcall::pinned);

std::vector<fault> mapped(upcall::function<faulty(faulty)> f, std::vector<faulty> values) {
  std::vector<fault> faults;
  for (const faulty& each : upcall::map(f, values)) faults.push_back(each.how);
  return faults;
}
UPCALL_NIF(mapped);
UPCALL_NIF_AS("pinned_mapped", &mapped, upcall::pinned);

// ---- executors ----

using asked = upcall::function<faulty(faulty)>;

fault called_on(asked f, upcall::executor executor, faulty value) {
  return f.on(executor)(value).how;
}
UPCALL_NIF(called_on);
UPCALL_NIF_AS("pinned_called_on", &called_on, upcall::pinned);

fault async_on(asked f, upcall::executor executor, faulty value) {
  return f.on(executor).submit(value).get().how;
}
UPCALL_NIF(async_on);
UPCALL_NIF_AS("pinned_async_on", &async_on, upcall::pinned);
upcall::task<fault> awaited_on(upcall::async_function<faulty(faulty)> f, upcall::executor executor,
                               faulty value) {
  const faulty answer = co_await f.on(executor).submit(value);
  co_return answer.how;
}
UPCALL_NIF(awaited_on);

bool cast_on(asked f, upcall::executor executor, faulty value) {
  return f.on(executor).cast(value);
}
UPCALL_NIF(cast_on);
UPCALL_NIF_AS("pinned_cast_on", &cast_on, upcall::pinned);

std::vector<fault> mapped_on(asked f, upcall::executor executor, std::vector<faulty> values) {
  std::vector<fault> faults;
  for (const faulty& each : upcall::map(f.on(executor), values)) faults.push_back(each.how);
  return faults;
}
UPCALL_NIF(mapped_on);
UPCALL_NIF_AS("pinned_mapped_on", &mapped_on, upcall::pinned);

fault applied_on(upcall::function<void(faulty)> f, upcall::executor executor, faulty value) {
  return upcall::apply(nullptr, executor, f, std::tuple(value)).value().as<faulty>().how;
}
UPCALL_NIF(applied_on);

fault kept_called(asked f, faulty value) { return f.keep()(value).how; }
UPCALL_NIF(kept_called);

/// On a thread that is no call's, whose environment for words serves many answers.
std::vector<std::string> on_thread(asked f, upcall::executor executor, faulty value) {
  const auto kept = f.keep().on(executor);
  std::vector<std::string> texts;
  std::thread([&] {
    for (const faulty each : {value, faulty{fault::none}, value, faulty{fault::none}}) {
      try {
        static_cast<void>(kept(each));
        texts.push_back("done");
      } catch (const upcall::error& e) {
        texts.push_back(e.what());
      }
    }
  }).join();
  return texts;
}
UPCALL_NIF(on_thread, upcall::pinned);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.FailingCodecElsewhere");
