#pragma once
// One row of a stencil in packs.

#include <algorithm>    // max
#include <cstddef>      // size_t, ptrdiff_t
#include <cstdint>      // uintptr_t
#include <tuple>        // apply, get, tuple
#include <type_traits>  // is_floating_point_v, remove_cvref_t
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

/// The places of the W points of row `q` that begin at `column`: D integers, the last of them a pack.
template <std::size_t D, std::size_t W>
[[nodiscard]] TARTAN_ALWAYS_INLINE auto place(row_extent const& extent, std::ptrdiff_t column, int q) {
  auto x = pack<int, W>::iota(static_cast<int>(column));
  if (extent.period != 0) {
    auto const n = static_cast<int>(extent.period);
    x = x % n;
    x = select(x < 0, x + n, x);
  }
  auto const z = static_cast<int>(q == 0 ? extent.plane : extent.below);
  auto const y = static_cast<int>(extent.row);
  if constexpr (D == 1) return std::tuple{x};
  if constexpr (D == 2) return std::tuple{z, x};
  if constexpr (D == 3) return std::tuple{z, y, x};
}

/// A point that loads each neighbour where it lies, in row `q` of those that are computed at once.
template <class T, std::size_t D, std::size_t W>
struct loading_point {
  using value_type = pack<T, W>;
  row_neighbours<T> const& rows;
  row_extent const& extent;
  std::ptrdiff_t column;
  int q = 0;

