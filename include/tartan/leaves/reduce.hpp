#pragma once
// The fold of one block in packs, in the shape of detail::scalar_reducer and with its bits.

#include <bit>          // countr_zero
#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <cstdint>      // int64_t
#include <functional>   // identity, plus
#include <limits>       // numeric_limits
#include <type_traits>  // decay_t, integral_constant, is_floating_point_v

#include "tartan/core/config.hpp"     // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/exec/leaf.hpp"       // scalar_reducer, lane_count
#include "tartan/leaves/combine.hpp"  // lane_combine
#include "tartan/leaves/mask.hpp"     // mask
#include "tartan/leaves/move.hpp"     // slide
#include "tartan/leaves/pack.hpp"     // pack
#include "tartan/leaves/select.hpp"   // select
#include "tartan/leaves/source.hpp"   // source, as_pack

namespace tartan::inline TARTAN_ABI::lanes::impl {

using detail::lane_count;

/// Lanes that elements read through It, and results of To, share in one pack.
template <class It, class To>
inline constexpr std::size_t shared_lanes =
    register_bytes / (source<It>::lane_bytes > sizeof(To) ? source<It>::lane_bytes : sizeof(To));

/// One value of W lanes: lane j takes in lane j + stride, for stride = W / 2, ... 2, 1, as step(lanes, lanes that took,
/// stride) lets it.
template <class Op, class T, std::size_t W, class Combine, class Step>
TARTAN_INLINE_KERNEL T fold_lanes(pack<T, W> const& p, Combine& combine, Step const& step) {
  if constexpr (W * sizeof(T) > 16) {
    pack<T, W / 2> low, high;
    if constexpr (pack<T, W>::registers > 1) {
      unroll<low.registers>([&](auto r) TARTAN_INLINE_LAMBDA {
        low.part[r] = p.part[r];
        high.part[r] = p.part[r + low.registers];
      });
    } else {
      low.part[0] = extract<T, W, 0, W / 2>(p.part[0]);
      high.part[0] = extract<T, W, W / 2, W / 2>(p.part[0]);
    }
    return fold_lanes<Op, T, W / 2>(step(low, Op::template apply<W / 2>(combine, low, high), W / 2), combine, step);
  } else {
    auto all = p;
    [&]<std::size_t... Half>(std::index_sequence<Half...>) TARTAN_INLINE_LAMBDA {
      ((all = step(all, Op::template apply<W>(combine, all, slide<(W >> (Half + 1))>(all, all)), W >> (Half + 1))),
       ...);
    }(std::make_index_sequence<static_cast<std::size_t>(std::countr_zero(W))>{});
    return all[0];
  }
}

template <class Op, class T, std::size_t W, class Combine>
TARTAN_INLINE_KERNEL T fold_lanes(pack<T, W> const& p, Combine& combine) {
  return fold_lanes<Op>(p, combine,
                        [](auto const&, auto const& took, std::size_t) TARTAN_INLINE_LAMBDA { return took; });
}

/// Of the first `count` lanes only, count > 0: none takes in a lane that is not there.
template <class Op, class T, std::size_t W, class Combine>
TARTAN_INLINE_KERNEL T fold_first_lanes(pack<T, W> const& p, std::size_t count, Combine& combine) {
  return fold_lanes<Op>(
      p, combine, [count]<class P>(P const& lanes, P const& took, std::size_t stride) TARTAN_INLINE_LAMBDA {
        return select(mask<sizeof(T), P::size>::first(count > stride ? count - stride : 0), took, lanes);
      });
}

/// The virtual lanes of one block while it is folded: 64 of them, which fixes the bits, or as many as suit the target.
template <class T, class Combine, std::size_t Lanes = lane_count>
class lane_state {
  using op = lane_combine<Combine, T>;

 public:
  /// Folds n elements, which produce<W>(i) and produce_first<W>(i, count) give as packs of T.
  template <std::size_t W, class Produce>
  TARTAN_FLATTEN void add(std::size_t n, Produce const& produce, Combine& combine) {
    if (n == 0) return;
    bool const begins = filled_ == 0;
    if (begins) {
      filled_ = n < Lanes ? n : Lanes;
      if (n < Lanes) return begin_short<W>(n, produce);
    }
    pack<T, W> lane[Lanes / W];
    unroll<Lanes / W>([&](auto r) TARTAN_INLINE_LAMBDA {
      lane[r] = begins ? produce.template whole<W>(r * W) : pack<T, W>::load(lane_ + r * W);
    });
    std::size_t i = begins ? Lanes : 0;
    for (; i + Lanes <= n; i += Lanes)
      unroll<Lanes / W>([&](auto r) TARTAN_INLINE_LAMBDA {
        lane[r] = op::template apply<W>(combine, lane[r], produce.template whole<W>(i + r * W));
      });
    unroll<Lanes / W>([&](auto r) TARTAN_INLINE_LAMBDA { lane[r].store(lane_ + r * W); });
    if (i != n) end_short<W>(i, n, produce, combine);
  }

