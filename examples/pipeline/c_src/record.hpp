#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <upcall/coroutines.hpp>
#include <upcall/stl.hpp>
#include <upcall/structs.hpp>

namespace pipeline {

/// A line of UnicodeData.txt: in Elixir, a `%Pipeline.Record{}`. See lib/pipeline/record.ex.
struct record {
  std::uint32_t code = 0;
  std::string name;
  std::string category;
  std::uint8_t combining_class = 0;
  std::string bidi_class;
  std::optional<std::string> decomposition;
  std::optional<std::uint8_t> decimal;
  std::optional<std::uint8_t> digit;
  std::optional<std::string> numeric;
  bool is_mirrored = false;
  std::optional<std::string> old_name;
  std::optional<std::string> comment;
  std::optional<std::uint32_t> uppercase;
  std::optional<std::uint32_t> lowercase;
  std::optional<std::uint32_t> titlecase;
};

}  // namespace pipeline

template <>
struct upcall::codec<pipeline::record>
    : upcall::struct_codec<pipeline::record, "Elixir.Pipeline.Record",
                           upcall::field<&pipeline::record::code, "code">,
                           upcall::field<&pipeline::record::name, "name">,
                           upcall::field<&pipeline::record::category, "category">,
                           upcall::field<&pipeline::record::combining_class, "combining_class">,
                           upcall::field<&pipeline::record::bidi_class, "bidi_class">,
                           upcall::field<&pipeline::record::decomposition, "decomposition">,
                           upcall::field<&pipeline::record::decimal, "decimal">,
                           upcall::field<&pipeline::record::digit, "digit">,
                           upcall::field<&pipeline::record::numeric, "numeric">,
                           upcall::field<&pipeline::record::is_mirrored, "mirrored?">,
                           upcall::field<&pipeline::record::old_name, "old_name">,
                           upcall::field<&pipeline::record::comment, "comment">,
                           upcall::field<&pipeline::record::uppercase, "uppercase">,
                           upcall::field<&pipeline::record::lowercase, "lowercase">,
                           upcall::field<&pipeline::record::titlecase, "titlecase">> {};
