#pragma once
// What the target of this translation unit offers to vector code.

#include <cstddef>  // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define TARTAN_REGISTER_BYTES 64
#elif defined(__AVX2__)
#define TARTAN_REGISTER_BYTES 32
#else
#define TARTAN_REGISTER_BYTES 16
#endif

#if defined(__FMA__) || defined(__aarch64__)
#define TARTAN_FUSED_MULTIPLY_ADD 1
#else
#define TARTAN_FUSED_MULTIPLY_ADD 0
#endif

/// clang contracts a multiplication and an addition into one fused operation only within one expression, so the
/// operators of a pack would never be contracted; this restores what g++ does by default. Define
/// TARTAN_NO_CONTRACT where the program is built with -ffp-contract=off.
#if defined(__clang__) && !defined(TARTAN_NO_CONTRACT)
#define TARTAN_CONTRACT _Pragma("clang fp contract(fast)")
#else
#define TARTAN_CONTRACT
#endif

/// Stands before a loop whose body is as long as the target likes: clang unrolls it some more times, and the rounds
/// that are left over then cost short calls a tenth of their time.
#if defined(__clang__)
#define TARTAN_NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define TARTAN_NO_UNROLL
#endif

/// A kernel takes in all that it calls, the user's function first: a pack that is passed to a function goes through
/// memory, and g++ stops inlining a function of some length that is called from several places.
#if TARTAN_CHECKED
#define TARTAN_FLATTEN
#else
#define TARTAN_FLATTEN [[gnu::flatten]]
#endif

/// The lambda form of TARTAN_INLINE_KERNEL: stands after the parameter list.
#if TARTAN_CHECKED
#define TARTAN_INLINE_LAMBDA
#else
#define TARTAN_INLINE_LAMBDA __attribute__((always_inline))
#endif

namespace tartan::inline TARTAN_ABI::lanes {

/// Bytes of the widest vector register that the target has.
inline constexpr std::size_t register_bytes = TARTAN_REGISTER_BYTES;

/// Whether a * b + c in one rounding is one instruction.
inline constexpr bool has_fused_multiply_add = TARTAN_FUSED_MULTIPLY_ADD == 1;

}  // namespace tartan::inline TARTAN_ABI::lanes
