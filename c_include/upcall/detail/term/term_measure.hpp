#pragma once

#include <erl_nif.h>

#include <array>
#include <cstddef>
#include <vector>

#include "../../owned_env.hpp"
#include "../base/config.hpp"

// What a copy of a term would take. The VM copies parts that a term shares as often as they appear,
// so that a term of a kilobyte may have a copy of any size: this is to be known before.

namespace upcall UPCALL_HIDDEN {
namespace detail {

enum class term_kind {
  integer,
  real,
  atom,
  list,
  tuple,
  map,
  bitstring,
  function,
  native_record,  ///< of OTP 29 and later; a NIF can't see into it
  identifier      ///< a pid, a port or a reference
};

/// Gives what a term is. `enif_term_type` would end the VM at a native record, so it is asked for
/// one kind after another, the commonest first.
/// Threads: any that may read the term.
inline term_kind kind_of(ErlNifEnv* env, ERL_NIF_TERM raw) noexcept {
  if (enif_is_atom(env, raw)) return term_kind::atom;
  if (enif_is_tuple(env, raw)) return term_kind::tuple;
  if (enif_is_list(env, raw)) return term_kind::list;
  if (enif_is_binary(env, raw)) return term_kind::bitstring;
  if (enif_is_map(env, raw)) return term_kind::map;
  if (enif_is_number(env, raw)) {
    double value = 0;
    return enif_get_double(env, raw, &value) ? term_kind::real : term_kind::integer;
  }
  if (enif_is_fun(env, raw)) return term_kind::function;
  if (enif_is_pid(env, raw) || enif_is_ref(env, raw) || enif_is_port(env, raw))
    return term_kind::identifier;
  // What is left are records and bits that are no bytes, of which the VM prints no more than how
  // they begin: `#module:name` and `<<`.
  std::array<char, 2> beginning{};
  enif_snprintf(beginning.data(), beginning.size(), "%.1T", raw);
  return beginning.front() == '#' ? term_kind::native_record : term_kind::bitstring;
}

/// Measures terms until they take more words than they may. Recursion in a term needs no stack.
/// Threads: any that may read the terms.
class term_measure {
 public:
  explicit term_measure(std::size_t most_words) noexcept : m_left(most_words) {}

  /// Adds a term, and says whether all that was added is within the bound.
  bool add(ERL_NIF_TERM raw) noexcept {
    try {
      put(raw);
      while (!m_is_over && !m_to_do.empty()) {
        const ERL_NIF_TERM next = m_to_do.back();
        m_to_do.pop_back();
        look_into(next);
      }
    } catch (...) {  // no memory even for that
      m_is_over = true;
    }
    return !m_is_over;
  }

  /// Gives the functions that were found. What they have captured is not measured: a NIF can't see
  /// it.
  [[nodiscard]] const std::vector<ERL_NIF_TERM>& functions() const noexcept { return m_functions; }

 private:
  // Of a binary: larger ones are outside of the heap, and shared by copies. Of a reference or a
  // function: no more than this, on any OTP.
  static constexpr std::size_t most_of_one = 12;

  void put(ERL_NIF_TERM raw) {
    if (!detail::is_word(raw)) m_to_do.push_back(raw);
  }
  bool spend(std::size_t words) noexcept {
    if (words > m_left) m_is_over = true;
    m_left -= m_is_over ? 0 : words;
    return !m_is_over;
  }

  void look_into(ERL_NIF_TERM raw) {
    switch (detail::kind_of(m_env, raw)) {
      case term_kind::list:
        return look_into_list(raw);
      case term_kind::tuple:
        return look_into_tuple(raw);
      case term_kind::map:
        return look_into_map(raw);
      case term_kind::integer:
        return measure_integer(raw);
      case term_kind::function:
        if (spend(most_of_one)) m_functions.push_back(raw);
        return;
      case term_kind::native_record:  // holds what it likes, and nobody else may look into it
        m_is_over = true;
        return;
      default:
        spend(most_of_one);
    }
  }

  void look_into_list(ERL_NIF_TERM rest) {
    ERL_NIF_TERM head = 0;
    while (enif_get_list_cell(m_env, rest, &head, &rest)) {
      if (!spend(2)) return;
      put(head);
    }
    put(rest);  // of an improper one
  }

  void look_into_tuple(ERL_NIF_TERM raw) {
    int arity = 0;
    const ERL_NIF_TERM* elements = nullptr;
    enif_get_tuple(m_env, raw, &arity, &elements);
    if (!spend(static_cast<std::size_t>(arity) + 1)) return;
    for (int at = 0; at < arity; ++at) put(elements[at]);
  }

  void look_into_map(ERL_NIF_TERM raw) {
    constexpr std::size_t words_of_entry = 4;  // with its part of the nodes of a large one
    std::size_t size = 0;
    enif_get_map_size(m_env, raw, &size);
    if (!spend(size * words_of_entry + words_of_entry)) return;
    ErlNifMapIterator entries;
    if (!enif_map_iterator_create(m_env, raw, &entries, ERL_NIF_MAP_ITERATOR_FIRST)) return;
    const iterator_end end{m_env, entries};
    ERL_NIF_TERM key = 0;
    ERL_NIF_TERM value = 0;
    while (enif_map_iterator_get_pair(m_env, &entries, &key, &value)) {
      put(key);
      put(value);
      enif_map_iterator_next(m_env, &entries);
    }
  }
  struct iterator_end {
    ErlNifEnv* env;
    ErlNifMapIterator& entries;
    ~iterator_end() { enif_map_iterator_destroy(env, &entries); }
  };

  // A NIF can't ask an integer how large it is, but compare it, which is quick: to powers of 2.
  void measure_integer(ERL_NIF_TERM raw) {
    ErlNifSInt64 small = 0;
    ErlNifUInt64 word = 0;
    if (enif_get_int64(m_env, raw, &small) || enif_get_uint64(m_env, raw, &word)) {
      spend(2);
      return;
    }
    const owned_env env;
    const bool is_negative = enif_compare(raw, enif_make_int(env.get(), 0)) < 0;
    for (std::size_t words = 32; words <= m_left; words *= 8) {
      const ERL_NIF_TERM power = make_power(env.get(), words, is_negative);
      const int order = enif_compare(raw, power);
      if (is_negative ? order > 0 : order < 0) {
        spend(words + 1);
        return;
      }
    }
    m_is_over = true;
  }

  /// Makes 256 to the power of one less than the bytes of so many words, in the external format.
  static ERL_NIF_TERM make_power(ErlNifEnv* env, std::size_t words, bool is_negative) {
    constexpr std::size_t byte = 8;
    constexpr unsigned char version = 131;
    constexpr unsigned char large_big = 111;
    const std::size_t size = words * sizeof(ERL_NIF_TERM);
    std::vector<unsigned char> external{version, large_big};
    for (int shift = 3; shift >= 0; --shift)
      external.push_back(static_cast<unsigned char>(size >> (byte * static_cast<unsigned>(shift))));
    external.push_back(is_negative ? 1 : 0);
    external.resize(external.size() + size);
    external.back() = 1;
    ERL_NIF_TERM made = 0;
    enif_binary_to_term(env, external.data(), external.size(), &made, 0);
    return made;
  }

  ErlNifEnv* m_env = detail::env_for_words();  // for functions that want one, and don't use it
  std::size_t m_left;
  bool m_is_over = false;
  std::vector<ERL_NIF_TERM> m_to_do;
  std::vector<ERL_NIF_TERM> m_functions;
};

}  // namespace detail
}  // namespace UPCALL_HIDDEN
