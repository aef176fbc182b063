#pragma once
// The names of the two inline namespaces. TARTAN_ABI is spelled from everything that changes the code of an inline
// function: the linker keeps one copy of each, so that, were the names equal, a part of the program built with
// -mavx512f could lend its copy to a part that must run anywhere.
//
//   TARTAN_ABI         v<ABI version><architecture and level><two characters a feature beyond the level or a mode>
//                      v0x1 is plain x86-64, v0x3 is -march=x86-64-v3, v0x10t is plain x86-64 with ThreadSanitizer
//   TARTAN_SHARED_ABI  v<ABI version><two characters a mode that changes the layout of objects>
//                      for plain structures and exception types, which parts with different flags hand to each other:
//                      nothing in it may contain code worth lending
//
// What has no macro cannot be told apart: -ffp-contract, UBSan under g++, and under clang the single options of
// -ffast-math except -ffinite-math-only. Functions of the standard library over standard types are lent as ever.

#include <version>  // _LIBCPP_VERSION, _GLIBCXX_DEBUG, _GLIBCXX_USE_CXX11_ABI: which standard library, in which mode

#include "tartan/version.hpp"  // TARTAN_ABI_VERSION

// TARTAN_TAG_IF(feature, token) is `token` where the macro `feature` is defined as 1, else nothing; tokens begin with
// a digit, because no macro of the user's can have such a name.
#define TARTAN_TAG_SECOND_(first, second, ...) second
#define TARTAN_TAG_SECOND(...) TARTAN_TAG_SECOND_(__VA_ARGS__)
#define TARTAN_TAG_YES_1 ~,
#define TARTAN_TAG_IF_(value, token) TARTAN_TAG_SECOND(TARTAN_TAG_YES_##value token, , ~)
#define TARTAN_TAG_IF(feature, token) TARTAN_TAG_IF_(feature, token)
#define TARTAN_TAG_NOTHING(feature, token)
#define TARTAN_TAG_JOIN_(a, b, c, d, e, f, g, h) a##b##c##d##e##f##g##h
#define TARTAN_TAG_JOIN(a, b, c, d, e, f, g, h) TARTAN_TAG_JOIN_(a, b, c, d, e, f, g, h)

// --- Instruction sets ---------------------------------------------------------------------------------------------

#if defined(__x86_64__)

// A level of the psABI stands for its features, so that the common names are short.
#if defined(__SSE3__) && defined(__SSSE3__) && defined(__SSE4_1__) && defined(__SSE4_2__) && defined(__POPCNT__) && \
    defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16)
#define TARTAN_TAG_BELOW_2 TARTAN_TAG_NOTHING
#if defined(__AVX__) && defined(__AVX2__) && defined(__BMI__) && defined(__BMI2__) && defined(__F16C__) && \
    defined(__FMA__) && defined(__LZCNT__) && defined(__MOVBE__)
#define TARTAN_TAG_BELOW_3 TARTAN_TAG_NOTHING
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__)
#define TARTAN_TAG_BELOW_4 TARTAN_TAG_NOTHING
#define TARTAN_TAG_LEVEL 4
#else
#define TARTAN_TAG_LEVEL 3
#endif
#else
#define TARTAN_TAG_LEVEL 2
#endif
#else
#define TARTAN_TAG_LEVEL 1
#endif

#ifndef TARTAN_TAG_BELOW_2
#define TARTAN_TAG_BELOW_2 TARTAN_TAG_IF
#endif
#ifndef TARTAN_TAG_BELOW_3
#define TARTAN_TAG_BELOW_3 TARTAN_TAG_IF
#endif
#ifndef TARTAN_TAG_BELOW_4
#define TARTAN_TAG_BELOW_4 TARTAN_TAG_IF
#endif

// AVX-512 without its 512-bit registers.
#if defined(__EVEX256__) && !defined(__EVEX512__)
#define TARTAN_TAG_EVEX256 1
#endif

