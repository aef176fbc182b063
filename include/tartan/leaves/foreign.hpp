#pragma once
// Functions written for the packs of other libraries.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <type_traits>  // is_arithmetic_v, remove_cvref_t
#include <utility>      // move

#include "tartan/core/config.hpp"     // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/leaves/convert.hpp"  // convert
#include "tartan/leaves/pack.hpp"     // pack, any_pack
#include "tartan/leaves/vector.hpp"   // lane_type

namespace tartan::inline TARTAN_ABI::lanes {

/// What a pack type of another library must tell of itself: specialise it with `value_type`, `size` (a power of two),
/// `load(value_type const*)` and `store(P const&, value_type*)`, neither of which may ask for alignment.
///
///     template <> struct tartan::lanes::pack_traits<xsimd::batch<float>> {
///       using value_type = float;  static constexpr std::size_t size = xsimd::batch<float>::size;
///       static auto load(float const* from) { return xsimd::batch<float>::load_unaligned(from); }
///       static void store(xsimd::batch<float> const& p, float* to) { p.store_unaligned(to); } };
template <class P>
struct pack_traits;

/// A pack type of another library that has been made known.
template <class P>
concept foreign_pack = requires(P const& p, typename pack_traits<P>::value_type* place) {
  requires lane_type<typename pack_traits<P>::value_type>;
  requires pack_traits<P>::size != 0 && (pack_traits<P>::size & (pack_traits<P>::size - 1)) == 0;
  { pack_traits<P>::load(place) } -> std::same_as<P>;
  pack_traits<P>::store(p, place);
};

/// A function of P, callable with numbers and with packs of any length; see with_packs_of.
template <foreign_pack P, class F>
class foreign_function {
  using in = pack_traits<P>;
  using argument = typename in::value_type;

 public:
  explicit foreign_function(F f) : f_(std::move(f)) {}

  /// In pieces of P's size. The last one repeats its first lane where it has too few.
  template <lane_type T, std::size_t N>
  [[nodiscard]] TARTAN_INLINE_KERNEL auto operator()(pack<T, N> const& x) const {
    constexpr std::size_t step = in::size, lanes = N < step ? step : N;
    argument from[lanes];
    impl::convert<argument>(x).store(from);
    for (std::size_t i = N; i < lanes; ++i) from[i] = from[0];
    using result = std::remove_cvref_t<decltype(f_(in::load(from)))>;
    static_assert(
        same_size<result>,
        "tartan: a function for the packs of another library must return such a pack, of as many lanes, whose "
        "type has tartan::lanes::pack_traits too");
    if constexpr (same_size<result>) {
      using out = pack_traits<result>;
      typename out::value_type to[lanes];
      for (std::size_t i = 0; i != lanes; i += step) out::store(f_(in::load(from + i)), to + i);
      return pack<typename out::value_type, N>::load(to);
    } else {
      return x;  // one sentence is enough
    }
  }

  /// In the first lane of a P: the bits are those of a pack's lane.
  template <class T>
    requires std::is_arithmetic_v<T>
  [[nodiscard]] auto operator()(T x) const {
    return (*this)(pack<argument, 1>{static_cast<argument>(x)})[0];
  }

 private:
  template <class R>
  static constexpr bool same_size = [] {
    if constexpr (foreign_pack<R>)
      return pack_traits<R>::size == in::size;
    else
      return false;
  }();

  F f_;
};

/// Lets map, map_reduce and their like call a function that is written for the packs of another library, under every
/// policy.
///
///     using batch = xsimd::batch<float>;                     // pack_traits<batch> says how it is loaded and stored
///     tartan::map_into(tartan::simd, v, out, tartan::lanes::with_packs_of<batch>([](batch x) { return xsimd::exp(x);
///     }));
template <foreign_pack P, class F>
[[nodiscard]] auto with_packs_of(F f) {
  return foreign_function<P, F>(std::move(f));
}

}  // namespace tartan::inline TARTAN_ABI::lanes
