#pragma once

// Codecs for the standard library's containers: include it beside <upcall.hpp>.
//
// | C++                             | Elixir                                                 |
// | ------------------------------- | ------------------------------------------------------ |
// | std::vector<T>                  | a list                                                 |
// | std::array<T, N>                | a list of N elements                                   |
// | std::tuple<Ts...>, std::pair    | a tuple                                                |
// | std::map, std::unordered_map    | a map                                                  |
// | std::optional<T>                | `nil`, or what T is                                    |
// | std::variant<Ts...>             | what the first alternative is that takes the term      |
// | std::monostate                  | `nil`                                                  |
//
// They nest, and hold functions (`std::vector<upcall::function<int(int)>>`) and types of yours.
// Errors say where: `argument 1: element 3: value of key "x": expected a float, got: :a`.
//
// Each alternative of a variant that refuses a term costs about a microsecond; one that refuses
// only deep inside a large term costs as long as it looked. So put the likely ones first, and no
// two that begin alike.
#include "detail/codec/choice_codec.hpp"  // IWYU pragma: export
#include "detail/codec/list_codec.hpp"    // IWYU pragma: export
#include "detail/codec/map_codec.hpp"     // IWYU pragma: export
#include "detail/codec/tuple_codec.hpp"   // IWYU pragma: export
