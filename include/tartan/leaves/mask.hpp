#pragma once
// mask<Bytes, N>: N truth values, one for each lane of packs whose lanes have that many bytes.

#include <bit>       // bit_width, countr_zero, popcount
#include <concepts>  // same_as
#include <cstddef>   // size_t
#include <cstdint>   // uint64_t

#include "tartan/core/config.hpp"     // TARTAN_INLINE_KERNEL
#include "tartan/leaves/convert.hpp"  // convert
#include "tartan/leaves/pack.hpp"     // pack
#include "tartan/leaves/vector.hpp"   // vec, int_lane

namespace tartan::inline TARTAN_ABI::lanes {

/// N truth values. A comparison of pack<T, N>s yields mask<sizeof(T), N>; masks of other lane widths convert.
///
///     auto small = abs(p) < 1;                      // p is a pack
///     p = select(small && p > 0, p, 0);             // && and || see both sides, as | and & do
template <std::size_t Bytes, std::size_t N>
struct mask {
  using lanes_type = pack<impl::int_lane<Bytes>, N>;
  static constexpr std::size_t size = N;

  lanes_type lanes;  ///< All bits of a lane are set, or none.

  mask() = default;
  TARTAN_INLINE_KERNEL explicit mask(lanes_type const& all_or_nothing) : lanes{all_or_nothing} {}
  TARTAN_INLINE_KERNEL mask(std::same_as<bool> auto value)
      : lanes{static_cast<impl::int_lane<Bytes>>(value ? -1 : 0)} {}

  template <std::size_t Other>
    requires(Other != Bytes)
  TARTAN_INLINE_KERNEL mask(mask<Other, N> const& other) : lanes{impl::convert<impl::int_lane<Bytes>>(other.lanes)} {}

  /// The first `count` lanes.
  TARTAN_INLINE_KERNEL static mask first(std::size_t count) {
    using T = impl::int_lane<Bytes>;
    static_assert(N <= 64, "tartan: a mask of the first lanes has at most 64 lanes");
    mask out;
    out.lanes =
        impl::by_register<lanes_type>([](auto const& i, auto const& n) TARTAN_INLINE_LAMBDA { return bits_of(i < n); },
                                      lanes_type::iota(), lanes_type{static_cast<T>(count < N ? count : N)});
    return out;
  }

  [[nodiscard]] TARTAN_INLINE_KERNEL bool operator[](std::size_t lane) const { return lanes[lane] != 0; }

  template <class B>
    requires std::same_as<B, bool>
  explicit operator B() const {
    static_assert(!std::same_as<B, bool>,
                  "tartan: a mask is not one truth value: write select(mask, a, b) instead of if, ?: and ||, or ask "
                  "any(mask) or all(mask)");
    return false;
  }

  TARTAN_INLINE_KERNEL friend mask operator&(mask const& a, mask const& b) {
    return join(a, b, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x & y; });
  }
  TARTAN_INLINE_KERNEL friend mask operator|(mask const& a, mask const& b) {
    return join(a, b, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x | y; });
  }
  TARTAN_INLINE_KERNEL friend mask operator^(mask const& a, mask const& b) {
    return join(a, b, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x ^ y; });
  }
  TARTAN_INLINE_KERNEL friend mask operator&&(mask const& a, mask const& b) { return a & b; }
  TARTAN_INLINE_KERNEL friend mask operator||(mask const& a, mask const& b) { return a | b; }
  TARTAN_INLINE_KERNEL friend mask operator==(mask const& a, mask const& b) { return !(a ^ b); }
  TARTAN_INLINE_KERNEL friend mask operator!=(mask const& a, mask const& b) { return a ^ b; }
  TARTAN_INLINE_KERNEL friend mask operator!(mask const& a) {
    return mask{impl::by_register<lanes_type>([](auto const& x) TARTAN_INLINE_LAMBDA { return ~x; }, a.lanes)};
  }

 private:
  template <class V>
  TARTAN_INLINE_KERNEL static typename lanes_type::vec bits_of(V const& compared) {
    return impl::bits<typename lanes_type::vec>(compared);
  }
  template <class F>
  TARTAN_INLINE_KERNEL static mask join(mask const& a, mask const& b, F&& f) {
    return mask{impl::by_register<lanes_type>(f, a.lanes, b.lanes)};
  }
};