#define TARTAN_TAG_SSE                                                                                             \
  TARTAN_TAG_JOIN(TARTAN_TAG_BELOW_2(__SSE3__, 1a), TARTAN_TAG_BELOW_2(__SSSE3__, 1b),                             \
                  TARTAN_TAG_BELOW_2(__SSE4_1__, 1c), TARTAN_TAG_BELOW_2(__SSE4_2__, 1d),                          \
                  TARTAN_TAG_BELOW_2(__POPCNT__, 1p), TARTAN_TAG_BELOW_2(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16, 1x), \
                  TARTAN_TAG_IF(__SSE4A__, 1e), TARTAN_TAG_IF(__SHA__, 1s))
#define TARTAN_TAG_AVX                                                                                                 \
  TARTAN_TAG_JOIN(TARTAN_TAG_BELOW_3(__AVX__, 2a), TARTAN_TAG_BELOW_3(__AVX2__, 2b), TARTAN_TAG_BELOW_3(__BMI__, 2c),  \
                  TARTAN_TAG_BELOW_3(__BMI2__, 2d), TARTAN_TAG_BELOW_3(__F16C__, 2h), TARTAN_TAG_BELOW_3(__FMA__, 2f), \
                  TARTAN_TAG_BELOW_3(__LZCNT__, 2l), TARTAN_TAG_BELOW_3(__MOVBE__, 2m))
#define TARTAN_TAG_AVX512                                                                     \
  TARTAN_TAG_JOIN(TARTAN_TAG_BELOW_4(__AVX512F__, 4f), TARTAN_TAG_BELOW_4(__AVX512BW__, 4b),  \
                  TARTAN_TAG_BELOW_4(__AVX512CD__, 4c), TARTAN_TAG_BELOW_4(__AVX512DQ__, 4d), \
                  TARTAN_TAG_BELOW_4(__AVX512VL__, 4l), TARTAN_TAG_IF(__AVX512ER__, 4e),      \
                  TARTAN_TAG_IF(__AVX512PF__, 4p), TARTAN_TAG_IF(TARTAN_TAG_EVEX256, 4y))
#define TARTAN_TAG_AVX512_LATER                                                              \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(__AVX512VBMI__, 5a), TARTAN_TAG_IF(__AVX512VBMI2__, 5b),     \
                  TARTAN_TAG_IF(__AVX512VNNI__, 5n), TARTAN_TAG_IF(__AVX512BITALG__, 5g),    \
                  TARTAN_TAG_IF(__AVX512VPOPCNTDQ__, 5p), TARTAN_TAG_IF(__AVX512IFMA__, 5i), \
                  TARTAN_TAG_IF(__AVX512BF16__, 5f), TARTAN_TAG_IF(__AVX512FP16__, 5h))
#define TARTAN_TAG_AVX_LATER                                                                                           \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(__AVXVNNI__, 6n), TARTAN_TAG_IF(__AVXVNNIINT8__, 6b),                                  \
                  TARTAN_TAG_IF(__AVXVNNIINT16__, 6w), TARTAN_TAG_IF(__AVXIFMA__, 6i),                                 \
                  TARTAN_TAG_IF(__AVXNECONVERT__, 6c), TARTAN_TAG_IF(__AVX10_1__, 6x), TARTAN_TAG_IF(__AVX10_2__, 6y), \
                  TARTAN_TAG_IF(__APX_F__, 6a))
#define TARTAN_TAG_OTHERS                                                                                        \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(__GFNI__, 7g), TARTAN_TAG_IF(__AES__, 7a), TARTAN_TAG_IF(__VAES__, 7v),          \
                  TARTAN_TAG_IF(__PCLMUL__, 7p), TARTAN_TAG_IF(__VPCLMULQDQ__, 7q), TARTAN_TAG_IF(__FMA4__, 7f), \
                  TARTAN_TAG_IF(__XOP__, 7x), TARTAN_TAG_IF(__TBM__, 7t))

