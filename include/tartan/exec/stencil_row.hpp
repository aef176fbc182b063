#pragma once
// One row of a stencil: what the user's function sees of a point, and the scalar leaf's loop.

#include <array>        // array
#include <cstddef>      // size_t, ptrdiff_t
#include <tuple>        // apply, get, tuple, tuple_size
#include <type_traits>  // remove_cvref_t
#include <utility>      // index_sequence

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_INLINE_KERNEL

namespace tartan::inline TARTAN_ABI::detail {

/// The rows round one row, of one field. planes[d] is where column 0 of this row lies in the plane that is d planes
/// on; rows of a plane are row_stride apart. Everything within the radius can be read. Rows that are computed next are
/// `ahead` elements behind those that are computed now; 0 where nothing is to be asked for.
template <class T>
struct row_neighbours {
  T const* const* planes;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t ahead = 0;
};

/// The columns to compute and where the row lies.
struct row_extent {
  std::ptrdiff_t begin, end;
  std::ptrdiff_t room;  ///< Columns before `begin` that may be written.
  std::ptrdiff_t plane, row;
  std::ptrdiff_t plane_period;  ///< Planes come round after so many; 0 where they do not.
  std::ptrdiff_t period;        ///< Columns come round after so many; 0 where they do not.
  int radius;                   ///< The largest of all dimensions.
  int plane_radius;             ///< Planes before and behind that can be read.
  int row_radius;               ///< Rows of a plane before and behind that can be read.
  bool slack;                   ///< A full vector may be written behind `end`.
  bool bypass;                  ///< Write past the caches where the target can.
};

/// Makes what was written past the caches visible to whoever is told of it next.
inline void finish_bypassing_writes() noexcept {
#if defined(__SSE2__)
  __builtin_ia32_sfence();
#endif
}

/// What the user's function gets for one point: at(0, 0) is the point, at(-1, 0) its neighbour in the row before.
template <class T, std::size_t D>
struct scalar_point {
  using value_type = T;
  row_neighbours<T> const& rows;
  row_extent const& extent;
  std::ptrdiff_t column;

  TARTAN_INLINE_KERNEL T operator()(int x) const
    requires(D == 1)
  {
    return rows.planes[0][column + x];
  }
  TARTAN_INLINE_KERNEL T operator()(int y, int x) const
    requires(D == 2)
  {
    return rows.planes[y][column + x];
  }
  TARTAN_INLINE_KERNEL T operator()(int z, int y, int x) const
    requires(D == 3)
  {
    return rows.planes[z][y * rows.row_stride + column + x];
  }

  /// The point's place, as D integers.
  [[nodiscard]] TARTAN_INLINE_KERNEL std::array<int, D> index() const {
    std::ptrdiff_t x = column;
    if (extent.period != 0) x = (x % extent.period + extent.period) % extent.period;
    if constexpr (D == 1) return {static_cast<int>(x)};
    if constexpr (D == 2) return {static_cast<int>(extent.plane), static_cast<int>(x)};
    if constexpr (D == 3) return {static_cast<int>(extent.plane), static_cast<int>(extent.row), static_cast<int>(x)};
  }
};

template <class R>
inline constexpr bool is_tuple_like = requires { std::tuple_size<R>::value; };

/// Stores a result, or each part of a tuple of results, through put(part number, value).
template <std::size_t Outs, class R, class Put>
TARTAN_INLINE_KERNEL void put_results(R const& result, Put&& put) {
  if constexpr (is_tuple_like<R>) {
    static_assert(std::tuple_size_v<R> == Outs,
                  "tartan: the function of a stencil returns one value, or as many as there are fields that change");
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (put(std::integral_constant<std::size_t, I>{}, std::get<I>(result)), ...);
    }(std::make_index_sequence<Outs>{});
  } else {
    put(std::integral_constant<std::size_t, 0>{}, result);
  }
}

/// out[i][column] = f(points) for one row, one column after another.
template <std::size_t D, class F, class... In, class... Out>
void scalar_stencil_row(F& f, std::tuple<row_neighbours<In>...> const& in, std::tuple<Out*...> const& out,
                        row_extent const& extent) {
  // The rows written are none of those read, so the compiler may vectorise. (clang finds that out at run time, and
  // warns of a hint that it cannot follow.)
#if !defined(__clang__)
#pragma GCC ivdep
#endif
  for (std::ptrdiff_t column = extent.begin; column < extent.end; ++column) {
    auto const result =
        std::apply([&](auto const&... rows) { return f(scalar_point<In, D>{rows, extent, column}...); }, in);
    put_results<sizeof...(Out)>(result, [&](auto i, auto const& value) {
      auto* const to = std::get<i>(out);
      to[column] = static_cast<std::remove_cvref_t<decltype(*to)>>(value);
    });
  }
}

/// How many rows a leaf likes to compute at once.
template <class Leaf, std::size_t D, class F, class... In>
inline constexpr std::size_t stencil_rows_at_once = 1;
template <class Leaf, std::size_t D, class F, class... In>
  requires requires { Leaf::template stencil_rows_at_once<D, F, In...>; }
inline constexpr std::size_t stencil_rows_at_once<Leaf, D, F, In...> = Leaf::template stencil_rows_at_once<D, F, In...>;

/// R rows one below the other (planes, where D is 2): `in` is what surrounds the first. By the leaf where it has its
/// own way.
template <class Leaf, std::size_t D, std::size_t R, class F, class In, class Out>
void stencil_rows(F& f, In const& in, Out const (&out)[R], row_extent const& extent) {
  if constexpr (requires { Leaf::template stencil_rows<D>(f, in, out, extent); }) {
    Leaf::template stencil_rows<D>(f, in, out, extent);
  } else {
    static_assert(R == 1);
    scalar_stencil_row<D>(f, in, out[0], extent);
  }
}

}  // namespace tartan::inline TARTAN_ABI::detail