namespace impl {

template <class M>
inline constexpr bool is_mask = false;
template <std::size_t Bytes, std::size_t N>
inline constexpr bool is_mask<mask<Bytes, N>> = true;

/// One bit a lane, of at most 64 lanes in one register.
template <std::size_t Bytes, std::size_t L>
TARTAN_INLINE_KERNEL std::uint64_t register_bits(vec<int_lane<Bytes>, L> const& m) {
  [[maybe_unused]] constexpr std::size_t total = Bytes * L;
#if TARTAN_REGISTER_BYTES == 64 && __has_builtin(__builtin_ia32_cvtd2mask512) &&                \
    __has_builtin(__builtin_ia32_cvtb2mask512) && __has_builtin(__builtin_ia32_cvtw2mask512) && \
    __has_builtin(__builtin_ia32_cvtq2mask512)
  if constexpr (total == 64) {
    if constexpr (Bytes == 1) return static_cast<std::uint64_t>(__builtin_ia32_cvtb2mask512(bits<vec<char, 64>>(m)));
    if constexpr (Bytes == 2) return static_cast<std::uint32_t>(__builtin_ia32_cvtw2mask512(bits<vec<short, 32>>(m)));
    if constexpr (Bytes == 4) return static_cast<std::uint16_t>(__builtin_ia32_cvtd2mask512(bits<vec<int, 16>>(m)));
    if constexpr (Bytes == 8) return static_cast<std::uint8_t>(__builtin_ia32_cvtq2mask512(bits<vec<long long, 8>>(m)));
  }
#endif
#if defined(__AVX2__) && __has_builtin(__builtin_ia32_movmskps256) && __has_builtin(__builtin_ia32_movmskpd256) && \
    __has_builtin(__builtin_ia32_pmovmskb256)
  if constexpr (total == 32 && Bytes == 4)
    return static_cast<unsigned>(__builtin_ia32_movmskps256(bits<vec<float, 8>>(m)));
  if constexpr (total == 32 && Bytes == 8)
    return static_cast<unsigned>(__builtin_ia32_movmskpd256(bits<vec<double, 4>>(m)));
  if constexpr (total == 32 && Bytes == 1)
    return static_cast<unsigned>(__builtin_ia32_pmovmskb256(bits<vec<char, 32>>(m)));
#endif
#if defined(__SSE2__) && __has_builtin(__builtin_ia32_movmskps) && __has_builtin(__builtin_ia32_movmskpd) && \
    __has_builtin(__builtin_ia32_pmovmskb128)
  if constexpr (total == 16 && Bytes == 4)
    return static_cast<unsigned>(__builtin_ia32_movmskps(bits<vec<float, 4>>(m)));
  if constexpr (total == 16 && Bytes == 8)
    return static_cast<unsigned>(__builtin_ia32_movmskpd(bits<vec<double, 2>>(m)));
  if constexpr (total == 16 && Bytes == 1)
    return static_cast<unsigned>(__builtin_ia32_pmovmskb128(bits<vec<char, 16>>(m)));
#endif
  std::uint64_t out = 0;
  for (std::size_t i = 0; i != L; ++i) out |= static_cast<std::uint64_t>(m[i] & 1) << i;
  return out;
}

/// Folds the registers of a mask into one, with `f` of two registers.
template <std::size_t Bytes, std::size_t N, class F>
TARTAN_INLINE_KERNEL auto fold_registers(mask<Bytes, N> const& m, F&& f) {
  auto all = m.lanes.part[0];
  for (std::size_t r = 1; r != m.lanes.registers; ++r) all = f(all, m.lanes.part[r]);
  return all;
}

}  // namespace impl

template <class M>
concept any_mask = impl::is_mask<M>;

/// Whether some lane is true.
template <std::size_t Bytes, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL bool any(mask<Bytes, N> const& m) {
  auto const one = impl::fold_registers(m, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x | y; });
  return impl::register_bits<Bytes, mask<Bytes, N>::lanes_type::register_lanes>(one) != 0;
}

/// Whether every lane is true.
template <std::size_t Bytes, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL bool all(mask<Bytes, N> const& m) {
  return !any(!m);
}

/// Whether no lane is true.
template <std::size_t Bytes, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL bool none(mask<Bytes, N> const& m) {
  return !any(m);
}

/// How many lanes are true.
template <std::size_t Bytes, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL std::size_t count(mask<Bytes, N> const& m) {
  std::size_t out = 0;
  for (std::size_t r = 0; r != m.lanes.registers; ++r)
    out += static_cast<std::size_t>(
        std::popcount(impl::register_bits<Bytes, mask<Bytes, N>::lanes_type::register_lanes>(m.lanes.part[r])));
  return out;
}

/// The lowest true lane, or N where none is.
template <std::size_t Bytes, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL std::size_t first_true(mask<Bytes, N> const& m) {
  constexpr std::size_t width = mask<Bytes, N>::lanes_type::register_lanes;
  for (std::size_t r = 0; r != m.lanes.registers; ++r)
    if (auto const found = impl::register_bits<Bytes, width>(m.lanes.part[r]); found != 0)
      return r * width + static_cast<std::size_t>(std::countr_zero(found));
  return N;
}

/// The highest true lane, or N where none is.
template <std::size_t Bytes, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL std::size_t last_true(mask<Bytes, N> const& m) {
  constexpr std::size_t width = mask<Bytes, N>::lanes_type::register_lanes;
  for (std::size_t r = m.lanes.registers; r-- != 0;)
    if (auto const found = impl::register_bits<Bytes, width>(m.lanes.part[r]); found != 0)
      return r * width + static_cast<std::size_t>(std::bit_width(found)) - 1;
  return N;
}

/// @{ The same questions of one truth value, so that a generic function can ask them.
[[nodiscard]] constexpr bool any(std::same_as<bool> auto b) { return b; }
[[nodiscard]] constexpr bool all(std::same_as<bool> auto b) { return b; }
[[nodiscard]] constexpr bool none(std::same_as<bool> auto b) { return !b; }
/// @}

}  // namespace tartan::inline TARTAN_ABI::lanes