#define TARTAN_TAG_FEATURES                                                                                     \
  TARTAN_TAG_JOIN(TARTAN_TAG_LEVEL, TARTAN_TAG_SSE, TARTAN_TAG_AVX, TARTAN_TAG_AVX512, TARTAN_TAG_AVX512_LATER, \
                  TARTAN_TAG_AVX_LATER, TARTAN_TAG_OTHERS, )
#define TARTAN_TAG_NAME_(version, features, modes) v##version##x##features##modes

#elif defined(__aarch64__)

// The width of a vector register is part of the code only where -msve-vector-bits fixes it.
#if defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS != 0
#define TARTAN_TAG_SVE_FIXED_(bits) 2s##bits
#define TARTAN_TAG_SVE_FIXED(bits) TARTAN_TAG_SVE_FIXED_(bits)
#define TARTAN_TAG_SVE_BITS TARTAN_TAG_SVE_FIXED(__ARM_FEATURE_SVE_BITS)
#else
#define TARTAN_TAG_SVE_BITS
#endif

#define TARTAN_TAG_NEON                                                                                               \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(__ARM_FEATURE_ATOMICS, 1a), TARTAN_TAG_IF(__ARM_FEATURE_DOTPROD, 1d),                 \
                  TARTAN_TAG_IF(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC, 1h), TARTAN_TAG_IF(__ARM_FEATURE_FP16_FML, 1f), \
                  TARTAN_TAG_IF(__ARM_FEATURE_BF16, 1b), TARTAN_TAG_IF(__ARM_FEATURE_MATMUL_INT8, 1i),                \
                  TARTAN_TAG_IF(__ARM_FEATURE_QRDMX, 1q), TARTAN_TAG_IF(__ARM_FEATURE_COMPLEX, 1c))
#define TARTAN_TAG_SVE                                                                                         \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(__ARM_FEATURE_SVE, 2a), TARTAN_TAG_IF(__ARM_FEATURE_SVE2, 2b),                 \
                  TARTAN_TAG_IF(__ARM_FEATURE_SVE_BF16, 2f), TARTAN_TAG_IF(__ARM_FEATURE_SVE_MATMUL_INT8, 2i), \
                  TARTAN_TAG_IF(__ARM_FEATURE_SVE2_BITPERM, 2p), TARTAN_TAG_IF(__ARM_FEATURE_SME, 2m),         \
                  TARTAN_TAG_IF(__ARM_FEATURE_SME2, 2n), TARTAN_TAG_SVE_BITS)
#define TARTAN_TAG_OTHERS                                                                        \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(__ARM_FEATURE_CRC32, 3c), TARTAN_TAG_IF(__ARM_FEATURE_AES, 3a),  \
                  TARTAN_TAG_IF(__ARM_FEATURE_SHA3, 3s), TARTAN_TAG_IF(__ARM_FEATURE_RCPC, 3r),  \
                  TARTAN_TAG_IF(__ARM_FEATURE_FRINT, 3f), TARTAN_TAG_IF(__ARM_FEATURE_JCVT, 3j), \
                  TARTAN_TAG_IF(__ARM_FEATURE_MOPS, 3m), )
#define TARTAN_TAG_FEATURES TARTAN_TAG_JOIN(__ARM_ARCH, TARTAN_TAG_NEON, TARTAN_TAG_SVE, TARTAN_TAG_OTHERS, , , , )
#define TARTAN_TAG_NAME_(version, features, modes) v##version##a##features##modes

#else

#define TARTAN_TAG_FEATURES
#define TARTAN_TAG_NAME_(version, features, modes) v##version##g##modes

#endif

// --- Modes --------------------------------------------------------------------------------------------------------

#if !defined(__cpp_exceptions)
#define TARTAN_TAG_NO_EXCEPTIONS 1
#endif
#if !defined(__cpp_rtti)
#define TARTAN_TAG_NO_RTTI 1
#endif

