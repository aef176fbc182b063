#pragma once
// One block of a scan in packs, in the shape of exec/scan_block.hpp and with its bits.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <functional>   // bit_and, multiplies, plus
#include <type_traits>  // is_floating_point_v
#include <utility>      // index_sequence, make_index_sequence

#include "tartan/core/config.hpp"      // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/exec/combine.hpp"     // maximum, minimum
#include "tartan/exec/scan_block.hpp"  // scan_group
#include "tartan/leaves/combine.hpp"   // lane_combine
#include "tartan/leaves/move.hpp"      // slide
#include "tartan/leaves/pack.hpp"      // pack
#include "tartan/leaves/reduce.hpp"    // lane_state
#include "tartan/leaves/source.hpp"    // source, pack_readable, pack_writable

namespace tartan::inline TARTAN_ABI::lanes::impl {

/// What a lane takes in that shall stay as it is: a value without effect, itself, or whatever, the result unused.
enum class idle_lane { neutral, itself, unused };

template <class Combine, class T>
struct idle_lane_of {
  static constexpr idle_lane kind = idle_lane::unused;
};

/// A value that changes not a bit of any other: of sums of floats it is -0, as 0 would make a 0 of it.
#define TARTAN_NEUTRAL_LANE(function, value)              \
  template <class U, class T>                             \
  struct idle_lane_of<function<U>, T> {                   \
    static constexpr idle_lane kind = idle_lane::neutral; \
    static constexpr T neutral = static_cast<T>(value);   \
  };
TARTAN_NEUTRAL_LANE(std::plus, std::is_floating_point_v<T> ? T(-0.0F) : T(0))
TARTAN_NEUTRAL_LANE(std::multiplies, 1)
TARTAN_NEUTRAL_LANE(std::bit_and, ~T(0))
TARTAN_NEUTRAL_LANE(std::bit_or, 0)
TARTAN_NEUTRAL_LANE(std::bit_xor, 0)
#undef TARTAN_NEUTRAL_LANE

template <class T>
struct idle_lane_of<maximum, T> {
  static constexpr idle_lane kind = idle_lane::itself;
};
template <class T>
struct idle_lane_of<minimum, T> {
  static constexpr idle_lane kind = idle_lane::itself;
};

/// One step within a register: lanes that have the bit `Step` take in the last lane before their half.
template <std::size_t Step, class T, std::size_t L, class Combine>
TARTAN_INLINE_KERNEL pack<T, L> scan_step(pack<T, L> const& x, Combine& combine) {
  using idle = idle_lane_of<Combine, T>;
  using op = lane_combine<Combine, T>;
  return [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    pack<T, L> left, out;
    if constexpr (idle::kind == idle_lane::neutral) {
      left.part[0] = __builtin_shufflevector(
          x.part[0], broadcast<T, L>(idle::neutral),
          ((I & Step) != 0 ? static_cast<int>(I & ~(Step - 1)) - 1 : static_cast<int>(L + I))...);
    } else {
      left.part[0] = __builtin_shufflevector(
          x.part[0], x.part[0], ((I & Step) != 0 ? static_cast<int>(I & ~(Step - 1)) - 1 : static_cast<int>(I))...);
    }
    out = op::template apply<L>(combine, left, x);
    if constexpr (idle::kind == idle_lane::unused)
      out.part[0] = __builtin_shufflevector(x.part[0], out.part[0],
                                            ((I & Step) != 0 ? static_cast<int>(L + I) : static_cast<int>(I))...);
    return out;
  }(std::make_index_sequence<L>{});
}

template <class T, std::size_t L>
TARTAN_INLINE_KERNEL pack<T, L> last_lane_everywhere(vec<T, L> const& a) {
  pack<T, L> out;
  [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    out.part[0] = __builtin_shufflevector(a, a, (static_cast<void>(I), static_cast<int>(L - 1))...);
  }(std::make_index_sequence<L>{});
  return out;
}

/// Each lane with those before it.
template <class T, std::size_t G, class Combine>
TARTAN_INLINE_KERNEL pack<T, G> scan_within(pack<T, G> const& x, Combine& combine) {
  constexpr std::size_t width = pack<T, G>::register_lanes, registers = pack<T, G>::registers;
  using op = lane_combine<Combine, T>;
  using single = pack<T, width>;
  pack<T, G> out;
  unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA {
    single one;
    one.part[0] = x.part[r];
    [&]<std::size_t... K>(std::index_sequence<K...>) TARTAN_INLINE_LAMBDA {
      ((one = scan_step<(std::size_t{1} << K)>(one, combine)), ...);
    }(std::make_index_sequence<static_cast<std::size_t>(std::countr_zero(width))>{});
    out.part[r] = one.part[0];
  });
  unroll<static_cast<std::size_t>(std::countr_zero(registers))>([&](auto k) TARTAN_INLINE_LAMBDA {
    constexpr std::size_t step = std::size_t{1} << k;
    unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      if constexpr ((r & step) != 0) {
        single one;
        one.part[0] = out.part[r];
        out.part[r] =
            op::template apply<width>(combine, last_lane_everywhere<T, width>(out.part[(r & ~(step - 1)) - 1]), one)
                .part[0];
      }
    });
  });
  return out;
}

