#pragma once
// pack<T, N>: N lanes of T with the arithmetic of C++.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <cstring>      // memcpy
#include <type_traits>  // is_arithmetic_v

#include "tartan/core/config.hpp"    // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/leaves/isa.hpp"     // TARTAN_CONTRACT
#include "tartan/leaves/tail.hpp"    // load_bytes, store_bytes
#include "tartan/leaves/vector.hpp"  // vec, broadcast, lanes_in_register

namespace tartan::inline TARTAN_ABI::lanes {

/// N lanes of T, held in as many vector registers as they need.
///
///     auto p = tartan::lanes::pack<float, 16>::load(data);
///     (2 * p + 1).store(data);                      // float: 2 and 1 are broadcast
///     auto wide = p * 0.5;                          // pack<double, 16>, as float * double is double
///
/// Arithmetic is that of C++ lane by lane: types below int promote, mixed types meet as the scalars do, so a
/// generic function means the same on a pack as on a number. Comparisons yield a `mask`; `select` chooses by it.
/// Packs with N = 1, 2, 4, ... lanes exist on every target; a pack wider than a register takes several.
template <lane_type T, std::size_t N>
struct pack {
  static_assert(std::has_single_bit(N), "tartan: the number of lanes of a pack is a power of two");

  using value_type = T;
  static constexpr std::size_t size = N;
  static constexpr std::size_t register_lanes = impl::lanes_in_register<T, N>;
  static constexpr std::size_t registers = N / register_lanes;
  using vec = impl::vec<T, register_lanes>;

  vec part[registers];

  pack() = default;

  /// Every lane is `value`.
  TARTAN_INLINE_KERNEL pack(T value) {
    impl::unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA { part[r] = impl::broadcast<T, register_lanes>(value); });
  }

  /// Lane i is f(i).
  template <class F>
  TARTAN_INLINE_KERNEL static pack generate(F&& f) {
    T lane[N];
    for (std::size_t i = 0; i != N; ++i) lane[i] = static_cast<T>(f(i));
    return load(lane);
  }

  /// Lanes first, first + 1, first + 2, ...
  TARTAN_INLINE_KERNEL static pack iota(T first = T{}) {
    pack out;
    impl::unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
        out.part[r] = vec{static_cast<T>(r * register_lanes + I)...} + impl::broadcast<T, register_lanes>(first);
      }(std::make_index_sequence<register_lanes>{});
    });
    return out;
  }

  /// The N elements at `from`, which needs no alignment beyond T's.
  TARTAN_INLINE_KERNEL static pack load(T const* from) {
    using unaligned = typename impl::vector_of<T, register_lanes>::unaligned;
    pack out;
    impl::unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      out.part[r] = *reinterpret_cast<unaligned const*>(from + r * register_lanes);
    });
    return out;
  }

  TARTAN_INLINE_KERNEL void store(T* to) const {
    using unaligned = typename impl::vector_of<T, register_lanes>::unaligned;
    impl::unroll<registers>(
        [&](auto r) TARTAN_INLINE_LAMBDA { *reinterpret_cast<unaligned*>(to + r * register_lanes) = part[r]; });
  }

  /// Writes past the caches where the target can. `to` is aligned to a register.
  TARTAN_INLINE_KERNEL void store_bypassing(T* to) const {
    impl::unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA { impl::bypass(to + r * register_lanes, part[r]); });
  }

  /// The first `count` elements at `from`; the other lanes are zero and their memory is not touched.
  TARTAN_INLINE_KERNEL static pack load_first(T const* from, std::size_t count) {
    pack out{};
    impl::unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      constexpr std::size_t begin = r * register_lanes;
      if (count > begin) out.part[r] = impl::load_bytes<T, register_lanes>(from + begin, count - begin);
    });
    return out;
  }

  /// Writes the first `count` lanes only.
  TARTAN_INLINE_KERNEL void store_first(T* to, std::size_t count) const {
    impl::unroll<registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      constexpr std::size_t begin = r * register_lanes;
      if (count > begin) impl::store_bytes<T, register_lanes>(to + begin, part[r], count - begin);
    });
  }

  [[nodiscard]] TARTAN_INLINE_KERNEL T operator[](std::size_t lane) const {
    return part[lane / register_lanes][lane % register_lanes];
  }

  TARTAN_INLINE_KERNEL void set(std::size_t lane, T value) {
    part[lane / register_lanes][lane % register_lanes] = value;
  }
};

/// As many lanes as one register of the target holds.
template <lane_type T>
using native_pack = pack<T, register_bytes / sizeof(T)>;

namespace impl {

template <class P>
inline constexpr bool is_pack = false;
template <class T, std::size_t N>
inline constexpr bool is_pack<pack<T, N>> = true;

/// f on each register of packs that have the same number of registers.
template <class Out, class F, class... P>
TARTAN_INLINE_KERNEL Out by_register(F&& f, P const&... p) {
  static_assert(((P::registers == Out::registers) && ...));
  Out out;
  unroll<Out::registers>([&](auto r) TARTAN_INLINE_LAMBDA { out.part[r] = f(p.part[r]...); });
  return out;
}

}  // namespace impl

/// A pack<T, N> for some T and N.
template <class P>
concept any_pack = impl::is_pack<P>;

}  // namespace tartan::inline TARTAN_ABI::lanes
