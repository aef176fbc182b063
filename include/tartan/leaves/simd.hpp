#pragma once
// The simd leaf: the scalar leaf's meaning and bits, computed in packs.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <functional>   // identity
#include <tuple>        // tuple
#include <type_traits>  // decay_t, is_floating_point_v, is_invocable_v, remove_cvref_t
#include <utility>      // pair

#include "tartan/core/config.hpp"       // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/exec/leaf.hpp"         // scalar_leaf, scalar_reducer, or_scalar_of
#include "tartan/exec/stencil_row.hpp"  // row_neighbours, row_extent, scalar_stencil_row
#include "tartan/leaves/combine.hpp"    // lane_combine, is_whole_sum
#include "tartan/leaves/extremes.hpp"   // extreme_place, extreme_places
#include "tartan/leaves/narrow.hpp"     // sums_narrow, narrow_total
#include "tartan/leaves/pack.hpp"       // pack
#include "tartan/leaves/reduce.hpp"     // lane_state, mapped_elements, mapped_values, count_true
#include "tartan/leaves/scan.hpp"       // scan_packs
#include "tartan/leaves/source.hpp"     // source, pack_readable, pack_writable
#include "tartan/leaves/stencil.hpp"    // stencil_rows, loading_point

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Whether `F` takes a pack of the elements behind It, and what it returns fits lanes.
template <class F, class It>
constexpr bool takes_packs() {
  if constexpr (!lanes::pack_readable<It>) {
    return false;
  } else {
    using argument = lanes::impl::loaded<It, 4>;
    if constexpr (!std::is_invocable_v<F&, argument&>)
      return false;
    else
      return lanes::impl::fits_lanes<std::remove_cvref_t<std::invoke_result_t<F&, argument&>>, 4>;
  }
}

/// The sentences with which the strict leaf refuses what it cannot run in packs.
template <bool Strict, class F, class It, bool Result>
constexpr void require_packs() {
  if constexpr (Strict) {
    static_assert(
        lanes::pack_readable<It>,
        "tartan: simd needs adjacent elements (or tartan::strided, std::views::iota, or a zip of such) of float, "
        "double or an integer type; use the policy without simd, or .or_scalar()");
    if constexpr (lanes::pack_readable<It>) {
      using argument = lanes::impl::loaded<It, 4>;
      static_assert(std::is_invocable_v<F&, argument&>,
                    "tartan: under simd the function is called with packs: make it generic, as in [](auto x) { ... }, "
                    "or use .or_scalar()");
      if constexpr (Result && std::is_invocable_v<F&, argument&>)
        static_assert(takes_packs<F, It>(),
                      "tartan: under simd the function must return a pack (or a mask or a number) of as many lanes as "
                      "it was given; use .or_scalar() otherwise");
    }
  }
}

/// The reducer of the simd leaf: packs where map takes them, the scalar reducer's shape and bits everywhere.
/// Relaxed gives up the bits for what the target does best: eight accumulators, fused products.
template <class T, class Map, class Combine, bool Strict, bool Lanes, bool Relaxed = false>
class simd_reducer;

template <class T, class Map, class Combine, bool Strict, bool Relaxed>
class simd_reducer<T, Map, Combine, Strict, true, Relaxed> {
  static constexpr std::size_t width = lanes::register_bytes / sizeof(T);
  static constexpr std::size_t accumulators =
      Relaxed && std::is_floating_point_v<T> && 8 * width < lane_count ? 8 * width : lane_count;
  using lane_state = lanes::impl::lane_state<T, Combine, accumulators>;

 public:
  simd_reducer(Map& map, Combine& combine) noexcept : map_(map), combine_(combine) {}