/// What came before a group, in every lane.
template <class T, std::size_t G>
TARTAN_INLINE_KERNEL pack<T, G> last_in_every_lane(pack<T, G> const& x) {
  constexpr std::size_t width = pack<T, G>::register_lanes;
  auto const last = last_lane_everywhere<T, width>(x.part[pack<T, G>::registers - 1]).part[0];
  pack<T, G> out;
  unroll<pack<T, G>::registers>([&](auto r) TARTAN_INLINE_LAMBDA { out.part[r] = last; });
  return out;
}

/// Ranges of numbers, the second one writable.
template <class It, class Out>
concept scans_in_packs = pack_readable<It> && pack_writable<Out> && lane_type<typename source<It>::value_type> &&
                         lane_type<typename source<Out>::value_type>;

/// What is to be written in place of a group. `running` is what came before it, in every lane, and moves on; `out` is
/// the group with all before it. (References to variables: g++ 12 keeps the members of a class in memory.)
template <bool Inclusive, class T, std::size_t G, class Combine>
TARTAN_INLINE_KERNEL pack<T, G> scan_group_on(pack<T, G> const& elements, pack<T, G>& running, pack<T, G>& out,
                                              bool& first, Combine& combine) {
  using op = lane_combine<Combine, T>;
  auto const within = scan_within(elements, combine);
  out = first ? within : op::template apply<G>(combine, running, within);
  auto const shown = Inclusive ? out : slide<G - 1>(running, out);
  // Not `out`'s own last lane: the next group waits for one combine only, not for its way across the register too.
  auto const all = last_in_every_lane(within);
  running = first ? all : op::template apply<G>(combine, running, all);
  first = false;
  return shown;
}

/// What scalar_scan_block does, of n > 0 elements, in packs.
template <bool Inclusive, class T, class It, class Out, class Combine>
TARTAN_FLATTEN T scan_packs(source<It> from, source<Out> to, std::size_t n, T const* before, Combine& combine) {
  constexpr std::size_t G = detail::scan_group<T>;
  using P = pack<T, G>;
  using To = typename source<Out>::value_type;
  P running{}, out{};
  bool first = before == nullptr;
  if (!first) running = P{*before};
  auto const scanned = [&](P const& elements) TARTAN_INLINE_LAMBDA {
    return convert<To>(scan_group_on<Inclusive, T, G>(elements, running, out, first, combine));
  };
  std::size_t i = 0;
  for (; i + G <= n; i += G) to.template store<G>(i, scanned(convert<T>(from.template load<G>(i))));
  if (i != n) to.template store_first<G>(i, scanned(convert<T>(from.template load_first<G>(i, n - i))), n - i);
  return i != n ? out[n - i - 1] : running[0];
}

/// The same of n elements, a multiple of 64, which are folded on the way in the shape of scalar_reducer: gives the
/// fold.
template <bool Inclusive, class T, class It, class Out, class Combine>
TARTAN_FLATTEN T scan_and_fold_packs(source<It> from, source<Out> to, std::size_t n, T const* before,
                                     Combine& combine) {
  constexpr std::size_t G = detail::scan_group<T>, groups = lane_count / G;
  using P = pack<T, G>;
  using To = typename source<Out>::value_type;
  P running{}, out{};
  bool first = before == nullptr;
  if (!first) running = P{*before};
  P lane[groups] = {};
  for (std::size_t i = 0; i != n; i += lane_count)
    unroll<groups>([&](auto g) TARTAN_INLINE_LAMBDA {
      P const x = convert<T>(from.template load<G>(i + g * G));
      lane[g] = i == 0 ? x : lane_combine<Combine, T>::template apply<G>(combine, lane[g], x);
      to.template store<G>(i + g * G, convert<To>(scan_group_on<Inclusive, T, G>(x, running, out, first, combine)));
    });
  return lane_state<T, Combine>::fold(lane, combine);
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
