#pragma once
// The grids that a stencil is called with: which types they are, and whether their extents fit.

#include <algorithm>    // copy_n
#include <array>        // array
#include <cstddef>      // size_t, ptrdiff_t
#include <functional>   // less
#include <limits>       // numeric_limits
#include <string>       // to_string
#include <type_traits>  // invoke_result_t, remove_cvref_t

#include "tartan/core/caches.hpp"               // caches
#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/core/errors.hpp"               // bad_argument, raise
#include "tartan/exec/grid.hpp"                 // grid, grid_view
#include "tartan/exec/stencil_row.hpp"          // scalar_point
#include "tartan/patterns/stencil/edges.hpp"    // least_extent
#include "tartan/patterns/stencil/options.hpp"  // reach, edge_rule, field_list, fixed_field
#include "tartan/patterns/stencil/rings.hpp"    // block_extents, block_view

namespace tartan::inline TARTAN_ABI {

/// The extents of grids, or of a grid and the radius, do not fit each other.
struct bad_extents : bad_argument {
  using bad_argument::bad_argument;
};

namespace detail {

template <class G>
inline constexpr bool is_grid = false;
template <class T, std::size_t D, class Memory>
inline constexpr bool is_grid<grid<T, D, Memory>> = true;
template <class G>
inline constexpr bool is_view = false;
template <class T, std::size_t D>
inline constexpr bool is_view<grid_view<T, D>> = true;
template <class G>
inline constexpr bool is_fixed = false;
template <class G>
inline constexpr bool is_fixed<fixed_field<G>> = true;
template <class G>
inline constexpr bool is_fields = false;
template <class... G>
inline constexpr bool is_fields<field_list<G...>> = true;

template <class T, std::size_t D>
[[nodiscard]] block_extents block_of(std::array<std::size_t, D> const& e) {
  auto const at = [&](std::size_t d) { return static_cast<std::ptrdiff_t>(e[d]); };
  if constexpr (D == 1) return {1, 1, at(0)};
  if constexpr (D == 2) return {at(0), 1, at(1)};
  if constexpr (D == 3) return {at(0), at(1), at(2)};
}

template <class T, std::size_t D>
[[nodiscard]] block_view<T> block_of(grid_view<T, D> const& v) {
  if constexpr (D == 1) return {v.data, 0, 0};
  if constexpr (D == 2) return {v.data, v.strides[0], 0};
  if constexpr (D == 3) return {v.data, v.strides[0], v.strides[1]};
}

/// The radius as planes, rows and columns.
template <std::size_t D>
[[nodiscard]] std::array<std::ptrdiff_t, 3> radii(reach const& r) {
  if (r.given != 1 && r.given != D)
    raise<bad_argument>(
        "tartan: radius(...) takes one number for all dimensions, or one for each dimension of the grid");
  auto const at = [&](std::size_t d) { return r.given == 1 ? r.by[0] : r.by[d]; };
  if constexpr (D == 1) return {0, 0, at(0)};
  if constexpr (D == 2) return {at(0), 0, at(1)};
  if constexpr (D == 3) return {at(0), at(1), at(2)};
}

template <class EdgeValue>
void require_extents(block_extents const& size, std::array<std::ptrdiff_t, 3> const& radius,
                     edge_rule<EdgeValue> const& edges) {
  if (size.columns % edges.group != 0)
    raise<bad_extents>("tartan: a row of " + std::to_string(size.columns) + " elements is not a multiple of the " +
                       std::to_string(edges.group) + " that interleaved(n) names");
  std::ptrdiff_t const n[] = {size.planes, size.rows, size.columns / edges.group};
  std::ptrdiff_t const far[] = {radius[0], radius[1], (radius[2] + edges.group - 1) / edges.group};
  for (std::ptrdiff_t one : {size.planes, size.rows, size.columns})
    if (one > (std::numeric_limits<int>::max)())
      raise<bad_extents>("tartan: an extent of " + std::to_string(one) + " is more than at.index() can say, which is " +
                         "an int for each dimension: give the grid one dimension more");
  for (std::size_t d = 0; d != 3; ++d)
    if (n[d] < least_extent(edges.kind, far[d]))
      raise<bad_extents>("tartan: an extent of " + std::to_string(n[d]) + " is too small for a radius of " +
                         std::to_string(far[d]) + " with this boundary, which needs at least " +
                         std::to_string(least_extent(edges.kind, far[d])));
}

/// One field of a call: a grid that moves, or one that stays.
template <class G>
struct field_type {
  using grid_type = std::remove_cvref_t<G>;
  static constexpr bool moves = true;
};
template <class G>
struct field_type<fixed_field<G>> {
  using grid_type = G;
  static constexpr bool moves = false;
};
template <class G>
using grid_of = typename field_type<std::remove_cvref_t<G>>::grid_type;

template <class G>
[[nodiscard]] decltype(auto) unwrapped(G& g) {
  if constexpr (is_fixed<std::remove_cvref_t<G>>)
    return (g.grid);
  else
    return (g);
}

/// The first and the last address that the elements of a block take, whatever the signs of its strides.
template <class T>
[[nodiscard]] std::array<T const*, 2> span_of(block_view<T> const& v, block_extents const& size) {
  std::array<T const*, 2> out{v.row(0, 0), v.row(0, 0) + (size.columns - 1)};
  auto const stretch = [&](std::ptrdiff_t by) { out[by < 0 ? 0 : 1] += by; };
  stretch((size.planes - 1) * v.plane_stride);
  stretch((size.rows - 1) * v.row_stride);
  return out;
}

/// Where stencil_into reads and writes, once it is known that it can.
template <class From, class To>
struct into_blocks {
  block_extents size;
  block_view<From const> from;
  block_view<To> to;
  bool exceeds_caches;  ///< the result is better written past them
};

template <class In, class Out>
[[nodiscard]] auto blocks_of(In const& in, Out& out) {
  static_assert(In::rank == Out::rank, "tartan: stencil_into needs two grids with the same number of dimensions");
  constexpr std::size_t D = In::rank;
  using from_type = typename In::value_type;
  using to_type = typename Out::value_type;
  auto const view_of = [](auto& g) {
    if constexpr (is_view<std::remove_cvref_t<decltype(g)>>)
      return g;
    else
      return g.view();
  };
  auto const from = view_of(in);
  auto const to = view_of(out);
  if (from.extents != to.extents) raise<bad_extents>("tartan: in and out of stencil_into must have the same extents");
  if (from.strides[D - 1] != 1 || to.strides[D - 1] != 1)
    raise<bad_argument>("tartan: the rows of a view must be adjacent elements (last stride 1); copy it to a grid");
  auto const size = block_of<from_type, D>(from.extents);
  auto const a = block_of(from);
  auto const b = block_of(to);
  if (size.planes > 0 && size.rows > 0 && size.columns > 0) {
    auto const [a_first, a_last] = span_of(a, size);
    auto const [b_first, b_last] = span_of(b, size);
    std::less<void const*> const before;
    if (!before(a_last, b_first) && !before(b_last, a_first))
      raise<bad_argument>("tartan: in and out of stencil_into overlap; use stencil to change a grid in place");
  }
  double const bytes =
      static_cast<double>(sizeof(to_type)) * static_cast<double>(size.planes * size.rows * size.columns);
  return into_blocks<from_type, to_type>{size, {a.data, a.plane_stride, a.row_stride}, b, bytes > caches().middle * 4};
}

/// Copies between a grid and a view of any strides.
template <class From, class To, std::size_t D>
void copy_grid(grid_view<From, D> const& from, grid_view<To, D> const& to) {
  std::array<std::size_t, 3> n{1, 1, 1};
  std::array<std::ptrdiff_t, 3> a{}, b{};
  for (std::size_t d = 0; d != D; ++d) {
    n[3 - D + d] = from.extents[d];
    a[3 - D + d] = from.strides[d];
    b[3 - D + d] = to.strides[d];
  }
  for (std::size_t z = 0; z != n[0]; ++z)
    for (std::size_t y = 0; y != n[1]; ++y)
      for (std::size_t x = 0; x != n[2]; ++x) {
        auto const iz = static_cast<std::ptrdiff_t>(z), iy = static_cast<std::ptrdiff_t>(y),
                   ix = static_cast<std::ptrdiff_t>(x);
        to.data[iz * b[0] + iy * b[1] + ix * b[2]] = from.data[iz * a[0] + iy * a[1] + ix * a[2]];
      }
}

template <std::size_t D, class F, class... In>
using stencil_value = std::invoke_result_t<F&, scalar_point<In, D>...>;

/// The numbers 0 to n - 1 whose field moves.
template <class... G>
[[nodiscard]] consteval auto moving_fields() {
  constexpr std::size_t count = ((field_type<std::remove_cvref_t<G>>::moves ? std::size_t{1} : std::size_t{0}) + ...);
  std::array<std::size_t, count + 1> out{};
  std::size_t i = 0, m = 0;
  ((field_type<std::remove_cvref_t<G>>::moves ? void(out[m++] = i++) : void(i++)), ...);
  return out;
}

/// Whether workers that do not see the caller's memory see this grid: it says so itself.
template <class G>
inline constexpr bool lies_in_shared_memory = false;
template <class T, std::size_t D, class Memory>
inline constexpr bool lies_in_shared_memory<grid<T, D, Memory>> = requires { requires Memory::crosses_processes; };

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