  /// add() of all n > 0 elements of a block and finish(), with the lanes in registers all the time.
  template <class It>
  static T whole(It first, std::size_t n, Map& map, Combine& combine) {
    require_packs<Strict, Map, It, true>();
    if constexpr (lanes::impl::is_whole_sum<Combine, T> && lanes::impl::sums_narrow<T, Map, It>()) {
      return lanes::impl::narrow_total<T, Map>(first, n);
    } else if constexpr (takes_packs<Map, It>()) {
      using result = std::decay_t<std::invoke_result_t<Map&, lanes::impl::loaded<It, 4>&>>;
      if constexpr (lanes::any_mask<result> && lanes::impl::is_whole_sum<Combine, T>)
        return static_cast<T>(lanes::impl::count_true(lanes::source<It>{first}, n, map));
      else
        return lane_state::template whole<lanes_at_once<It>()>(
            n, lanes::impl::mapped_elements<T, It, Map, Relaxed>{lanes::source<It>{first}, map}, combine);
    } else {
      simd_reducer fold(map, combine);
      fold.add(first, n);
      return fold.finish();
    }
  }

  template <class It>
  void add(It first, std::size_t n) {
    require_packs<Strict, Map, It, true>();
    if constexpr (lanes::impl::is_whole_sum<Combine, T> && lanes::impl::sums_narrow<T, Map, It>()) {
      counted_ = static_cast<T>(counted_ + lanes::impl::narrow_total<T, Map>(first, n));
    } else if constexpr (takes_packs<Map, It>()) {
      using result = std::decay_t<std::invoke_result_t<Map&, lanes::impl::loaded<It, 4>&>>;
      if constexpr (lanes::any_mask<result> && lanes::impl::is_whole_sum<Combine, T>)
        counted_ =
            static_cast<T>(counted_ + static_cast<T>(lanes::impl::count_true(lanes::source<It>{first}, n, map_)));
      else
        lanes_.template add<lanes::impl::shared_lanes<It, T>>(
            n, lanes::impl::mapped_elements<T, It, Map, Relaxed>{lanes::source<It>{first}, map_}, combine_);
    } else {
      add_scalars(first, n);
    }
  }

  template <class M>
  void add_mapped(M const* values, std::size_t n) {
    if constexpr (lanes::lane_type<M>) {
      constexpr std::size_t lane_bytes = sizeof(M) > sizeof(T) ? sizeof(M) : sizeof(T);
      lanes_.template add<lanes::register_bytes / lane_bytes>(n, lanes::impl::mapped_values<T, M>{values}, combine_);
    } else {  // bool
      for (std::size_t i = 0; i < n; i += lane_count) {
        std::size_t const m = n - i < lane_count ? n - i : lane_count;
        T converted[lane_count];
        for (std::size_t j = 0; j != m; ++j) converted[j] = static_cast<T>(values[i + j]);
        lanes_.template add<width>(m, lanes::impl::mapped_values<T, T>{converted}, combine_);
      }
    }
  }

  /// At least one element has been added.
  [[nodiscard]] T finish() {
    if constexpr (lanes::impl::is_whole_sum<Combine, T>)
      return lanes_.empty() ? counted_ : static_cast<T>(counted_ + lanes_.finish(combine_));
    else
      return lanes_.finish(combine_);
  }

 private:
  /// The map takes numbers only: its values are folded in packs all the same.
  template <class It>
  void add_scalars(It first, std::size_t n) {
    auto const from = plain(first);
    T mapped[lane_count];
    for (std::size_t i = 0; i < n; i += lane_count) {
      std::size_t const m = n - i < lane_count ? n - i : lane_count;
      for (std::size_t j = 0; j != m; ++j) mapped[j] = static_cast<T>(std::invoke(map_, at(from, i + j)));
      settle(mapped);
      lanes_.template add<width>(m, lanes::impl::mapped_values<T, T>{mapped}, combine_);
    }
  }

