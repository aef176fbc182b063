#pragma once
// The customisation point through which the simd leaf sees packs, its own and other libraries'.

#include <concepts>  // same_as
#include <cstddef>   // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/leaves/pack.hpp"  // pack

namespace tartan::inline TARTAN_ABI {

/// What the simd leaf needs to know of a pack type P. Specialise it to bring packs of another library:
///
///     template <class T, class A> struct tartan::pack_traits<xsimd::batch<T, A>> {
///       using value_type = T;  static constexpr std::size_t size = xsimd::batch<T, A>::size;
///       static xsimd::batch<T, A> load(T const* p) { return xsimd::batch<T, A>::load_unaligned(p); }
///       static void store(T* p, xsimd::batch<T, A> const& x) { x.store_unaligned(p); } };
///
/// The names live here and not in free functions, which would collide with those of the other library.
template <class P>
struct pack_traits;

template <class T, std::size_t N>
struct pack_traits<lanes::pack<T, N>> {
  using value_type = T;
  static constexpr std::size_t size = N;
  TARTAN_ALWAYS_INLINE static lanes::pack<T, N> load(T const* from) { return lanes::pack<T, N>::load(from); }
  TARTAN_ALWAYS_INLINE static void store(T* to, lanes::pack<T, N> const& value) { value.store(to); }
  TARTAN_ALWAYS_INLINE static lanes::pack<T, N> load_first(T const* from, std::size_t count) {
    return lanes::pack<T, N>::load_first(from, count);
  }
  TARTAN_ALWAYS_INLINE static void store_first(T* to, lanes::pack<T, N> const& value, std::size_t count) {
    value.store_first(to, count);
  }
};

/// A type that pack_traits describes: it is loaded from and stored to `size` adjacent elements.
template <class P>
concept pack_like =
    requires(typename pack_traits<P>::value_type const* from, typename pack_traits<P>::value_type* to, P const& value) {
      { pack_traits<P>::load(from) } -> std::same_as<P>;
      pack_traits<P>::store(to, value);
      requires pack_traits<P>::size >= 1;
    };

}  // namespace tartan::inline TARTAN_ABI