#if defined(__has_feature)
#define TARTAN_TAG_HAS_FEATURE(name) __has_feature(name)
#else
#define TARTAN_TAG_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || TARTAN_TAG_HAS_FEATURE(thread_sanitizer)
#define TARTAN_TAG_TSAN 1
#endif
#if defined(__SANITIZE_ADDRESS__) || TARTAN_TAG_HAS_FEATURE(address_sanitizer)
#define TARTAN_TAG_ASAN 1
#endif
#if defined(__SANITIZE_HWADDRESS__) || TARTAN_TAG_HAS_FEATURE(hwaddress_sanitizer)
#define TARTAN_TAG_HWASAN 1
#endif
#if TARTAN_TAG_HAS_FEATURE(memory_sanitizer)
#define TARTAN_TAG_MSAN 1
#endif
#if TARTAN_TAG_HAS_FEATURE(undefined_behavior_sanitizer)
#define TARTAN_TAG_UBSAN 1
#endif

#if defined(_LIBCPP_VERSION)
#define TARTAN_TAG_LIBCXX 1
#endif
#if defined(_GLIBCXX_DEBUG)
#define TARTAN_TAG_DEBUG_CONTAINERS 1
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI == 0
#define TARTAN_TAG_OLD_STRING 1
#endif

// ThreadSanitizer is among the modes of layout: code for it may keep to another protocol on the same words.
#define TARTAN_TAG_LAYOUT_MODES                                                                         \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(TARTAN_TAG_LIBCXX, 0l), TARTAN_TAG_IF(TARTAN_TAG_DEBUG_CONTAINERS, 0d), \
                  TARTAN_TAG_IF(TARTAN_TAG_OLD_STRING, 0o), TARTAN_TAG_IF(TARTAN_TAG_TSAN, 0t), , , , )
#define TARTAN_TAG_CODE_MODES                                                                         \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(TARTAN_TAG_NO_EXCEPTIONS, 0e), TARTAN_TAG_IF(TARTAN_TAG_NO_RTTI, 0r), \
                  TARTAN_TAG_IF(TARTAN_TAG_ASAN, 0a), TARTAN_TAG_IF(TARTAN_TAG_HWASAN, 0h),           \
                  TARTAN_TAG_IF(TARTAN_TAG_MSAN, 0m), TARTAN_TAG_IF(TARTAN_TAG_UBSAN, 0u), TARTAN_TAG_FAST_MATH, )
// -ffast-math and the parts of it that have a macro: an answer must not depend on which part of the program was linked
// first.
#define TARTAN_TAG_FAST_MATH                                                                       \
  TARTAN_TAG_JOIN(TARTAN_TAG_IF(__FAST_MATH__, 8f), TARTAN_TAG_IF(__FINITE_MATH_ONLY__, 8n),       \
                  TARTAN_TAG_IF(__ASSOCIATIVE_MATH__, 8a), TARTAN_TAG_IF(__RECIPROCAL_MATH__, 8r), \
                  TARTAN_TAG_IF(__NO_SIGNED_ZEROS__, 8z), TARTAN_TAG_IF(__ROUNDING_MATH__, 8d), , )

// --- The names ----------------------------------------------------------------------------------------------------

#define TARTAN_TAG_SHARED_NAME_(version, modes) v##version##modes
#define TARTAN_TAG_SHARED_NAME(version, modes) TARTAN_TAG_SHARED_NAME_(version, modes)
#define TARTAN_TAG_NAME(version, features, modes) TARTAN_TAG_NAME_(version, features, modes)

#define TARTAN_SHARED_ABI TARTAN_TAG_SHARED_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_LAYOUT_MODES)
#define TARTAN_ABI                                         \
  TARTAN_TAG_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_FEATURES, \
                  TARTAN_TAG_JOIN(TARTAN_TAG_LAYOUT_MODES, TARTAN_TAG_CODE_MODES, , , , , , ))
