#pragma once
// One row of a stencil in packs.

#include <algorithm>    // max, min
#include <cstddef>      // size_t, ptrdiff_t
#include <cstdint>      // uintptr_t
#include <tuple>        // apply, get, tuple
#include <type_traits>  // is_floating_point_v, remove_cvref_t
#include <utility>      // index_sequence

#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_INLINE_KERNEL
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
[[nodiscard]] TARTAN_INLINE_KERNEL auto place(row_extent const& extent, std::ptrdiff_t column, int q) {
  auto x = pack<int, W>::iota(static_cast<int>(column));
  if (extent.period != 0) {
    auto const n = static_cast<int>(extent.period);
    x = x % n;
    x = select(x < 0, x + n, x);
  }
  std::ptrdiff_t const plane = extent.plane + q;
  auto const z = static_cast<int>(extent.plane_period == 0 ? plane : plane % extent.plane_period);
  auto const y = static_cast<int>(extent.row);
  if constexpr (D == 1) return std::tuple{x};
  if constexpr (D == 2) return std::tuple{z, x};
  if constexpr (D == 3) return std::tuple{z, y, x};
}

/// The rows of one field that lie within `reach` planes of the R rows that are computed at once, by themselves: what
/// is stored could change those of the caller.
template <class T, std::size_t D, std::size_t R>
struct near_rows {
  static constexpr int reach = 4;
  row_neighbours<T> all;
  T const* row[2 * reach + R];

  /// Planes within `radius` of R planes, of which the first lies `first` planes on, can be read.
  TARTAN_INLINE_KERNEL near_rows(row_neighbours<T> const& rows, int radius, int first) : all(rows) {
    int const last = radius + first + static_cast<int>(R) - 1;
    unroll<2 * reach + R>([&](auto i) TARTAN_INLINE_LAMBDA {
      constexpr int d = static_cast<int>(i) - reach;
      row[i] = rows.planes[d < -radius ? -radius : d > last ? last : d];
    });
  }
  TARTAN_INLINE_KERNEL T const* plane(int d) const {
    return -reach <= d && d < reach + static_cast<int>(R) ? row[d + reach] : all.planes[d];
  }
};

/// A point that loads each neighbour where it lies, in row `q` of those that are computed at once.
template <class T, std::size_t D, std::size_t W, std::size_t R = 1>
struct loading_point {
  using value_type = pack<T, W>;
  near_rows<T, D, R> const& rows;
  row_extent const& extent;
  std::ptrdiff_t column;
  int q = 0;

  TARTAN_INLINE_KERNEL value_type operator()(int x) const
    requires(D == 1)
  {
    return value_type::load(rows.plane(0) + column + x);
  }
  TARTAN_INLINE_KERNEL value_type operator()(int y, int x) const
    requires(D == 2)
  {
    return value_type::load(rows.plane(y + q) + column + x);
  }
  TARTAN_INLINE_KERNEL value_type operator()(int z, int y, int x) const
    requires(D == 3)
  {
    return value_type::load(rows.plane(z + q) + y * rows.all.row_stride + column + x);
  }
  [[nodiscard]] TARTAN_INLINE_KERNEL auto index() const { return place<D, W>(extent, column, q); }
};

/// The packs before, at and behind the present place, in each row within a radius of 1 of the `R` rows that are
/// computed at once. A neighbour to the side is shifted together from two of them: an unaligned load would cross a
/// cache line each time. What f does not look at, the compiler drops.
template <class T, std::size_t D, std::size_t W, std::size_t R>
struct row_windows {
  static constexpr std::size_t rows = D == 1 ? 1 : D == 2 ? R + 2 : 3 * (R + 2);
  T const* row[rows];
  pack<T, W> before[rows], here[rows], behind[rows];

