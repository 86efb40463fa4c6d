#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace {

enum class color { red, green, blue };

struct point {
  double x = 0;
  double y = 0;
};

struct line {
  point from;
  point to;
  std::optional<std::string> label;
};

// Contains itself, by a declaration.
struct folder {
  std::string name;
  std::vector<folder> folders;
};

struct options {
  std::int64_t depth = 3;
  bool strict = false;
  std::optional<upcall::function<std::int64_t(std::int64_t)>> step;
};

// Points into a term, as one of its fields does.
struct label_view {
  std::string_view text;
};

// Contains itself, with a codec of its own.
struct tree {
  std::vector<tree> children;
};

// Two of them can be the same term.
struct parity {
  int number;
  bool operator<(const parity& other) const { return number < other.number; }
};

struct not_encodable {};

}  // namespace

template <>
struct upcall::codec<color> : upcall::enum_codec<color, upcall::named<color::red, "red">,
                                                 upcall::named<color::green, "green">> {};

template <>
struct upcall::codec<point>
    : upcall::struct_codec<point, "Elixir.UpcallTest.Types.Point", upcall::field<&point::x, "x">,
                           upcall::field<&point::y, "y">> {};

template <>
struct upcall::codec<line>
    : upcall::struct_codec<line, "Elixir.UpcallTest.Types.Line", upcall::field<&line::from, "from">,
                           upcall::field<&line::to, "to">, upcall::field<&line::label, "label">> {};

template <>
struct upcall::codec<folder> : upcall::struct_codec<folder, "Elixir.UpcallTest.Types.Folder",
                                                    upcall::field<&folder::name, "name">,
                                                    upcall::field<&folder::folders, "folders">> {};

template <>
struct upcall::codec<options>
    : upcall::keyword_codec<options, upcall::field<&options::depth, "depth">,
                            upcall::field<&options::strict, "strict">,
                            upcall::field<&options::step, "step">> {};

template <>
struct upcall::codec<label_view>
    : upcall::keyword_codec<label_view, upcall::field<&label_view::text, "text">> {};

template <>
struct upcall::codec<tree> {
  static tree decode(ErlNifEnv* env, ERL_NIF_TERM raw) {
    return tree{upcall::decode<std::vector<tree>>(env, raw)};
  }
  static ERL_NIF_TERM encode(ErlNifEnv* env, const tree& value) {
    return upcall::encode(env, value.children);
  }
};

template <>
struct upcall::codec<parity> {
  static ERL_NIF_TERM encode(ErlNifEnv* env, const parity& value) {
    return enif_make_int(env, value.number % 2);
  }
};

