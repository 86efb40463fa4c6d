#pragma once

#include <erl_nif.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "../../codec.hpp"
#include "../base/config.hpp"
#include "../frame/frame.hpp"
#include "../term/parts.hpp"

// Values on their way to Elixir or from there, which travel in chunks.

namespace upcall UPCALL_HIDDEN {
namespace detail {

/// How many values the next chunk has: one at first, then an eighth of those before, so that few
/// are computed in vain and most share the price of a chunk; and no more than come in half a
/// millisecond, as nobody is to wait long for a value that is there.
class chunk_growth {
 public:
  explicit chunk_growth(std::size_t most) noexcept : m_most(std::max<std::size_t>(most, 1)) {}

  [[nodiscard]] std::size_t next() const noexcept { return m_next; }
  /// Notes that values are wanted.
  void begin() noexcept { m_begun = enif_monotonic_time(ERL_NIF_USEC); }
  /// Notes that so many have come, and gives how many microseconds they took.
  ErlNifTime add(std::size_t values) noexcept {
    const ErlNifTime took = std::max<ErlNifTime>(enif_monotonic_time(ERL_NIF_USEC) - m_begun, 1);
    constexpr std::size_t longest = 500;
    m_before += values;
    m_next = std::clamp<std::size_t>(
        std::min(m_before / 8, longest * values / static_cast<std::size_t>(took)), 1, m_most);
    return took;
  }

 private:
  std::size_t m_most;
  std::size_t m_before = 0;
  std::size_t m_next = 1;
  ErlNifTime m_begun = enif_monotonic_time(ERL_NIF_USEC);
};

/// What a native call has yielded, and Elixir has not taken.
class chunk_base {
 public:
  chunk_base(const void* type, std::size_t most) noexcept : m_type(type), m_growth(most) {}
  chunk_base(const chunk_base&) = delete;
  chunk_base& operator=(const chunk_base&) = delete;

  /// Tells the types of values apart.
  template <class T>
  static const void* type_of() noexcept {
    static constexpr char mark = 0;
    return &mark;
  }
  [[nodiscard]] const void* type() const noexcept { return m_type; }
  /// Gives the values as a list. Throws: what their codec throws, at the first value that has no
  /// term: those before it are still there.
  virtual ERL_NIF_TERM take(frame& running) = 0;

  /// Notes that values are wanted again.
  void go_on() noexcept { m_growth.begin(); }

 protected:
  ~chunk_base() = default;

  /// Notes that so many were taken.
  void begin_next(ErlNifEnv* env, std::size_t taken) noexcept;
  /// Says how many values the chunk is to have.
  [[nodiscard]] std::size_t limit() const noexcept { return m_growth.next(); }

 private:
  const void* m_type;
  chunk_growth m_growth;
};

template <class T>
class chunk final : public chunk_base {
  static_assert(encodable<T>,
                "upcall::codec has no encode for the values that this native call yields");
  static_assert(!borrowing<T>,
                "what is yielded waits for its chunk, where a view would dangle: yield a "
                "std::string, say, in the place of a std::string_view");

 public:
  explicit chunk(std::size_t most) noexcept : chunk_base(type_of<T>(), most) {}

  /// True when Elixir is to take them.
  UPCALL_ALWAYS_INLINE bool add(T value) {
    m_values.push_back(std::move(value));
    return m_values.size() >= limit();
  }
  [[nodiscard]] bool empty() const noexcept { return m_values.empty(); }

  ERL_NIF_TERM take(frame& running) override {
    ErlNifEnv* const env = running.env();
    m_terms.clear();
    m_terms.reserve(m_values.size());
    {
      const frame::codec_scope scope(running);
      try {
        for (const auto& each : m_values)
          m_terms.push_back(
              detail::encode_whole<T>(env, each, [] { return "a value that it yields"; }));
      } catch (...) {
        m_values.erase(m_values.begin() + static_cast<std::ptrdiff_t>(m_terms.size()),
                       m_values.end());
        throw;
      }
    }
    begin_next(env, m_values.size());
    m_values.clear();
    return enif_make_list_from_array(env, m_terms.data(), static_cast<unsigned>(m_terms.size()));
  }

 private:
  std::vector<T> m_values;
  std::vector<ERL_NIF_TERM> m_terms;  // of one `take`
};

/// Tells Elixir that the call has its arguments, and will yield when it is resumed. It gives them
/// back, for further enumerations: who has called would else keep those of every native call.
ERL_NIF_TERM generate_request(frame& running, const ERL_NIF_TERM* arguments) noexcept;

/// Gives Elixir the values that were yielded. Throws as `take`.
inline ERL_NIF_TERM chunk_request(frame& running) {
  const ERL_NIF_TERM values = running.yielded->take(running);
  return detail::make_tuple(running.env(), atoms::chunk.raw(), running.next_token(), values);
}

}  // namespace detail
}  // namespace UPCALL_HIDDEN

#if defined(UPCALL_HEADER_ONLY)
#include "chunk.ipp"  // IWYU pragma: export
#endif