  TARTAN_INLINE_KERNEL void begin(row_neighbours<T> const& r, row_extent const& extent, std::ptrdiff_t column) {
    // Where f looks at no other plane or row there need be none: the point's own stands for it.
    std::ptrdiff_t const last = extent.plane_radius + static_cast<std::ptrdiff_t>(R) - 1;
    auto const plane = [&](std::ptrdiff_t d) TARTAN_INLINE_LAMBDA {
      return r.planes[d < -extent.plane_radius ? -extent.plane_radius : d > last ? last : d];
    };
    std::ptrdiff_t const row_stride = extent.row_radius == 0 ? 0 : r.row_stride;
    unroll<rows>([&](auto i) TARTAN_INLINE_LAMBDA {
      if constexpr (D == 1) row[i] = r.planes[0];
      if constexpr (D == 2) row[i] = plane(static_cast<std::ptrdiff_t>(i) - 1);
      if constexpr (D == 3)
        row[i] = plane(static_cast<std::ptrdiff_t>(i / 3) - 1) + (static_cast<std::ptrdiff_t>(i % 3) - 1) * row_stride;
      before[i] = pack<T, W>::load(row[i] + column - static_cast<std::ptrdiff_t>(W));
      here[i] = pack<T, W>::load(row[i] + column);
    });
  }
  TARTAN_INLINE_KERNEL void look_ahead(std::ptrdiff_t column) {
    unroll<rows>([&](auto i) TARTAN_INLINE_LAMBDA {
      behind[i] = pack<T, W>::load(row[i] + column + static_cast<std::ptrdiff_t>(W));
    });
  }
  TARTAN_INLINE_KERNEL void advance() {
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
  TARTAN_INLINE_KERNEL static near_neighbours of(row_windows<T, D, W, R> const& w) {
    near_neighbours out;
    unroll<rows>([&](auto i) TARTAN_INLINE_LAMBDA {
      constexpr std::size_t from = i + (D == 3 ? 3 * Q : Q);
      out.west[i] = slide<W - 1>(w.before[from], w.here[from]);
      out.here[i] = w.here[from];
      out.east[i] = slide<1>(w.here[from], w.behind[from]);
      // Were rows to share what f computes of a neighbour that both see, the compiler could round it otherwise than
      // in a row that is computed alone.
      if constexpr (std::is_floating_point_v<T>) {
        separate<Q>(out.west[i]);
        separate<Q>(out.here[i]);
        separate<Q>(out.east[i]);
      }
    });
    return out;
  }

 private:
  template <std::size_t Q>
  TARTAN_INLINE_KERNEL static void separate(pack<T, W>& p) {
    unroll<pack<T, W>::registers>([&](auto r) TARTAN_INLINE_LAMBDA { opaque<static_cast<int>(Q)>(p.part[r]); });
  }
};

template <class T, std::size_t D, std::size_t W, std::size_t R>
struct sliding_point {
  using value_type = pack<T, W>;
  near_neighbours<T, D, W> const& neighbours;
  loading_point<T, D, W, R> far;

  TARTAN_INLINE_KERNEL value_type operator()(int x) const
    requires(D == 1)
  {
    return near(x) ? beside(0, x) : far(x);
  }
  TARTAN_INLINE_KERNEL value_type operator()(int y, int x) const
    requires(D == 2)
  {
    return near(y) && near(x) ? beside(y + 1, x) : far(y, x);
  }
  TARTAN_INLINE_KERNEL value_type operator()(int z, int y, int x) const
    requires(D == 3)
  {
    return near(z) && near(y) && near(x) ? beside(3 * z + y + 4, x) : far(z, y, x);
  }
  [[nodiscard]] TARTAN_INLINE_KERNEL auto index() const { return far.index(); }

