#pragma once
// How much of each state a tile of several steps keeps in its rings.

#include <algorithm>  // min
#include <array>      // array
#include <cstddef>    // size_t, ptrdiff_t

#include "tartan/core/config.hpp"             // TARTAN_ABI
#include "tartan/patterns/stencil/rings.hpp"  // field_rings, line_elements, passing_rows, ring_window, row_group, tile

namespace tartan::inline TARTAN_ABI::detail {

/// What a field of a stencil is to its steps.
struct field_role {
  bool moves;     ///< A step replaces it.
  bool produced;  ///< The function returns it (not so a fixed field, nor the older states of a history).
};

struct ring_layout {
  std::array<std::ptrdiff_t, 3> radius;  ///< planes, rows, columns
  std::ptrdiff_t depth;                  ///< steps at once
  std::ptrdiff_t history;                ///< states that a step reads, where those are several; else 0
  std::size_t dimensions;

  /// Where no plane is looked at but the point's own, a level needs nothing but the one before it: two take turns, and
  /// stay in the first-level cache.
  [[nodiscard]] bool alternates() const noexcept { return history == 0 && radius[0] == 0 && depth > 2; }
  /// Whether rows pass from level to level: see passing_rows.
  [[nodiscard]] bool passes_rows() const noexcept {
    return dimensions == 2 && history == 0 && depth > 2 && radius[0] >= 1 && 2 * radius[0] < row_group;
  }
  /// Levels of a produced field that the rings hold.
  [[nodiscard]] std::ptrdiff_t levels() const noexcept { return alternates() ? 2 : depth; }

  /// Planes that a level needs beside those that a tick takes.
  [[nodiscard]] std::ptrdiff_t held_behind(field_role const& field) const noexcept {
    return (field.moves ? 2 + history : 1 + depth) * radius[0];
  }
  /// Planes that a level keeps, a power of two.
  [[nodiscard]] std::ptrdiff_t planes(field_role const& field) const noexcept {
    std::ptrdiff_t const least = held_behind(field) + (radius[0] == 0 ? 1 : dimensions == 2 ? row_group : 2);
    std::ptrdiff_t power = 1;
    while (power < least) power *= 2;
    return power;
  }
  /// Planes of all levels of a produced field.
  [[nodiscard]] std::ptrdiff_t all_planes() const noexcept {
    field_role const produced{true, true};
    if (!passes_rows()) return levels() * planes(produced);
    passing_rows const shared{radius[0]};
    return planes(produced) + 2 * shared.passing() + (levels() - 1) * 2 * shared.kept();
  }
  /// Planes that a tick takes as far as this field goes: as many as rings of the same size allow.
  [[nodiscard]] std::ptrdiff_t planes_at_once(field_role const& field) const noexcept {
    return (std::min)(std::ptrdiff_t{64}, planes(field) - held_behind(field));
  }

  /// One radius more than the halo: where a halo ends at the rim, what lies behind it is filled in.
  template <class T>
  [[nodiscard]] ring_window window(tile const& t) const noexcept {
    std::ptrdiff_t const unit = line_elements<T>;
    std::ptrdiff_t const dy = (depth + 1) * radius[1], dx = (depth + 1) * radius[2];
    return {t.row_begin - dy, t.row_end + dy, round_down(t.column_begin - dx, unit) - unit,
            round_up(t.column_end + dx, unit) + 2 * unit};
  }
  template <class T>
  [[nodiscard]] field_rings<T> rings(T* memory, tile const& t, field_role const& field) const noexcept {
    passing_rows shared{};
    if (passes_rows() && field.produced) shared = {radius[0], t.plane_begin - depth * radius[0]};
    return {memory, window<T>(t), field.produced ? levels() : 1, planes(field), alternates(), shared};
  }
  template <class T>
  [[nodiscard]] std::size_t bytes(tile const& t, field_role const& field) const noexcept {
    return (rings<T>(nullptr, t, field).elements() * sizeof(T) + 63) / 64 * 64;
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