namespace {

static_assert(upcall::borrowing<std::vector<std::string_view>>);
static_assert(upcall::borrowing<std::array<std::span<const std::byte>, 2>>);
static_assert(upcall::borrowing<std::pair<int, std::string_view>>);
static_assert(upcall::borrowing<std::tuple<std::map<int, std::string_view>>>);
static_assert(upcall::borrowing<std::unordered_map<std::string_view, int>>);
static_assert(upcall::borrowing<std::optional<std::vector<std::string_view>>>);
static_assert(upcall::borrowing<std::variant<int, std::string_view>>);
static_assert(upcall::borrowing<label_view>);
static_assert(upcall::borrowing<std::vector<label_view>>);
static_assert(!upcall::borrowing<std::vector<std::string>>);
static_assert(!upcall::borrowing<std::tuple<>>);
static_assert(!upcall::borrowing<std::variant<std::monostate, point>>);
static_assert(!upcall::borrowing<folder>);
static_assert(!upcall::borrowing<options>);
static_assert(!upcall::borrowing<std::vector<tree>>);
static_assert(!upcall::decodable<not_encodable> && !upcall::encodable<not_encodable>);
static_assert(upcall::encodable<upcall::static_atom> && !upcall::decodable<upcall::static_atom>);

template <class T>
T same(T value) {
  return value;
}

// ---- codec.hpp ----

UPCALL_NIF_AS("int8", &same<std::int8_t>);
UPCALL_NIF_AS("int16", &same<std::int16_t>);
UPCALL_NIF_AS("int32", &same<std::int32_t>);
UPCALL_NIF_AS("int64", &same<std::int64_t>);
UPCALL_NIF_AS("uint8", &same<std::uint8_t>);
UPCALL_NIF_AS("uint16", &same<std::uint16_t>);
UPCALL_NIF_AS("uint32", &same<std::uint32_t>);
UPCALL_NIF_AS("uint64", &same<std::uint64_t>);
UPCALL_NIF_AS("float64", &same<double>);
UPCALL_NIF_AS("float32", &same<float>);
UPCALL_NIF_AS("boolean", &same<bool>);
UPCALL_NIF_AS("any_atom", &same<upcall::atom>);
UPCALL_NIF_AS("string", &same<std::string>);
UPCALL_NIF_AS("string_view", &same<std::string_view>);
UPCALL_NIF_AS("bytes", &same<std::span<const std::byte>>);
UPCALL_NIF_AS("local_pid", &same<ErlNifPid>);
UPCALL_NIF_AS("any_term", &same<upcall::term>);
UPCALL_NIF_AS("owned", &same<upcall::owned_term>);

const upcall::static_atom static_word{"a static word"};
const upcall::static_atom static_word_in_utf8{"größer als ∞"};
const upcall::static_atom static_word_in_latin{
    "gr\xF6\xDF"
    "e"};

std::tuple<upcall::atom, std::string> atom_and_name(upcall::atom given) {
  return {given, given.name(upcall::detail::current_env())};
}
const upcall::static_atom& static_atom() { return static_word; }
const upcall::static_atom& static_atom_in_utf8() { return static_word_in_utf8; }
const upcall::static_atom& static_atom_in_latin() { return static_word_in_latin; }
const char* c_string() { return "a C string"; }
const char (&literal())[8] { return "literal"; }
double not_a_number() { return std::numeric_limits<double>::quiet_NaN(); }
double infinity() { return std::numeric_limits<double>::infinity(); }
double ask_of_not_a_number(upcall::function<double(int, std::vector<double>)> f) {
  return f(1, {not_a_number(), 1});
}
std::vector<float> too_small() { return {1, -std::numeric_limits<float>::infinity()}; }
std::int64_t sum_of_term(upcall::term numbers) {
  std::int64_t sum = 0;
  for (const std::int64_t each : numbers.as<std::vector<std::int64_t>>()) sum += each;
  return sum;
}
std::int64_t sum_of_owned(const upcall::owned_term& numbers) {
  std::int64_t sum = 0;
  for (const std::int64_t each : numbers.as<std::vector<std::int64_t>>()) sum += each;
  return sum;
}
std::vector<upcall::term> list_of_owned(const upcall::owned_term& list) {
  return list.as<std::vector<upcall::term>>();
}
std::int64_t call_owned(const upcall::owned_term& list) {
  std::int64_t sum = 0;
  for (int round = 0; round < 2; ++round) {
    const auto functions = list.as<std::vector<upcall::function<std::int64_t()>>>();
    for (const auto& each : functions) sum += each();
  }
  return sum;
}
std::size_t total_size(const std::vector<std::string_view>& views) {
  std::size_t size = 0;
  for (const std::string_view each : views) size += each.size();
  return size;
}
UPCALL_NIF(atom_and_name);
UPCALL_NIF(static_atom);
UPCALL_NIF(static_atom_in_utf8);
UPCALL_NIF(static_atom_in_latin);
UPCALL_NIF(c_string);
UPCALL_NIF(literal);
UPCALL_NIF(not_a_number);
UPCALL_NIF(infinity);
UPCALL_NIF(ask_of_not_a_number);
UPCALL_NIF(too_small);
UPCALL_NIF(sum_of_term);
UPCALL_NIF(sum_of_owned);
UPCALL_NIF(list_of_owned);
UPCALL_NIF(call_owned);
UPCALL_NIF(total_size);

// ---- stl.hpp ----

using integers_by_name = std::map<std::string, std::int64_t>;
using names_by_integer = std::unordered_map<std::int64_t, std::string>;
using integers_by_float = std::map<double, std::int64_t>;
using lists_by_name = std::map<std::string, std::vector<std::optional<std::uint8_t>>>;
using array_of_three = std::array<std::int64_t, 3>;
using array_of_one = std::array<std::int64_t, 1>;
using array_of_none = std::array<std::int64_t, 0>;
using triple = std::tuple<std::int64_t, std::string, bool>;
using range = std::pair<double, double>;
using choice = std::variant<std::monostate, std::uint8_t, std::string, std::vector<std::uint8_t>>;
using lists = std::variant<std::vector<std::uint8_t>, std::vector<bool>>;
using text_or_bytes = std::vector<std::pair<std::string_view, std::span<const std::byte>>>;

UPCALL_NIF_AS("integers", &same<std::vector<std::int64_t>>);
UPCALL_NIF_AS("booleans", &same<std::vector<bool>>);
UPCALL_NIF_AS("grid", &same<std::vector<std::vector<std::uint8_t>>>);
UPCALL_NIF_AS("strings", &same<std::vector<std::string>>);
UPCALL_NIF_AS("terms", &same<std::vector<upcall::term>>);
UPCALL_NIF_AS("three", &same<array_of_three>);
UPCALL_NIF_AS("one", &same<array_of_one>);
UPCALL_NIF_AS("none", &same<array_of_none>);
UPCALL_NIF_AS("triple", &same<triple>);
UPCALL_NIF_AS("empty_tuple", &same<std::tuple<>>);
UPCALL_NIF_AS("nested_tuple", &same<std::tuple<std::tuple<std::int64_t>>>);
UPCALL_NIF_AS("range", &same<range>);
UPCALL_NIF_AS("integers_by_name", &same<integers_by_name>);
UPCALL_NIF_AS("names_by_integer", &same<names_by_integer>);
UPCALL_NIF_AS("integers_by_float", &same<integers_by_float>);
UPCALL_NIF_AS("lists_by_name", &same<lists_by_name>);
UPCALL_NIF_AS("maybe", &same<std::optional<std::int64_t>>);
UPCALL_NIF_AS("maybe_range", &same<std::optional<range>>);
UPCALL_NIF_AS("choice", &same<choice>);
UPCALL_NIF_AS("lists", &same<lists>);
UPCALL_NIF_AS("nothing", &same<std::monostate>);
UPCALL_NIF_AS("text_and_bytes", &same<text_or_bytes>);
UPCALL_NIF_AS("tree", &same<tree>);
UPCALL_NIF_AS("tree_on_a_large_stack", &same<tree>, upcall::stack_size{64 << 20});

using integer_function = upcall::function<std::int64_t(std::int64_t)>;

std::vector<std::int64_t> call_each(const std::vector<integer_function>& functions,
                                    std::int64_t argument) {
  std::vector<std::int64_t> results;
  results.reserve(functions.size());
  for (const integer_function& each : functions) results.push_back(each(argument));
  return results;
}
integers_by_name call_values(const std::map<std::string, integer_function>& functions,
                             std::int64_t argument) {
  integers_by_name results;
  for (const auto& [name, function] : functions) results.emplace(name, function(argument));
  return results;
}
std::int64_t call_both(const std::array<integer_function, 2>& functions, std::int64_t argument) {
  return functions[1](functions[0](argument));
}
std::int64_t call_maybe(const std::optional<std::pair<integer_function, std::int64_t>>& call) {
  return call ? call->first(call->second) : 0;
}
std::vector<integer_function> reversed(const std::vector<integer_function>& functions) {
  return {functions.rbegin(), functions.rend()};
}
integers_by_name ask(const upcall::function<integers_by_name(range)>& function) {
  return function({0.0, 1.0});
}
upcall::term pass_term(const upcall::function<upcall::term(upcall::term)>& function,
                       upcall::term value) {
  return function(value);
}
// Never destroyed: that would need as deep a stack.
const std::vector<tree>& tree_too_deep_to_encode() {
  static const auto* const deepest = [] {
    auto* grown = new std::vector<tree>;
    for (int level = 0; level < 100'000; ++level) {
      std::vector<tree> next;
      next.push_back({std::move(*grown)});
      *grown = std::move(next);
    }
    return grown;
  }();
  return *deepest;
}
std::map<parity, int> equal_keys(std::uint16_t count) {
  std::map<parity, int> odd;
  for (int index = 0; index < count; ++index) odd[{2 * index + 1}] = index;
  return odd;
}
std::vector<std::uint32_t> count_up(std::uint16_t size) {
  std::vector<std::uint32_t> numbers(size);
  for (std::uint32_t index = 0; index < size; ++index) numbers[index] = index;
  return numbers;
}
UPCALL_NIF(call_each);
UPCALL_NIF(call_values);
UPCALL_NIF(call_both);
UPCALL_NIF(call_maybe);
UPCALL_NIF(reversed);
UPCALL_NIF(ask);
UPCALL_NIF(pass_term);
UPCALL_NIF(tree_too_deep_to_encode);
UPCALL_NIF(equal_keys);
UPCALL_NIF(count_up);

// ---- structs.hpp ----

UPCALL_NIF_AS("color", &same<color>);
UPCALL_NIF_AS("colors", &same<std::vector<color>>);
UPCALL_NIF_AS("point", &same<point>);
UPCALL_NIF_AS("line", &same<line>);
UPCALL_NIF_AS("folder", &same<folder>);
UPCALL_NIF_AS("options", &same<options>);

color unnamed_color() { return color::blue; }
std::int64_t step(const options& given, std::int64_t from) {
  return given.step ? (*given.step)(from) : from;
}
folder ask_for_folder(const upcall::function<folder(std::int64_t)>& function) {
  return function(0);
}
UPCALL_NIF(unnamed_color);
UPCALL_NIF(step);
UPCALL_NIF(ask_for_folder);

}  // namespace

UPCALL_INIT("Elixir.UpcallTest.Types");