 private:
  /// A function that looks farther than its radius (this one is compiled for every radius) finds no window there.
  TARTAN_INLINE_KERNEL static bool near(int i) { return -1 <= i && i <= 1; }
  TARTAN_INLINE_KERNEL value_type beside(int row, int x) const {
    auto const i = static_cast<std::size_t>(row);
    if (x < 0) return neighbours.west[i];
    if (x > 0) return neighbours.east[i];
    return neighbours.here[i];
  }
};

/// A neighbour to the side of a narrow integer is cheaper loaded than shifted together, byte by byte.
template <class... T>
inline constexpr bool loads_neighbours = ((std::is_integral_v<T> && sizeof(T) < 4) && ...);

/// Rows one below the other (planes, in three dimensions) that are computed at once: for R rows R + 2 are loaded, and
/// where those do not come from the first-level cache that is most of their cost. As many as registers hold.
template <std::size_t D>
inline constexpr std::size_t rows_together = 1;
template <>
inline constexpr std::size_t rows_together<2> = register_bytes == 64 ? 6 : 2;
template <>
inline constexpr std::size_t rows_together<3> = register_bytes == 64 ? 2 : 1;

/// Lanes of a pack in a stencil over these types.
template <class... T>
inline constexpr std::size_t stencil_lanes = register_bytes / (std::max)({sizeof(T)...});

/// Where the rows of a call begin and how they are written.
struct row_walk {
  std::ptrdiff_t begin, whole_end, end;
  std::ptrdiff_t bypass_begin;  ///< From here on past the caches.
};

template <std::size_t W, std::size_t R, class... Out>
[[nodiscard]] TARTAN_INLINE_KERNEL row_walk walk_of(std::tuple<Out*...> const (&out)[R], row_extent const& extent) {
  constexpr auto step = static_cast<std::ptrdiff_t>(W);
  row_walk walk{extent.begin, extent.slack ? extent.end : extent.end - step + 1, extent.end, extent.end};
  std::ptrdiff_t const too_far = ((walk.begin % step) + step) % step;
  if (too_far <= extent.room) walk.begin -= too_far;
  if (extent.bypass) {
    bool aligned = true;
    for (auto const& row : out)
      aligned &= std::apply(
          [&](auto*... to) {
            return ((reinterpret_cast<std::uintptr_t>(to + walk.begin) % register_bytes == 0) && ...);
          },
          row);
    // What lies before `begin` is written again, at once: let it stay in the cache.
    if (aligned) walk.bypass_begin = extent.begin;
  }
  return walk;
}

/// Writes the results of R rows for the W columns from `column` on, as far as they belong to the rows.
template <std::size_t W, std::size_t R, class Result, class... Out>
TARTAN_INLINE_KERNEL void store_rows(row_walk const& walk, std::ptrdiff_t column,
                                     std::tuple<Out*...> const (&targets)[R], Result const (&results)[R]) {
  auto const each = [&](auto const& store) TARTAN_INLINE_LAMBDA {
    unroll<R>([&](auto q) TARTAN_INLINE_LAMBDA {
      detail::put_results<sizeof...(Out)>(results[q], [&](auto i, auto const& value) TARTAN_INLINE_LAMBDA {
        auto* const to = std::get<i>(targets[q]) + column;
        store(to, as_pack<std::remove_cvref_t<decltype(*to)>, W>(value));
      });
    });
  };
  if (column >= walk.whole_end) [[unlikely]]
    each([&](auto* to, auto const& value)
             TARTAN_INLINE_LAMBDA { value.store_first(to, static_cast<std::size_t>(walk.end - column)); });
  else if (column >= walk.bypass_begin)
    each([&](auto* to, auto const& value) TARTAN_INLINE_LAMBDA { value.store_bypassing(to); });
  else
    each([&](auto* to, auto const& value) TARTAN_INLINE_LAMBDA { value.store(to); });
}

/// Asks for the columns from begin to end of what the next R rows read and these do not, into the second-level cache.
template <std::size_t R, class T>
TARTAN_INLINE_KERNEL void ask_ahead(row_neighbours<T> const& in, std::ptrdiff_t begin, std::ptrdiff_t end) {
  constexpr auto line = static_cast<std::ptrdiff_t>((std::max)(std::size_t{1}, 64 / sizeof(T)));
  for (std::size_t q = 0; q != R; ++q)
    for (std::ptrdiff_t i = begin; i < end; i += line) {
      // Behind the grid for its last rows: a number, as no pointer may lead there.
      auto const place =
          reinterpret_cast<std::uintptr_t>(in.planes[q]) + sizeof(T) * static_cast<std::uintptr_t>(i + in.ahead);
      __builtin_prefetch(reinterpret_cast<void const*>(place), 0, 2);
    }
}

/// compute(column) for W columns at a time, in one loop, which f is compiled into once: of two copies of f the compiler
/// could contract other products and sums. Where `asks`, ask(begin, end) goes before the computation of a few columns:
/// of many lines that are asked for at once the processor drops most.
template <std::size_t W, class Ask, class Compute>
TARTAN_INLINE_KERNEL void walk_row(row_walk const& walk, bool asks, Ask const& ask, Compute const& compute) {
  constexpr auto step = static_cast<std::ptrdiff_t>(W);
  for (std::ptrdiff_t column = walk.begin; column < walk.end;) {
    std::ptrdiff_t stop = walk.end;
    if (asks) {
      stop = (std::min)(column + 4 * step, stop);
      ask(column, stop);
    }
    for (; column < stop; column += step) compute(column);
  }
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
    (std::get<I>(windows).begin(std::get<I>(in), extent, walk.begin), ...);
    std::tuple<near_rows<In, D, R>...> const rows{near_rows<In, D, R>(std::get<I>(in), extent.plane_radius, 0)...};
    bool const asks = ((std::get<I>(in).ahead != 0) || ...);
    auto const ask = [&](std::ptrdiff_t begin, std::ptrdiff_t end)
                         TARTAN_INLINE_LAMBDA { (ask_ahead<R>(std::get<I>(in), begin, end), ...); };
    walk_row<W>(walk, asks, ask, [&](std::ptrdiff_t column) TARTAN_INLINE_LAMBDA {
      (std::get<I>(windows).look_ahead(column), ...);
      using result = decltype(f(std::declval<sliding_point<In, D, W, R> const&>()...));
      result results[R];
      unroll<R>([&](auto q) TARTAN_INLINE_LAMBDA {
        std::tuple<near_neighbours<In, D, W>...> const near{
            near_neighbours<In, D, W>::template of<q>(std::get<I>(windows))...};
        results[q] = f(
            sliding_point<In, D, W, R>{std::get<I>(near), {std::get<I>(rows), extent, column, static_cast<int>(q)}}...);
      });
      store_rows<W>(walk, column, targets, results);
      (std::get<I>(windows).advance(), ...);
    });
  }(std::index_sequence_for<In...>{});
}

