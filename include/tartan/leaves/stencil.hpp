#pragma once
// One row of a stencil in packs.

#include <algorithm>    // max
#include <cstddef>      // size_t, ptrdiff_t
#include <cstdint>      // uintptr_t
#include <tuple>        // apply, get, tuple
#include <type_traits>  // remove_cvref_t
#include <utility>      // index_sequence

#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/exec/stencil_row.hpp"   // row_neighbours, row_extent, put_results
#include "tartan/leaves/arithmetic.hpp"  // operators of packs
#include "tartan/leaves/isa.hpp"         // TARTAN_FLATTEN, register_bytes
#include "tartan/leaves/move.hpp"        // slide
#include "tartan/leaves/pack.hpp"        // pack
#include "tartan/leaves/select.hpp"      // select
#include "tartan/leaves/source.hpp"      // as_pack

namespace tartan::inline TARTAN_ABI::lanes::impl {

using detail::row_extent;
using detail::row_neighbours;

/// The places of the W points that begin at `column`: D integers, the last of them a pack.
template <std::size_t D, std::size_t W>
[[nodiscard]] TARTAN_ALWAYS_INLINE auto place(row_extent const& extent, std::ptrdiff_t column) {
  auto x = pack<int, W>::iota(static_cast<int>(column));
  if (extent.period != 0) {
    auto const n = static_cast<int>(extent.period);
    x = x % n;
    x = select(x < 0, x + n, x);
  }
  auto const z = static_cast<int>(extent.plane), y = static_cast<int>(extent.row);
  if constexpr (D == 1) return std::tuple{x};
  if constexpr (D == 2) return std::tuple{z, x};
  if constexpr (D == 3) return std::tuple{z, y, x};
}

/// A point that loads each neighbour where it lies.
template <class T, std::size_t D, std::size_t W>
struct loading_point {
  using value_type = pack<T, W>;
  row_neighbours<T> const& rows;
  row_extent const& extent;
  std::ptrdiff_t column;

