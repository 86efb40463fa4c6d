// What looks like what is refused, and is not: parameters that C++ can't change, and results that
// point to what outlives the call.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <upcall.hpp>
#include <upcall/stl.hpp>
#include <utility>
#include <vector>

namespace {

struct object {
  std::string name;
  [[nodiscard]] std::string_view view() const { return name; }
};

// ---- parameters ----

std::size_t by_value(std::string text) { return text.size(); }
std::size_t by_reference(const std::string& text) { return text.size(); }
std::string by_rvalue_reference(std::string&& text) { return std::move(text); }
std::string by_const_value(const std::string text) { return text; }
int arguments(const std::function<int(const std::string&, std::string&&, int)>& f) {
  return f("1", "2", 3);
}
UPCALL_NIF(by_value);
UPCALL_NIF(by_reference);
UPCALL_NIF(by_rvalue_reference);
UPCALL_NIF(by_const_value);
UPCALL_NIF(arguments);
UPCALL_NIF_AS("pinned", &by_rvalue_reference, upcall::pinned);

// ---- results ----

std::string_view literal() { return "literal"; }
const char* c_string(std::int64_t code) { return code == 0 ? "zero" : "other"; }
std::string_view of_view(std::string_view text) { return text.substr(0, 1); }
std::span<const std::byte> of_bytes(std::span<const std::byte> bytes) { return bytes.first(1); }
std::string_view of_views(std::vector<std::string_view> texts) { return texts.at(0); }
std::string_view of_reference(const std::string& text) { return text; }
std::string_view of_rvalue_reference(std::string&& text) { return text; }
std::string_view of_kept_term(upcall::owned_term kept) { return kept.as<std::string_view>(); }
std::string_view of_term(upcall::term borrowed, upcall::function<void()>, upcall::executor) {
  return borrowed.as<std::string_view>();
}
std::string_view of_resource(const upcall::resource<object>& shared) { return shared->name; }
const std::string& reference(const std::string& text) { return text; }
UPCALL_NIF(literal);
UPCALL_NIF(c_string);
UPCALL_NIF(of_view);
UPCALL_NIF(of_bytes);
UPCALL_NIF(of_views);
UPCALL_NIF(of_reference);
UPCALL_NIF(of_rvalue_reference);
UPCALL_NIF(of_kept_term);
UPCALL_NIF(of_term);
UPCALL_NIF(of_resource);
UPCALL_NIF(reference);
UPCALL_NIF_AS("view", &object::view);

}  // namespace

UPCALL_INIT("Elixir.Allowed");