/// R rows at once for any radius, the first of them `first` rows on. They share what they load: all are computed before
/// one is stored.
template <std::size_t D, std::size_t R, class F, class... In, class... Out>
TARTAN_FLATTEN void loading_rows(F& f, std::tuple<row_neighbours<In>...> const& in, std::tuple<Out*...> const (&out)[R],
                                 row_extent const& extent, int first) {
  constexpr std::size_t W = stencil_lanes<In..., Out...>;
  std::tuple<Out*...> targets[R];
  for (std::size_t q = 0; q != R; ++q) targets[q] = out[q];
  [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    using rows_type = std::tuple<near_rows<In, D, R>...>;
    rows_type const rows{near_rows<In, D, R>(std::get<I>(in), extent.plane_radius, first)...};
    row_walk const walk = walk_of<W>(out, extent);
    bool const asks = ((std::get<I>(in).ahead != 0) || ...);
    auto const ask = [&](std::ptrdiff_t begin, std::ptrdiff_t end)
                         TARTAN_INLINE_LAMBDA { (ask_ahead<R>(std::get<I>(in), begin, end), ...); };
    walk_row<W>(walk, asks, ask, [&](std::ptrdiff_t column) TARTAN_INLINE_LAMBDA {
      using result = decltype(f(std::declval<loading_point<In, D, W, R> const&>()...));
      result results[R];
      unroll<R>([&](auto q) TARTAN_INLINE_LAMBDA {
        results[q] = f(loading_point<In, D, W, R>{std::get<I>(rows), extent, column, first + static_cast<int>(q)}...);
      });
      store_rows<W>(walk, column, targets, results);
    });
  }(std::index_sequence_for<In...>{});
}

/// out[q][i][column] = f(points) for R rows, W columns at a time.
template <std::size_t D, std::size_t R, class F, class... In, class... Out>
TARTAN_INLINE_KERNEL void stencil_rows(F& f, std::tuple<row_neighbours<In>...> const& in,
                                       std::tuple<Out*...> const (&out)[R], row_extent const& extent) {
  if constexpr (loads_neighbours<In..., Out...>) {
    loading_rows<D>(f, in, out, extent, 0);
  } else if (extent.radius == 1) {
    sliding_rows<D>(f, in, out, extent);
  } else {
    for (std::size_t q = 0; q != R; ++q) {
      std::tuple<Out*...> const one[1] = {out[q]};
      loading_rows<D>(f, in, one, extent, static_cast<int>(q));
    }
  }
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