  /// add() of n > 0 elements to no others, and finish().
  template <std::size_t W, class Produce>
  TARTAN_FLATTEN static T whole(std::size_t n, Produce produce, Combine& combine) {
    if (n < Lanes) [[unlikely]]
      return whole_short<W>(n, produce, combine);
    pack<T, W> lane[Lanes / W];
    unroll<Lanes / W>([&](auto r) TARTAN_INLINE_LAMBDA { lane[r] = produce.template whole<W>(r * W); });
    std::size_t i = Lanes;
    TARTAN_NO_UNROLL
    for (; i + Lanes <= n; i += Lanes)
      unroll<Lanes / W>([&](auto r) TARTAN_INLINE_LAMBDA {
        lane[r] = op::template apply<W>(combine, lane[r], produce.template whole<W>(i + r * W));
      });
    if (i == n) [[likely]]
      return fold(lane, combine);
    lane_state rest;
    unroll<Lanes / W>([&](auto r) TARTAN_INLINE_LAMBDA { lane[r].store(rest.lane_ + r * W); });
    rest.template end_short<W>(i, n, produce, combine);
    return fold_lanes<op>(pack<T, Lanes>::load(rest.lane_), combine);
  }

  /// The same of fewer elements than lanes. Apart, so that the other has no use for a frame.
  template <std::size_t W, class Produce>
  TARTAN_FLATTEN TARTAN_NOINLINE static T whole_short(std::size_t n, Produce produce, Combine& combine) {
    lane_state few;
    few.filled_ = n;
    few.template begin_short<W>(n, produce);
    return few.finish_short(combine);
  }

  /// The tree of all lanes.
  template <std::size_t W>
  TARTAN_INLINE_KERNEL static T fold(pack<T, W> const (&lane)[Lanes / W], Combine& combine) {
    pack<T, Lanes> all;
    if constexpr (pack<T, W>::register_lanes == pack<T, Lanes>::register_lanes) {
      constexpr std::size_t registers = pack<T, W>::registers;
      unroll<pack<T, Lanes>::registers>(
          [&](auto r) TARTAN_INLINE_LAMBDA { all.part[r] = lane[r / registers].part[r % registers]; });
    } else {
      T each[Lanes];
      unroll<Lanes / W>([&](auto r) TARTAN_INLINE_LAMBDA { lane[r].store(each + r * W); });
      all = pack<T, Lanes>::load(each);
    }
    return fold_lanes<op>(all, combine);
  }

  [[nodiscard]] bool empty() const { return filled_ == 0; }

  /// At least one element has been added.
  [[nodiscard]] TARTAN_INLINE_KERNEL T finish(Combine& combine) {
    if (filled_ < Lanes) [[unlikely]]
      return finish_short(combine);
    return fold_lanes<op>(pack<T, Lanes>::load(lane_), combine);
  }

 private:
  /// Fewer elements than lanes: each begins its lane. The other lanes hold values that combine may see.
  template <std::size_t W, class Produce>
  void begin_short(std::size_t n, Produce const& produce) {
    pack<T, W> last;
    std::size_t i = 0;
    for (; i < n; i += W) {
      last = n - i >= W ? produce.template whole<W>(i) : produce.template part<W>(i, n - i);
      last.store(lane_ + i);
    }
    for (; i != Lanes; i += W) last.store(lane_ + i);
  }

  /// The last elements, fewer than lanes.
  template <std::size_t W, class Produce>
  void end_short(std::size_t i, std::size_t n, Produce const& produce, Combine& combine) {
    for (std::size_t r = 0; i < n; i += W, r += W) {
      auto const old = pack<T, W>::load(lane_ + r);
      if (n - i >= W)
        op::template apply<W>(combine, old, produce.template whole<W>(i)).store(lane_ + r);
      else
        // Stored whole: a load of what was stored in parts waits for all of it to reach the cache.
        select(mask<sizeof(T), W>::first(n - i),
               op::template apply<W>(combine, old, produce.template part<W>(i, n - i)), old)
            .store(lane_ + r);
    }
  }