  /// Lanes for one call of the map: two registers where there are enough, so that neither waits for the latencies of
  /// the other's operations.
  template <class It>
  static constexpr std::size_t lanes_at_once() {
    constexpr std::size_t one = lanes::impl::shared_lanes<It, T>;
    constexpr bool two = lanes::register_bytes == 64 && !std::same_as<std::decay_t<Map>, std::identity>;
    return two && 2 * one <= accumulators ? 2 * one : one;
  }

  Map& map_;
  Combine& combine_;
  T counted_{};
  lane_state lanes_;
};

/// Folds that run left to right, or whose combine takes numbers only: packs map, the scalar reducer folds.
template <class T, class Map, class Combine, bool Strict, bool Relaxed>
class simd_reducer<T, Map, Combine, Strict, false, Relaxed> {
 public:
  simd_reducer(Map& map, Combine& combine) noexcept : map_(map), scalars_(map, combine) {}

  template <class It>
  void add(It first, std::size_t n) {
    require_packs<Strict, Map, It, true>();
    if constexpr (takes_packs<Map, It>() && !std::same_as<std::decay_t<Map>, std::identity>) {
      using result = std::decay_t<std::invoke_result_t<Map&, lanes::impl::loaded<It, 4>&>>;
      using M = mapped_type<result>;
      constexpr std::size_t W = lanes::impl::shared_lanes<It, M>;
      lanes::source<It> const from{first};
      alignas(lanes::register_bytes) M mapped[lane_count];
      for (std::size_t i = 0; i < n; i += lane_count) {
        std::size_t const m = n - i < lane_count ? n - i : lane_count;
        for (std::size_t j = 0; j < m; j += W) {
          if (m - j >= W)
            lanes::impl::as_pack<M, W>(map_(from.template load<W>(i + j))).store(mapped + j);
          else
            lanes::impl::as_pack<M, W>(map_(from.template load_first<W>(i + j, m - j))).store_first(mapped + j, m - j);
        }
        settle(mapped);
        scalars_.add_mapped(mapped, m);
      }
    } else {
      scalars_.add(first, n);
    }
  }

  template <class M>
  void add_mapped(M* values, std::size_t n) {
    scalars_.add_mapped(values, n);
  }

  [[nodiscard]] T finish() { return scalars_.finish(); }

 private:
  template <class R>
  struct mapped_of {
    using type = R;
  };
  template <class R, std::size_t N>
  struct mapped_of<lanes::pack<R, N>> {
    using type = R;
  };
  template <std::size_t B, std::size_t N>
  struct mapped_of<lanes::mask<B, N>> {
    using type = int;  // true and false as 1 and 0
  };
  template <class R>
  using mapped_type = typename mapped_of<R>::type;

  Map& map_;
  scalar_reducer<T, Map, Combine> scalars_;
};

template <class T, class Combine>
constexpr bool folds_in_packs() {
  if constexpr (in_lanes<Combine, T> && lanes::lane_type<T>)
    return lanes::impl::lane_combine<std::remove_cv_t<Combine>, T>::exists;
  else
    return false;
}

/// Whether the function of a stencil over fields of `In` can be given points that are packs.
template <bool Strict, std::size_t D, class F, class... In>
constexpr bool stencil_takes_packs() {
  constexpr bool numbers = (lanes::lane_type<In> && ...);
  if constexpr (Strict)
    static_assert(numbers,
                  "tartan: a stencil under simd needs grids of float, double or an integer type; use .or_scalar()");
  if constexpr (numbers) {
    constexpr bool takes = std::is_invocable_v<F&, lanes::impl::loading_point<In, D, 4>...>;
    if constexpr (Strict)
      static_assert(takes,
                    "tartan: under simd the function of a stencil is called with points whose values are packs: take "
                    "them as auto, as in [](auto at) { ... }, or use .or_scalar()");
    return takes;
  } else {
    return false;
  }
}

template <bool Strict>
struct basic_simd_leaf {
  static constexpr bool vector = true;

