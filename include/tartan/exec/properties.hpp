#pragma once
// How a call shall run: numbers and handles, never types.

#include <cstddef>  // size_t
#include <cstdint>  // int64_t, uint32_t, uint64_t

#include "tartan/core/pool_ref.hpp"     // pool_ref
#include "tartan/core/run_control.hpp"  // piece_counter, stop_query

namespace tartan::inline TARTAN_ABI {

/// The properties that only some backends or some patterns honour, as bits of a type (policy<Backend, Leaf, Used>).
enum class property : std::uint32_t {
  none = 0,
  grain = 1U << 0,
  relaxed = 1U << 1,
  in_flight = 1U << 2,
  timeout = 1U << 3,
  retries = 1U << 4,
  on = 1U << 5,
};

[[nodiscard]] constexpr property operator|(property a, property b) noexcept {
  return static_cast<property>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

/// Whether every bit of `some` is in `all`.
[[nodiscard]] constexpr bool within(property some, property all) noexcept { return (some | all) == all; }

/// What a policy carries. Backends read it; a member that is zero leaves the choice to the backend.
struct properties {
  unsigned workers = 0;         ///< Threads, processes or ranks that may take part, the caller included.
  unsigned retries = 0;         ///< How often a task whose worker died runs again.
  std::size_t grain = 0;        ///< Elements that run in one piece.
  bool relaxed = false;         ///< Sums need not have the same bits on every run.
  std::size_t in_flight = 0;    ///< Items between source and sink of a stream.
  std::int64_t timeout_ns = 0;  ///< Longest time of one task; only where a task can be killed.
  std::uint64_t work_us = 0;    ///< About how long the call takes on one worker, as far as the pattern knows.
  char const* name = nullptr;   ///< For those who look on; not owned.
  pool_ref pool{};
  detail::stop_query stop{};
  detail::piece_counter progress{};

  [[nodiscard]] detail::run_control control() const noexcept { return {stop, progress}; }

  /// Whether anybody wants to be asked or told between pieces.
  [[nodiscard]] bool watched() const noexcept { return stop.asks != nullptr || progress.count != nullptr; }

  /// The same, copied member by member. What is edited after that, and read in the same function, g++ then keeps in
  /// registers; a copy of the whole it makes in memory.
  [[nodiscard]] TARTAN_ALWAYS_INLINE constexpr properties copy() const noexcept {
    auto const& [a, b, c, d, e, f, g, h, i, j, k] = *this;
    return {a, b, c, d, e, f, g, h, {i.slot, i.generation}, j, k};
  }

  /// The same for a step whose elements are not those that the user counts.
  [[nodiscard]] properties uncounted() const noexcept {
    properties same = *this;
    same.progress = {};
    return same;
  }
};

}  // namespace tartan::inline TARTAN_ABI