  /// The tree where lanes are missing.
  TARTAN_NOINLINE T finish_short(Combine& combine) {
    return fold_first_lanes<op>(pack<T, Lanes>::load(lane_), filled_, combine);
  }

  alignas(register_bytes) T lane_[Lanes];
  std::size_t filled_ = 0;
};

/// map(elements) as packs of T. Unless Relaxed they pass opaque, so that no compiler contracts a product in map with a
/// sum in combine: the scalar leaf, whose mapped values rest in memory, could not follow.
template <class T, class It, class Map, bool Relaxed = false>
struct mapped_elements {
  source<It> from;
  Map& map;

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<T, W> whole(std::size_t i) const {
    return settled<W>(from.template load<W>(i));
  }
  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<T, W> part(std::size_t i, std::size_t count) const {
    return settled<W>(from.template load_first<W>(i, count));
  }

 private:
  template <std::size_t W, class P>
  TARTAN_INLINE_KERNEL pack<T, W> settled(P const& elements) const {
    auto values = as_pack<T, W>(map(elements));
    if constexpr (!Relaxed && std::is_floating_point_v<T> && !std::same_as<std::decay_t<Map>, std::identity>)
      unroll<pack<T, W>::registers>([&](auto r) TARTAN_INLINE_LAMBDA { opaque(values.part[r]); });
    return values;
  }
};

/// Values that are mapped already.
template <class T, class M>
struct mapped_values {
  M const* from;

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<T, W> whole(std::size_t i) const {
    return convert<T>(pack<M, W>::load(from + i));
  }
  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<T, W> part(std::size_t i, std::size_t count) const {
    // The lanes behind repeat the first, a value that combine may see.
    return convert<T>(select(mask<sizeof(M), W>::first(count), pack<M, W>::load_first(from + i, count), from[i]));
  }
};

/// How many of n elements make `map` true: per lane counts as wide as the mask, added up before they overflow.
template <class It, class Map>
TARTAN_FLATTEN std::size_t count_true(source<It> const& from, std::size_t n, Map& map) {
  constexpr std::size_t W = register_bytes / source<It>::lane_bytes;
  using mask_type = std::decay_t<decltype(map(from.template load<W>(0)))>;
  using counts = typename mask_type::lanes_type;
  using total_type = std::conditional_t<sizeof(typename counts::value_type) == 8, std::int64_t, std::int32_t>;
  constexpr std::size_t rows = 4, lane_most = (std::numeric_limits<typename counts::value_type>::max)(),
                        sum_most = (std::numeric_limits<total_type>::max)() / W,
                        most = (lane_most < sum_most ? lane_most : sum_most) / rows;
  std::size_t total = 0, i = 0;
  if (std::size_t const ahead = unaligned_elements(from); ahead != 0 && n >= 4 * rows * W) {
    total = count(map(from.template load_first<W>(0, ahead)) & mask_type::first(ahead));
    i = ahead;
  }
  while (i + rows * W <= n) {
    counts lane[rows] = {counts{0}, counts{0}, counts{0}, counts{0}};
    std::size_t const whole = (n - i) / (rows * W), end = i + (whole < most ? whole : most) * (rows * W);
    TARTAN_NO_UNROLL
    for (; i != end; i += rows * W)
      unroll<rows>([&](auto r) TARTAN_INLINE_LAMBDA {
        lane[r] = by_register<counts>([](auto const& x, auto const& m) TARTAN_INLINE_LAMBDA { return m ? x + 1 : x; },
                                      lane[r], map(from.template load<W>(i + r * W)).lanes);
      });
    auto const sum = [&] {
      if constexpr (sizeof(typename counts::value_type) >= 4)
        return convert<total_type>((lane[0] + lane[1]) + (lane[2] + lane[3]));
      else
        return convert<total_type>(lane[0]) + convert<total_type>(lane[1]) + convert<total_type>(lane[2]) +
               convert<total_type>(lane[3]);
    }();
    std::plus<> plus;
    total += static_cast<std::size_t>(fold_lanes<lane_combine<std::plus<>, total_type>>(sum, plus));
  }
  for (; i + W <= n; i += W) total += count(map(from.template load<W>(i)));
  if (i != n) total += count(map(from.template load_first<W>(i, n - i)) & mask_type::first(n - i));
  return total;
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