  TARTAN_ALWAYS_INLINE value_type operator()(int x) const
    requires(D == 1)
  {
    return value_type::load(rows.planes[0] + column + x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int y, int x) const
    requires(D == 2)
  {
    return value_type::load(rows.planes[y] + column + x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int z, int y, int x) const
    requires(D == 3)
  {
    return value_type::load(rows.planes[z] + y * rows.row_stride + column + x);
  }
  [[nodiscard]] TARTAN_ALWAYS_INLINE auto index() const { return place<D, W>(extent, column); }
};

/// The packs before, at and behind the present place, in each row within a radius of 1. A neighbour to the side is
/// shifted together from two of them: an unaligned load would cross a cache line each time. What f does not look at,
/// the compiler drops.
template <class T, std::size_t D, std::size_t W>
struct row_windows {
  static constexpr std::size_t rows = D == 1 ? 1 : D == 2 ? 3 : 9;
  T const* row[rows];
  pack<T, W> before[rows], here[rows], behind[rows];

  TARTAN_ALWAYS_INLINE void begin(row_neighbours<T> const& r, std::ptrdiff_t column) {
    unroll<rows>([&](auto i) TARTAN_INLINE_LAMBDA {
      if constexpr (D == 1) row[i] = r.planes[0];
      if constexpr (D == 2) row[i] = r.planes[static_cast<std::ptrdiff_t>(i) - 1];
      if constexpr (D == 3)
        row[i] =
            r.planes[static_cast<std::ptrdiff_t>(i / 3) - 1] + (static_cast<std::ptrdiff_t>(i % 3) - 1) * r.row_stride;
      before[i] = pack<T, W>::load(row[i] + column - static_cast<std::ptrdiff_t>(W));
      here[i] = pack<T, W>::load(row[i] + column);
    });
  }
  TARTAN_ALWAYS_INLINE void look_ahead(std::ptrdiff_t column) {
    unroll<rows>([&](auto i) TARTAN_INLINE_LAMBDA {
      behind[i] = pack<T, W>::load(row[i] + column + static_cast<std::ptrdiff_t>(W));
    });
  }
  TARTAN_ALWAYS_INLINE void advance() {
    unroll<rows>([&](auto i) TARTAN_INLINE_LAMBDA {
      before[i] = here[i];
      here[i] = behind[i];
    });
  }
};

template <class T, std::size_t D, std::size_t W>
struct sliding_point {
  using value_type = pack<T, W>;
  row_windows<T, D, W> const& window;
  row_neighbours<T> const& rows;
  row_extent const& extent;
  std::ptrdiff_t column;

  TARTAN_ALWAYS_INLINE value_type operator()(int x) const
    requires(D == 1)
  {
    return near(x) ? beside(0, x) : loading()(x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int y, int x) const
    requires(D == 2)
  {
    return near(y) && near(x) ? beside(y + 1, x) : loading()(y, x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int z, int y, int x) const
    requires(D == 3)
  {
    return near(z) && near(y) && near(x) ? beside(3 * z + y + 4, x) : loading()(z, y, x);
  }
  [[nodiscard]] TARTAN_ALWAYS_INLINE auto index() const { return place<D, W>(extent, column); }

 private:
  TARTAN_ALWAYS_INLINE static bool near(int i) { return -1 <= i && i <= 1; }
  /// A function that looks farther than its radius (this one is compiled for every radius) finds no window there.
  TARTAN_ALWAYS_INLINE loading_point<T, D, W> loading() const { return {rows, extent, column}; }
  TARTAN_ALWAYS_INLINE value_type beside(int row, int x) const {
    auto const i = static_cast<std::size_t>(row);
    if (x < 0) return slide<W - 1>(window.before[i], window.here[i]);
    if (x > 0) return slide<1>(window.here[i], window.behind[i]);
    return window.here[i];
  }
};

/// Lanes of a pack in a stencil over these types.
template <class... T>
inline constexpr std::size_t stencil_lanes = register_bytes / (std::max)({sizeof(T)...});

/// out[i][column] = f(points) for one row, W columns at a time. Vectors begin at multiples of W where that is allowed.
template <bool Sliding, std::size_t D, class F, class... In, class... Out>
TARTAN_FLATTEN void stencil_row_in_packs(F& f, std::tuple<row_neighbours<In>...> const& in,
                                         std::tuple<Out*...> const& out, row_extent const& extent) {
  constexpr std::size_t W = stencil_lanes<In..., Out...>;
  constexpr auto step = static_cast<std::ptrdiff_t>(W);
  std::ptrdiff_t begin = extent.begin;
  std::ptrdiff_t const too_far = ((begin % step) + step) % step;
  if (too_far <= extent.room) begin -= too_far;
  bool const bypassing =
      extent.bypass &&
      std::apply(
          [&](auto*... to) { return ((reinterpret_cast<std::uintptr_t>(to + begin) % register_bytes == 0) && ...); },
          out);
  std::ptrdiff_t const whole_end = extent.slack ? extent.end : extent.end - step + 1;
  auto const targets = out;  // local: what is stored could otherwise change them

  std::tuple<row_windows<In, D, W>...> windows;
  [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    if constexpr (Sliding) (std::get<I>(windows).begin(std::get<I>(in), begin), ...);
    // store(output number, pack, column) for the points that begin at `column`.
    auto const compute = [&](std::ptrdiff_t column, auto const& store) TARTAN_INLINE_LAMBDA {
      auto const put = [&](auto const& result) TARTAN_INLINE_LAMBDA {
        detail::put_results<sizeof...(Out)>(result, [&](auto i, auto const& value) TARTAN_INLINE_LAMBDA {
          auto* const to = std::get<i>(targets) + column;
          store(to, as_pack<std::remove_cvref_t<decltype(*to)>, W>(value));
        });
      };
      if constexpr (Sliding) {
        (std::get<I>(windows).look_ahead(column), ...);
        put(f(sliding_point<In, D, W>{std::get<I>(windows), std::get<I>(in), extent, column}...));
        (std::get<I>(windows).advance(), ...);
      } else {
        put(f(loading_point<In, D, W>{std::get<I>(in), extent, column}...));
      }
    };
    std::ptrdiff_t column = begin;
    for (; column < whole_end; column += step)
      compute(column, [&](auto* to, auto const& value) TARTAN_INLINE_LAMBDA {
        if (bypassing)
          value.store_bypassing(to);
        else
          value.store(to);
      });
    if (column < extent.end)
      compute(column, [&](auto* to, auto const& value) TARTAN_INLINE_LAMBDA {
        value.store_first(to, static_cast<std::size_t>(extent.end - column));
      });
  }(std::index_sequence_for<In...>{});
}

template <std::size_t D, class F, class... In, class... Out>
TARTAN_ALWAYS_INLINE void stencil_row(F& f, std::tuple<row_neighbours<In>...> const& in, std::tuple<Out*...> const& out,
                                      row_extent const& extent) {
  if (extent.radius == 1)
    stencil_row_in_packs<true, D>(f, in, out, extent);
  else
    stencil_row_in_packs<false, D>(f, in, out, extent);
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
