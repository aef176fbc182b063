#pragma once
// What stencils mean, one point at a time: nothing is shared with the library but its grids.

#include <array>
#include <cstddef>
#include <random>
#include <tuple>
#include <type_traits>

#include "tartan/exec/grid.hpp"
#include "tartan/patterns/stencil.hpp"

namespace tartan::test {

using detail::edge;

template <class G>
void fill_random(G& g, unsigned seed) {
  using T = typename G::value_type;
  std::mt19937 random{seed};
  auto const next = [&] {
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(static_cast<int>(random() % 4096)) / T{64};
    else
      return static_cast<T>(random());
  };
  if constexpr (G::rank == 1)
    for (T& x : g.row()) x = next();
  if constexpr (G::rank == 2)
    for (std::size_t i = 0; i != g.extent(0); ++i)
      for (T& x : g.row(i)) x = next();
  if constexpr (G::rank == 3)
    for (std::size_t i = 0; i != g.extent(0); ++i)
      for (std::size_t j = 0; j != g.extent(1); ++j)
        for (T& x : g.row(i, j)) x = next();
}

/// Numbers from 0 to 255, of which sums and products stay small.
template <class G>
G random_grid(std::array<std::size_t, G::rank> extents, unsigned seed) {
  G g(extents);
  std::mt19937 random{seed};
  auto const fill = [&](auto row) {
    for (auto& x : row) x = static_cast<typename G::value_type>(random() % 256);
  };
  if constexpr (G::rank == 1) {
    fill(g.row());
  } else {
    for (std::size_t i = 0; i != extents[0]; ++i)
      if constexpr (G::rank == 2)
        fill(g.row(i));
      else
        for (std::size_t j = 0; j != extents[1]; ++j) fill(g.row(i, j));
  }
  return g;
}

/// The meaning of a boundary, one index at a time: nothing is shared with the library. -1 stands for the constant.
inline long meant(edge kind, long i, long n) {
  if (i >= 0 && i < n) return i;
  switch (kind) {
    case edge::clamp:
      return i < 0 ? 0 : n - 1;
    case edge::wrap:
      return ((i % n) + n) % n;
    case edge::reflect:
      return i < 0 ? -i : 2 * n - 2 - i;
    case edge::symmetric:
      return i < 0 ? -i - 1 : 2 * n - 1 - i;
    case edge::constant:
    case edge::none:
      break;
  }
  return -1;
}

/// A neighbourhood as the naive reference sees it.
template <class T, std::size_t D>
struct naive_point {
  grid<T, D> const& g;
  edge kind;
  T constant;
  std::array<long, D> at;

  template <class... I>
  T operator()(I... offset) const {
    std::array<long, D> where{offset...};
    for (std::size_t d = 0; d != D; ++d) {
      where[d] = meant(kind, at[d] + where[d], static_cast<long>(g.extent(d)));
      if (where[d] < 0) return constant;
    }
    return std::apply([&](auto... i) { return g(static_cast<std::size_t>(i)...); }, where);
  }
  std::array<int, D> index() const {
    std::array<int, D> out{};
    for (std::size_t d = 0; d != D; ++d) out[d] = static_cast<int>(at[d]);
    return out;
  }
};

template <std::size_t D, class Body>
void each_point(std::array<std::size_t, D> const& extents, Body&& body) {
  std::array<long, D> at{};
  while (true) {
    body(at);
    std::size_t d = D;
    while (d-- != 0) {
      if (++at[d] != static_cast<long>(extents[d])) break;
      at[d] = 0;
      if (d == 0) return;
    }
  }
}

template <class T, std::size_t D, class F>
grid<T, D> naive_step(grid<T, D> const& g, long radius, detail::edge_rule<T> rule, F& f) {
  auto next = g;
  each_point<D>(g.extents(), [&](std::array<long, D> const& at) {
    if (rule.kind == edge::none)
      for (std::size_t d = 0; d != D; ++d)
        if (at[d] < radius || at[d] >= static_cast<long>(g.extent(d)) - radius) return;
    T const value = static_cast<T>(f(naive_point<T, D>{g, rule.kind, rule.value, at}));
    std::apply([&](auto... i) { next(static_cast<std::size_t>(i)...) = value; }, at);
  });
  return next;
}

template <class T>
std::array<detail::edge_rule<T>, 6> all_rules() {
  return {{{edge::clamp}, {edge::wrap}, {edge::reflect}, {edge::symmetric}, {edge::constant, T(7)}, {edge::none}}};
}

}  // namespace tartan::test
