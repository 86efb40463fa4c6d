// The native side of lib/pipeline/native.ex.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <upcall/coroutines.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>
#include <utility>

#include "format.hpp"
#include "format_error.hpp"
#include "record.hpp"
#include "tokenizer.hpp"

template <>
struct upcall::codec<pipeline::format_error::unit>
    : upcall::enum_codec<pipeline::format_error::unit,
                         upcall::named<pipeline::format_error::unit::line, "line">,
                         upcall::named<pipeline::format_error::unit::record, "record">> {};

namespace pipeline {

namespace {

// One chunk at a time, as they may be large: by itself a sequence reads ahead, up to 1000 elements.
using byte_chunks = upcall::sequence<std::string, 1>;
using predicate = upcall::async_function<bool(std::uint32_t, std::string_view)>;

upcall::generator<record> records(byte_chunks bytes, std::optional<predicate> keep) {
  tokenizer lines(format::separator);
  for (bool at_end = false; !at_end;) {
    if (const std::optional<std::string> chunk = co_await bytes.next()) {
      lines.feed(*chunk);
    } else {
      lines.finish();
      at_end = true;
    }
    while (const line* const each = lines.next()) {
      const parser fields(*each);
      bool is_wanted = true;
      if (keep) is_wanted = co_await (*keep)(fields.code(), fields.category());
      if (is_wanted) co_yield fields.whole();
    }
    // A line that never ends is not to be gathered.
    check_length(lines.unfinished(), {format_error::unit::line, lines.count() + 1, nullptr});
  }
}
UPCALL_NIF(records);

upcall::generator<std::string> encode(upcall::sequence<record> source) {
  constexpr std::size_t block_size = std::size_t{64} * 1024;
  writer lines;
  std::string block;
  while (const std::optional<record> each = co_await source.next()) {
    lines.write(*each, block);
    if (block.size() >= block_size) co_yield std::exchange(block, {});
  }
  if (!block.empty()) co_yield std::move(block);
}
// One block at a time, for the same reason.
UPCALL_NIF(encode, upcall::chunk_size{1});

void translate(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const format_error& e) {
    const auto& [unit, number, field] = e.where();
    upcall::raise(
        "Elixir.Pipeline.FormatError", std::pair{"place", std::pair{unit, number}},
        std::pair{"field", field == nullptr ? std::nullopt : std::optional<std::string>(field)},
        std::pair{"expected", e.expected()}, std::pair{"got", e.got()});
  } catch (...) {  // not ours
  }
}
UPCALL_TRANSLATOR(translate);

}  // namespace

}  // namespace pipeline

UPCALL_INIT("Elixir.Pipeline.Native");
