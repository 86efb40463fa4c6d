// Codecs that fail in the way of C NIFs, in frames.

#include <erl_nif.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <upcall/stl.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "bodies.hpp"
#include "failing_codec.hpp"

namespace {

using own = std::vector<std::optional<std::pair<std::string, double>>>;
static_assert(upcall::detail::own_throughout<own>());
static_assert(!upcall::detail::own_throughout<std::vector<std::optional<faulty>>>());
static_assert(!upcall::detail::own_throughout<std::map<int, holder_of_faulty>>());

// ---- frames ----

body<faulty> result(faulty value) { UPCALL_RETURN value; }
UPCALL_NIF(result);

body<faulty> result_after_call(function<std::int64_t(std::int64_t)> f, faulty value) {
  UPCALL_AWAIT f(1);
  UPCALL_RETURN value;
}
UPCALL_NIF(result_after_call);

body<> argument(function<void(faulty)> f, faulty value) { UPCALL_AWAIT f(value); }
UPCALL_NIF(argument);
body<> second_argument(function<void(std::int64_t, faulty)> f, faulty value) {
  UPCALL_AWAIT f(1, value);
}
UPCALL_NIF(second_argument);

body<fault> returned(function<faulty()> f) { UPCALL_RETURN(UPCALL_AWAIT f()).how; }
UPCALL_NIF(returned);

body<std::string> text_of_try_call(function<void(faulty)> f, faulty value) {
  const upcall::result<void> outcome = UPCALL_AWAIT f.try_call(value);
  UPCALL_RETURN outcome ? "nothing" : outcome.error().what();
}
UPCALL_NIF(text_of_try_call);

body<std::string> text_of_returned(function<faulty()> f) {
  const upcall::result<faulty> outcome = UPCALL_AWAIT f.try_call();
  UPCALL_RETURN outcome ? "nothing" : outcome.error().what();
}
UPCALL_NIF(text_of_returned);

// ---- inside of others ----

template <class T>
body<T> same(T value) {
  UPCALL_RETURN value;
}
using named_faults = std::map<std::string, faulty>;
using faults_by_fault = std::map<faulty, std::int64_t>;
using two_faults = std::array<faulty, 2>;
using faulty_or_text = std::variant<faulty, std::string>;
using faulty_or_fault = std::variant<faulty, fault>;
UPCALL_NIF_AS("in_vector", &same<std::vector<faulty>>);
UPCALL_NIF_AS("in_array", &same<two_faults>);
UPCALL_NIF_AS("in_optional", &same<std::optional<faulty>>);
UPCALL_NIF_AS("in_map", &same<named_faults>);
UPCALL_NIF_AS("as_key", &same<faults_by_fault>);
UPCALL_NIF_AS("in_struct", &same<holder_of_faulty>);
UPCALL_NIF_AS("in_options", &same<options_of_faulty>);
UPCALL_NIF_AS("in_variant", &same<faulty_or_text>);
UPCALL_NIF_AS("first_of_variant", &same<faulty_or_fault>);

body<std::tuple<std::int64_t, faulty>> in_tuple(std::tuple<std::int64_t, faulty> value) {
  UPCALL_RETURN value;
}
UPCALL_NIF(in_tuple);

body<> fields_of_raise(faulty value) {
  upcall::raise("Elixir.KeyError", std::pair{"key", 1}, std::pair{"term", value});
  UPCALL_RETURN;
}
UPCALL_NIF(fields_of_raise);

// ---- terms ----

body<fault> borrowed(upcall::term value) { UPCALL_RETURN value.as<faulty>().how; }
UPCALL_NIF(borrowed);

/// Twice: what has failed is forgotten, as the term is the C++ side's own.
body<std::vector<std::string>> kept(upcall::owned_term value, upcall::owned_term sound) {
  std::vector<std::string> texts;
  for (const auto& each : {value, sound, value, sound}) {
    try {
      static_cast<void>(each.as<faulty>());
      texts.push_back("decoded");
    } catch (const upcall::error& e) {
      texts.push_back(e.what());
    }
  }
  UPCALL_RETURN texts;
}
UPCALL_NIF(kept);

body<upcall::term> no_term(upcall::term) { UPCALL_RETURN upcall::term(0); }
UPCALL_NIF(no_term);
body<> no_term_as_argument(function<void(upcall::term)> f) {
  const upcall::term none(0);
  UPCALL_AWAIT f(none);
}
UPCALL_NIF(no_term_as_argument);
body<upcall::owned_term> no_term_to_keep() { UPCALL_RETURN upcall::owned_term(ERL_NIF_TERM{0}); }
UPCALL_NIF(no_term_to_keep);

}  // namespace

UPCALL_TEST_INIT("Elixir.UpcallTest.FailingCodec");