  TARTAN_ALWAYS_INLINE value_type operator()(int x) const
    requires(D == 1)
  {
    return value_type::load(rows.planes[0] + column + x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int y, int x) const
    requires(D == 2)
  {
    return value_type::load(rows.planes[y + q] + column + x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int z, int y, int x) const
    requires(D == 3)
  {
    return value_type::load(rows.planes[z] + y * rows.row_stride + column + x);
  }
  [[nodiscard]] TARTAN_ALWAYS_INLINE auto index() const { return place<D, W>(extent, column, q); }
};

/// The packs before, at and behind the present place, in each row within a radius of 1 of the `R` rows that are
/// computed at once. A neighbour to the side is shifted together from two of them: an unaligned load would cross a
/// cache line each time. What f does not look at, the compiler drops.
template <class T, std::size_t D, std::size_t W, std::size_t R>
struct row_windows {
  static constexpr std::size_t rows = D == 1 ? 1 : D == 2 ? R + 2 : 9;
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

/// The neighbours within a radius of 1 of a point in row Q of those that are computed at once.
template <class T, std::size_t D, std::size_t W>
struct near_neighbours {
  static constexpr std::size_t rows = D == 1 ? 1 : D == 2 ? 3 : 9;
  pack<T, W> west[rows], here[rows], east[rows];

  template <std::size_t Q, std::size_t R>
  TARTAN_ALWAYS_INLINE static near_neighbours of(row_windows<T, D, W, R> const& w) {
    near_neighbours out;
    unroll<rows>([&](auto i) TARTAN_INLINE_LAMBDA {
      constexpr std::size_t from = i + Q;
      out.west[i] = slide<W - 1>(w.before[from], w.here[from]);
      out.here[i] = w.here[from];
      out.east[i] = slide<1>(w.here[from], w.behind[from]);
      // Were rows to share what f computes of a neighbour that both see, the compiler could round it otherwise than
      // in a row that is computed alone.
      if constexpr (R != 1 && std::is_floating_point_v<T>) {
        separate(out.west[i]);
        separate(out.here[i]);
        separate(out.east[i]);
      }
    });
    return out;
  }

 private:
  TARTAN_ALWAYS_INLINE static void separate(pack<T, W>& p) {
    unroll<pack<T, W>::registers>([&](auto r) TARTAN_INLINE_LAMBDA { opaque(p.part[r]); });
  }
};

template <class T, std::size_t D, std::size_t W>
struct sliding_point {
  using value_type = pack<T, W>;
  near_neighbours<T, D, W> const& neighbours;
  loading_point<T, D, W> far;

  TARTAN_ALWAYS_INLINE value_type operator()(int x) const
    requires(D == 1)
  {
    return near(x) ? beside(0, x) : far(x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int y, int x) const
    requires(D == 2)
  {
    return near(y) && near(x) ? beside(y + 1, x) : far(y, x);
  }
  TARTAN_ALWAYS_INLINE value_type operator()(int z, int y, int x) const
    requires(D == 3)
  {
    return near(z) && near(y) && near(x) ? beside(3 * z + y + 4, x) : far(z, y, x);
  }
  [[nodiscard]] TARTAN_ALWAYS_INLINE auto index() const { return far.index(); }

 private:
  /// A function that looks farther than its radius (this one is compiled for every radius) finds no window there.
  TARTAN_ALWAYS_INLINE static bool near(int i) { return -1 <= i && i <= 1; }
  TARTAN_ALWAYS_INLINE value_type beside(int row, int x) const {
    auto const i = static_cast<std::size_t>(row);
    if (x < 0) return neighbours.west[i];
    if (x > 0) return neighbours.east[i];
    return neighbours.here[i];
  }
};

/// Rows of a plane that are computed at once. clang chooses by the place of a row among them which product of a sum it
/// contracts, which would let the cut of a grid show in the result; g++ chooses by f alone.
#if defined(__clang__)
inline constexpr std::size_t rows_together = 1;
#else
inline constexpr std::size_t rows_together = 2;
#endif

/// Lanes of a pack in a stencil over these types.
template <class... T>
inline constexpr std::size_t stencil_lanes = register_bytes / (std::max)({sizeof(T)...});

/// Where the rows of a call begin and how they are written.
struct row_walk {
  std::ptrdiff_t begin, whole_end, end;
  bool bypassing;
};

template <std::size_t W, std::size_t R, class... Out>
[[nodiscard]] TARTAN_ALWAYS_INLINE row_walk walk_of(std::tuple<Out*...> const (&out)[R], row_extent const& extent) {
  constexpr auto step = static_cast<std::ptrdiff_t>(W);
  row_walk walk{extent.begin, extent.slack ? extent.end : extent.end - step + 1, extent.end, extent.bypass};
  std::ptrdiff_t const too_far = ((walk.begin % step) + step) % step;
  if (too_far <= extent.room) walk.begin -= too_far;
  if (extent.bypass)
    for (auto const& row : out)
      walk.bypassing &= std::apply(
          [&](auto*... to) {
            return ((reinterpret_cast<std::uintptr_t>(to + walk.begin) % register_bytes == 0) && ...);
          },
          row);
  return walk;
}

/// compute(column, store) for W columns at a time; store(place, pack) writes what belongs to the row. One loop, which f
/// is compiled into once: of two copies of f the compiler could contract other products and sums.
template <std::size_t W, class Compute>
TARTAN_ALWAYS_INLINE void walk_row(row_walk const& walk, Compute const& compute) {
  constexpr auto step = static_cast<std::ptrdiff_t>(W);
  for (std::ptrdiff_t column = walk.begin; column < walk.end; column += step)
    compute(column, [&](auto* to, auto const& value) TARTAN_INLINE_LAMBDA {
      if (column >= walk.whole_end) [[unlikely]]
        value.store_first(to, static_cast<std::size_t>(walk.end - column));
      else if (walk.bypassing)
        value.store_bypassing(to);
      else
        value.store(to);
    });
}

/// R rows at once of a function that looks no farther than 1. Vectors begin at multiples of W where that is allowed.
template <std::size_t D, std::size_t R, class F, class... In, class... Out>
TARTAN_FLATTEN void sliding_rows(F& f, std::tuple<row_neighbours<In>...> const& in, std::tuple<Out*...> const (&out)[R],
                                 row_extent const& extent) {
  constexpr std::size_t W = stencil_lanes<In..., Out...>;
  row_walk const walk = walk_of<W>(out, extent);
  std::tuple<Out*...> targets[R];  // local: what is stored could otherwise change them
  for (std::size_t q = 0; q != R; ++q) targets[q] = out[q];
  std::tuple<row_windows<In, D, W, R>...> windows;
  [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    (std::get<I>(windows).begin(std::get<I>(in), walk.begin), ...);
    walk_row<W>(walk, [&](std::ptrdiff_t column, auto const& store) TARTAN_INLINE_LAMBDA {
      (std::get<I>(windows).look_ahead(column), ...);
      unroll<R>([&](auto q) TARTAN_INLINE_LAMBDA {
        std::tuple<near_neighbours<In, D, W>...> const near{
            near_neighbours<In, D, W>::template of<q>(std::get<I>(windows))...};
        auto const result =
            f(sliding_point<In, D, W>{std::get<I>(near), {std::get<I>(in), extent, column, static_cast<int>(q)}}...);
        detail::put_results<sizeof...(Out)>(result, [&](auto i, auto const& value) TARTAN_INLINE_LAMBDA {
          auto* const to = std::get<i>(targets[q]) + column;
          store(to, as_pack<std::remove_cvref_t<decltype(*to)>, W>(value));
        });
      });
      (std::get<I>(windows).advance(), ...);
    });
  }(std::index_sequence_for<In...>{});
}

/// Row q of several, for any radius.
template <std::size_t D, class F, class... In, class... Out>
TARTAN_FLATTEN void loading_row(F& f, std::tuple<row_neighbours<In>...> const& in, std::tuple<Out*...> const& out,
                                row_extent const& extent, int q) {
  constexpr std::size_t W = stencil_lanes<In..., Out...>;
  std::tuple<Out*...> const targets[1] = {out};
  [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    walk_row<W>(walk_of<W>(targets, extent), [&](std::ptrdiff_t column, auto const& store) TARTAN_INLINE_LAMBDA {
      auto const result = f(loading_point<In, D, W>{std::get<I>(in), extent, column, q}...);
      detail::put_results<sizeof...(Out)>(result, [&](auto i, auto const& value) TARTAN_INLINE_LAMBDA {
        auto* const to = std::get<i>(targets[0]) + column;
        store(to, as_pack<std::remove_cvref_t<decltype(*to)>, W>(value));
      });
    });
  }(std::index_sequence_for<In...>{});
}

/// out[q][i][column] = f(points) for R rows, W columns at a time.
template <std::size_t D, std::size_t R, class F, class... In, class... Out>
TARTAN_ALWAYS_INLINE void stencil_rows(F& f, std::tuple<row_neighbours<In>...> const& in,
                                       std::tuple<Out*...> const (&out)[R], row_extent const& extent) {
  if (extent.radius == 1)
    sliding_rows<D>(f, in, out, extent);
  else
    for (std::size_t q = 0; q != R; ++q) loading_row<D>(f, in, out[q], extent, static_cast<int>(q));
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