  /// f(pack of elements), stored back where the elements can be written.
  template <class It, class F>
  TARTAN_FLATTEN static void for_block(It first, std::size_t n, F& f) {
    require_packs<Strict, F, It, false>();
    if constexpr (takes_pack_reference<F, It>()) {
      constexpr std::size_t W = lanes::register_bytes / lanes::source<It>::lane_bytes;
      lanes::source<It> const from{first};
      std::size_t i = 0;
      constexpr bool side_by_side = requires(lanes::impl::loaded<It, W>& e) { from.refer(e); };
      for (; i + W <= n; i += W) {
        auto elements = from.template load<W>(i);
        if constexpr (side_by_side) {
          auto references = from.refer(elements);
          f(references);
          from.template put_back<W>(i, elements);
        } else {
          f(elements);
          if constexpr (lanes::pack_writable<It>) from.template store<W>(i, elements);
        }
      }
      if (i != n) {
        auto elements = from.template load_first<W>(i, n - i);
        if constexpr (side_by_side) {
          auto references = from.refer(elements);
          f(references);
          from.template put_back<W>(i, elements, n - i);
        } else {
          f(elements);
          if constexpr (lanes::pack_writable<It>) from.template store_first<W>(i, elements, n - i);
        }
      }
    } else {
      scalar_leaf::for_block(first, n, f);
    }
  }

  /// out[i] = f(first[i]) in packs. `out` may be `first`.
  template <class It, class Out, class F>
  TARTAN_FLATTEN static void map_block(It first, std::size_t n, Out out, F& f) {
    require_packs<Strict, F, It, true>();
    if constexpr (takes_packs<F, It>() && lanes::pack_writable<Out>) {
      using To = typename lanes::source<Out>::value_type;
      constexpr std::size_t W = lanes::impl::shared_lanes<It, To>;
      lanes::source<It> const from{first};
      lanes::source<Out> const to{out};
      std::size_t i = 0;
      for (; i + 4 * W <= n; i += 4 * W) {
        lanes::pack<To, W> value[4];
        lanes::impl::unroll<4>([&](auto u) TARTAN_INLINE_LAMBDA {
          auto elements = from.template load<W>(i + u * W);
          value[u] = lanes::impl::as_pack<To, W>(f(elements));
        });
        lanes::impl::unroll<4>([&](auto u) TARTAN_INLINE_LAMBDA { to.template store<W>(i + u * W, value[u]); });
      }
      for (; i + W <= n; i += W) {
        auto elements = from.template load<W>(i);
        to.template store<W>(i, lanes::impl::as_pack<To, W>(f(elements)));
      }
      if (i != n) {
        auto elements = from.template load_first<W>(i, n - i);
        to.template store_first<W>(i, lanes::impl::as_pack<To, W>(f(elements)), n - i);
      }
    } else {
      scalar_leaf::map_block(first, n, out, f);
    }
  }

  /// The first i < n for whose element test is true, else n. Only for a test that answers packs lane by lane.
  template <class It, class F>
    requires lanes::pack_readable<It>
  TARTAN_FLATTEN static std::size_t find_block(It first, std::size_t n, F& test)
    requires requires(lanes::impl::loaded<It, 4>& elements) {
      { test(elements) } -> lanes::any_mask;
    }
  {
    constexpr std::size_t W = lanes::register_bytes / lanes::source<It>::lane_bytes, at_once = 4;
    lanes::source<It> const from{first};
    std::size_t i = 0;
    for (; i + at_once * W <= n; i += at_once * W) {
      auto hit = test(from.template load<W>(i));
      lanes::impl::unroll<at_once - 1>(
          [&](auto u) TARTAN_INLINE_LAMBDA { hit = hit | test(from.template load<W>(i + (u + 1) * W)); });
      if (any(hit)) break;
    }
    for (; i + W <= n; i += W)
      if (std::size_t const lane = first_true(test(from.template load<W>(i))); lane != W) return i + lane;
    if (i == n) return n;
    std::size_t const lane = first_true(test(from.template load_first<W>(i, n - i)));
    return i + lane < n ? i + lane : n;
  }

  /// The index of the first smallest (or largest) of n > 0 elements; n where NaN is among them.
  template <bool Largest, class It>
    requires lanes::lane_type<std::iter_value_t<It>> && lanes::pack_readable<It>
  static std::size_t extreme_block(It first, std::size_t n) {
    return lanes::impl::extreme_place<Largest>(lanes::source<It>{first}, n);
  }

  /// The first smallest and the last largest of n > 0 elements; n where NaN is among them.
  template <class It>
    requires lanes::lane_type<std::iter_value_t<It>> && lanes::pack_readable<It>
  static std::pair<std::size_t, std::size_t> extremes_block(It first, std::size_t n) {
    return lanes::impl::extreme_places(lanes::source<It>{first}, n);
  }

  /// One block of a scan of numbers; see exec/scan_block.hpp.
  template <bool Inclusive, class T, class It, class Out, class Combine>
    requires(folds_in_packs<T, Combine>() && lanes::impl::scans_in_packs<It, Out>)
  static T scan_block(It first, Out out, std::size_t n, T const* before, Combine& combine) {
    return lanes::impl::scan_packs<Inclusive, T>(lanes::source<It>{first}, lanes::source<Out>{out}, n, before, combine);
  }

  /// The same of a multiple of 64 elements, which are folded on the way: gives the fold.
  template <bool Inclusive, class T, class It, class Out, class Combine>
    requires(folds_in_packs<T, Combine>() && lanes::impl::scans_in_packs<It, Out>)
  static T scan_and_fold_block(It first, Out out, std::size_t n, T const* before, Combine& combine) {
    return lanes::impl::scan_and_fold_packs<Inclusive, T>(lanes::source<It>{first}, lanes::source<Out>{out}, n, before,
                                                          combine);
  }

  /// Rows of a plane that are computed at once, if there are as many: they share what they load.
  template <std::size_t D, class F, class... In>
  static constexpr std::size_t stencil_rows_at_once =
      stencil_takes_packs<Strict, D, F, In...>() ? lanes::impl::rows_together<D> : 1;

  /// R rows of a stencil in packs.
  template <std::size_t D, std::size_t R, class F, class... In, class... Out>
  static void stencil_rows(F& f, std::tuple<row_neighbours<In>...> const& in, std::tuple<Out*...> const (&out)[R],
                           row_extent const& extent) {
    if constexpr (stencil_takes_packs<Strict, D, F, In...>())
      lanes::impl::stencil_rows<D>(f, in, out, extent);
    else
      scalar_stencil_row<D>(f, in, out[0], extent);
  }

  /// The fold of one block.
  template <class T, class Map, class Combine>
  using reducer = simd_reducer<T, Map, Combine, Strict, folds_in_packs<T, Combine>()>;

  /// The same with other last bits, faster on some targets.
  template <class T, class Map, class Combine>
  using relaxed_reducer = simd_reducer<T, Map, Combine, Strict, folds_in_packs<T, Combine>(), true>;

 private:
  template <class F, class It>
  static constexpr bool takes_pack_reference() {
    if constexpr (!lanes::pack_readable<It>)
      return false;
    else
      return std::is_invocable_v<F&, lanes::impl::loaded<It, 4>&>;
  }
};

}  // namespace detail

/// Vector packs inside a block: functions are called with lanes::pack<T, N> of elements. What cannot take packs is
/// refused by one sentence; reductions have the bits of the scalar leaf.
struct simd_leaf : detail::basic_simd_leaf<true> {};

/// Packs where the function takes them, numbers otherwise.
struct simd_or_scalar_leaf : detail::basic_simd_leaf<false> {};

namespace detail {
template <>
struct or_scalar_of<simd_leaf> {
  using type = simd_or_scalar_leaf;
};
}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
