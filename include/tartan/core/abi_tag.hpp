#pragma once
// The names of the inline namespaces. TARTAN_ABI is spelled from everything that changes the code of an inline
// function: the linker keeps one copy of each, so that, were the names equal, a part of the program built with
// -mavx512f could lend its copy to a part that must run anywhere.
//
//   TARTAN_ABI         v<ABI version><architecture and level><two characters a feature beyond the level or a mode>
//                      v0x1 is plain x86-64, v0x3 is -march=x86-64-v3, v0x10t is plain x86-64 with ThreadSanitizer
//   TARTAN_SHARED_ABI  v<ABI version><two characters a mode that changes the layout of objects>
//                      for plain structures that parts with different flags use together: nothing in it may contain
//                      code worth lending
//   TARTAN_ERROR_ABI   the same and a mark where RTTI is off: for exceptions, which one part throws and another catches
//
// What has no macro cannot be told apart: -ffp-contract, UBSan under g++, and under clang the single options of
// -ffast-math except -ffinite-math-only. Functions of the standard library over standard types are lent as ever.

#include <version>  // _LIBCPP_VERSION, _GLIBCXX_DEBUG, _GLIBCXX_USE_CXX11_ABI: which standard library, in which mode

#include "tartan/version.hpp"  // TARTAN_ABI_VERSION

// Each feature gives a token or nothing, in plain conditionals: the name is expanded again at each use, so the work is
// done here. Tokens begin with a digit, because no macro of the user's can have such a name.
#define TARTAN_TAG_JOIN_(a, b, c, d, e, f, g, h) a##b##c##d##e##f##g##h
#define TARTAN_TAG_JOIN(a, b, c, d, e, f, g, h) TARTAN_TAG_JOIN_(a, b, c, d, e, f, g, h)

// --- Instruction sets ---------------------------------------------------------------------------------------------

#if defined(__x86_64__)

// A level of the psABI stands for its features, so that the common names are short.
#if !defined(__SSE3__) || !defined(__SSSE3__) || !defined(__SSE4_1__) || !defined(__SSE4_2__) || \
    !defined(__POPCNT__) || !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16)
#define TARTAN_TAG_LEVEL 1
#elif !defined(__AVX__) || !defined(__AVX2__) || !defined(__BMI__) || !defined(__BMI2__) || !defined(__F16C__) || \
    !defined(__FMA__) || !defined(__LZCNT__) || !defined(__MOVBE__)
#define TARTAN_TAG_LEVEL 2
#elif !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512CD__) || !defined(__AVX512DQ__) || \
    !defined(__AVX512VL__)
#define TARTAN_TAG_LEVEL 3
#else
#define TARTAN_TAG_LEVEL 4
#endif

#if TARTAN_TAG_LEVEL < 2 && defined(__SSE3__)
#define TARTAN_TAG_1a 1a
#else
#define TARTAN_TAG_1a
#endif
#if TARTAN_TAG_LEVEL < 2 && defined(__SSSE3__)
#define TARTAN_TAG_1b 1b
#else
#define TARTAN_TAG_1b
#endif
#if TARTAN_TAG_LEVEL < 2 && defined(__SSE4_1__)
#define TARTAN_TAG_1c 1c
#else
#define TARTAN_TAG_1c
#endif
#if TARTAN_TAG_LEVEL < 2 && defined(__SSE4_2__)
#define TARTAN_TAG_1d 1d
#else
#define TARTAN_TAG_1d
#endif
#if TARTAN_TAG_LEVEL < 2 && defined(__POPCNT__)
#define TARTAN_TAG_1p 1p
#else
#define TARTAN_TAG_1p
#endif
#if TARTAN_TAG_LEVEL < 2 && defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16)
#define TARTAN_TAG_1x 1x
#else
#define TARTAN_TAG_1x
#endif
#if defined(__SSE4A__)
#define TARTAN_TAG_1e 1e
#else
#define TARTAN_TAG_1e
#endif
#if defined(__SHA__)
#define TARTAN_TAG_1s 1s
#else
#define TARTAN_TAG_1s
#endif
#define TARTAN_TAG_SSE                                                                                      \
  TARTAN_TAG_JOIN(TARTAN_TAG_1a, TARTAN_TAG_1b, TARTAN_TAG_1c, TARTAN_TAG_1d, TARTAN_TAG_1p, TARTAN_TAG_1x, \
                  TARTAN_TAG_1e, TARTAN_TAG_1s)

#if TARTAN_TAG_LEVEL < 3 && defined(__AVX__)
#define TARTAN_TAG_2a 2a
#else
#define TARTAN_TAG_2a
#endif
#if TARTAN_TAG_LEVEL < 3 && defined(__AVX2__)
#define TARTAN_TAG_2b 2b
#else
#define TARTAN_TAG_2b
#endif
#if TARTAN_TAG_LEVEL < 3 && defined(__BMI__)
#define TARTAN_TAG_2c 2c
#else
#define TARTAN_TAG_2c
#endif
#if TARTAN_TAG_LEVEL < 3 && defined(__BMI2__)
#define TARTAN_TAG_2d 2d
#else
#define TARTAN_TAG_2d
#endif
#if TARTAN_TAG_LEVEL < 3 && defined(__F16C__)
#define TARTAN_TAG_2h 2h
#else
#define TARTAN_TAG_2h
#endif
#if TARTAN_TAG_LEVEL < 3 && defined(__FMA__)
#define TARTAN_TAG_2f 2f
#else
#define TARTAN_TAG_2f
#endif
#if TARTAN_TAG_LEVEL < 3 && defined(__LZCNT__)
#define TARTAN_TAG_2l 2l
#else
#define TARTAN_TAG_2l
#endif
#if TARTAN_TAG_LEVEL < 3 && defined(__MOVBE__)
#define TARTAN_TAG_2m 2m
#else
#define TARTAN_TAG_2m
#endif
#define TARTAN_TAG_AVX                                                                                      \
  TARTAN_TAG_JOIN(TARTAN_TAG_2a, TARTAN_TAG_2b, TARTAN_TAG_2c, TARTAN_TAG_2d, TARTAN_TAG_2h, TARTAN_TAG_2f, \
                  TARTAN_TAG_2l, TARTAN_TAG_2m)

// The last is AVX-512 without its 512-bit registers.
#if TARTAN_TAG_LEVEL < 4 && defined(__AVX512F__)
#define TARTAN_TAG_4f 4f
#else
#define TARTAN_TAG_4f
#endif
#if TARTAN_TAG_LEVEL < 4 && defined(__AVX512BW__)
#define TARTAN_TAG_4b 4b
#else
#define TARTAN_TAG_4b
#endif
#if TARTAN_TAG_LEVEL < 4 && defined(__AVX512CD__)
#define TARTAN_TAG_4c 4c
#else
#define TARTAN_TAG_4c
#endif
#if TARTAN_TAG_LEVEL < 4 && defined(__AVX512DQ__)
#define TARTAN_TAG_4d 4d
#else
#define TARTAN_TAG_4d
#endif
#if TARTAN_TAG_LEVEL < 4 && defined(__AVX512VL__)
#define TARTAN_TAG_4l 4l
#else
#define TARTAN_TAG_4l
#endif
#if defined(__AVX512ER__)
#define TARTAN_TAG_4e 4e
#else
#define TARTAN_TAG_4e
#endif
#if defined(__AVX512PF__)
#define TARTAN_TAG_4p 4p
#else
#define TARTAN_TAG_4p
#endif
#if defined(__EVEX256__) && !defined(__EVEX512__)
#define TARTAN_TAG_4y 4y
#else
#define TARTAN_TAG_4y
#endif
#define TARTAN_TAG_AVX512                                                                                   \
  TARTAN_TAG_JOIN(TARTAN_TAG_4f, TARTAN_TAG_4b, TARTAN_TAG_4c, TARTAN_TAG_4d, TARTAN_TAG_4l, TARTAN_TAG_4e, \
                  TARTAN_TAG_4p, TARTAN_TAG_4y)

#if defined(__AVX512VBMI__)
#define TARTAN_TAG_5a 5a
#else
#define TARTAN_TAG_5a
#endif
#if defined(__AVX512VBMI2__)
#define TARTAN_TAG_5b 5b
#else
#define TARTAN_TAG_5b
#endif
#if defined(__AVX512VNNI__)
#define TARTAN_TAG_5n 5n
#else
#define TARTAN_TAG_5n
#endif
#if defined(__AVX512BITALG__)
#define TARTAN_TAG_5g 5g
#else
#define TARTAN_TAG_5g
#endif
#if defined(__AVX512VPOPCNTDQ__)
#define TARTAN_TAG_5p 5p
#else
#define TARTAN_TAG_5p
#endif
#if defined(__AVX512IFMA__)
#define TARTAN_TAG_5i 5i
#else
#define TARTAN_TAG_5i
#endif
#if defined(__AVX512BF16__)
#define TARTAN_TAG_5f 5f
#else
#define TARTAN_TAG_5f
#endif
#if defined(__AVX512FP16__)
#define TARTAN_TAG_5h 5h
#else
#define TARTAN_TAG_5h
#endif
#define TARTAN_TAG_AVX512_LATER                                                                             \
  TARTAN_TAG_JOIN(TARTAN_TAG_5a, TARTAN_TAG_5b, TARTAN_TAG_5n, TARTAN_TAG_5g, TARTAN_TAG_5p, TARTAN_TAG_5i, \
                  TARTAN_TAG_5f, TARTAN_TAG_5h)

#if defined(__AVXVNNI__)
#define TARTAN_TAG_6n 6n
#else
#define TARTAN_TAG_6n
#endif
#if defined(__AVXVNNIINT8__)
#define TARTAN_TAG_6b 6b
#else
#define TARTAN_TAG_6b
#endif
#if defined(__AVXVNNIINT16__)
#define TARTAN_TAG_6w 6w
#else
#define TARTAN_TAG_6w
#endif
#if defined(__AVXIFMA__)
#define TARTAN_TAG_6i 6i
#else
#define TARTAN_TAG_6i
#endif
#if defined(__AVXNECONVERT__)
#define TARTAN_TAG_6c 6c
#else
#define TARTAN_TAG_6c
#endif
#if defined(__AVX10_1__)
#define TARTAN_TAG_6x 6x
#else
#define TARTAN_TAG_6x
#endif
#if defined(__AVX10_2__)
#define TARTAN_TAG_6y 6y
#else
#define TARTAN_TAG_6y
#endif
#if defined(__APX_F__)
#define TARTAN_TAG_6a 6a
#else
#define TARTAN_TAG_6a
#endif
#define TARTAN_TAG_AVX_LATER                                                                                \
  TARTAN_TAG_JOIN(TARTAN_TAG_6n, TARTAN_TAG_6b, TARTAN_TAG_6w, TARTAN_TAG_6i, TARTAN_TAG_6c, TARTAN_TAG_6x, \
                  TARTAN_TAG_6y, TARTAN_TAG_6a)

#if defined(__GFNI__)
#define TARTAN_TAG_7g 7g
#else
#define TARTAN_TAG_7g
#endif
#if defined(__AES__)
#define TARTAN_TAG_7a 7a
#else
#define TARTAN_TAG_7a
#endif
#if defined(__VAES__)
#define TARTAN_TAG_7v 7v
#else
#define TARTAN_TAG_7v
#endif
#if defined(__PCLMUL__)
#define TARTAN_TAG_7p 7p
#else
#define TARTAN_TAG_7p
#endif
#if defined(__VPCLMULQDQ__)
#define TARTAN_TAG_7q 7q
#else
#define TARTAN_TAG_7q
#endif
#if defined(__FMA4__)
#define TARTAN_TAG_7f 7f
#else
#define TARTAN_TAG_7f
#endif
#if defined(__XOP__)
#define TARTAN_TAG_7x 7x
#else
#define TARTAN_TAG_7x
#endif
#if defined(__TBM__)
#define TARTAN_TAG_7t 7t
#else
#define TARTAN_TAG_7t
#endif
#define TARTAN_TAG_OTHERS                                                                                   \
  TARTAN_TAG_JOIN(TARTAN_TAG_7g, TARTAN_TAG_7a, TARTAN_TAG_7v, TARTAN_TAG_7p, TARTAN_TAG_7q, TARTAN_TAG_7f, \
                  TARTAN_TAG_7x, TARTAN_TAG_7t)

#define TARTAN_TAG_FEATURES                                                                                     \
  TARTAN_TAG_JOIN(TARTAN_TAG_LEVEL, TARTAN_TAG_SSE, TARTAN_TAG_AVX, TARTAN_TAG_AVX512, TARTAN_TAG_AVX512_LATER, \
                  TARTAN_TAG_AVX_LATER, TARTAN_TAG_OTHERS, )
#define TARTAN_TAG_NAME_(version, features, modes) v##version##x##features##modes

#elif defined(__aarch64__)

#if defined(__ARM_FEATURE_ATOMICS)
#define TARTAN_TAG_1a 1a
#else
#define TARTAN_TAG_1a
#endif
#if defined(__ARM_FEATURE_DOTPROD)
#define TARTAN_TAG_1d 1d
#else
#define TARTAN_TAG_1d
#endif
#if defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
#define TARTAN_TAG_1h 1h
#else
#define TARTAN_TAG_1h
#endif
#if defined(__ARM_FEATURE_FP16_FML)
#define TARTAN_TAG_1f 1f
#else
#define TARTAN_TAG_1f
#endif
#if defined(__ARM_FEATURE_BF16)
#define TARTAN_TAG_1b 1b
#else
#define TARTAN_TAG_1b
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
#define TARTAN_TAG_1i 1i
#else
#define TARTAN_TAG_1i
#endif
#if defined(__ARM_FEATURE_QRDMX)
#define TARTAN_TAG_1q 1q
#else
#define TARTAN_TAG_1q
#endif
#if defined(__ARM_FEATURE_COMPLEX)
#define TARTAN_TAG_1c 1c
#else
#define TARTAN_TAG_1c
#endif
#define TARTAN_TAG_NEON                                                                                     \
  TARTAN_TAG_JOIN(TARTAN_TAG_1a, TARTAN_TAG_1d, TARTAN_TAG_1h, TARTAN_TAG_1f, TARTAN_TAG_1b, TARTAN_TAG_1i, \
                  TARTAN_TAG_1q, TARTAN_TAG_1c)

// The width of a vector register is part of the code only where -msve-vector-bits fixes it.
#if defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS != 0
#define TARTAN_TAG_SVE_FIXED_(bits) 2s##bits
#define TARTAN_TAG_SVE_FIXED(bits) TARTAN_TAG_SVE_FIXED_(bits)
#define TARTAN_TAG_2s TARTAN_TAG_SVE_FIXED(__ARM_FEATURE_SVE_BITS)
#else
#define TARTAN_TAG_2s
#endif
#if defined(__ARM_FEATURE_SVE)
#define TARTAN_TAG_2a 2a
#else
#define TARTAN_TAG_2a
#endif
#if defined(__ARM_FEATURE_SVE2)
#define TARTAN_TAG_2b 2b
#else
#define TARTAN_TAG_2b
#endif
#if defined(__ARM_FEATURE_SVE_BF16)
#define TARTAN_TAG_2f 2f
#else
#define TARTAN_TAG_2f
#endif
#if defined(__ARM_FEATURE_SVE_MATMUL_INT8)
#define TARTAN_TAG_2i 2i
#else
#define TARTAN_TAG_2i
#endif
#if defined(__ARM_FEATURE_SVE2_BITPERM)
#define TARTAN_TAG_2p 2p
#else
#define TARTAN_TAG_2p
#endif
#if defined(__ARM_FEATURE_SME)
#define TARTAN_TAG_2m 2m
#else
#define TARTAN_TAG_2m
#endif
#if defined(__ARM_FEATURE_SME2)
#define TARTAN_TAG_2n 2n
#else
#define TARTAN_TAG_2n
#endif
#define TARTAN_TAG_SVE                                                                                      \
  TARTAN_TAG_JOIN(TARTAN_TAG_2a, TARTAN_TAG_2b, TARTAN_TAG_2f, TARTAN_TAG_2i, TARTAN_TAG_2p, TARTAN_TAG_2m, \
                  TARTAN_TAG_2n, TARTAN_TAG_2s)

#if defined(__ARM_FEATURE_CRC32)
#define TARTAN_TAG_3c 3c
#else
#define TARTAN_TAG_3c
#endif
#if defined(__ARM_FEATURE_AES)
#define TARTAN_TAG_3a 3a
#else
#define TARTAN_TAG_3a
#endif
#if defined(__ARM_FEATURE_SHA3)
#define TARTAN_TAG_3s 3s
#else
#define TARTAN_TAG_3s
#endif
#if defined(__ARM_FEATURE_RCPC)
#define TARTAN_TAG_3r 3r
#else
#define TARTAN_TAG_3r
#endif
#if defined(__ARM_FEATURE_FRINT)
#define TARTAN_TAG_3f 3f
#else
#define TARTAN_TAG_3f
#endif
#if defined(__ARM_FEATURE_JCVT)
#define TARTAN_TAG_3j 3j
#else
#define TARTAN_TAG_3j
#endif
#if defined(__ARM_FEATURE_MOPS)
#define TARTAN_TAG_3m 3m
#else
#define TARTAN_TAG_3m
#endif
#define TARTAN_TAG_OTHERS                                                                                   \
  TARTAN_TAG_JOIN(TARTAN_TAG_3c, TARTAN_TAG_3a, TARTAN_TAG_3s, TARTAN_TAG_3r, TARTAN_TAG_3f, TARTAN_TAG_3j, \
                  TARTAN_TAG_3m, )

#define TARTAN_TAG_FEATURES TARTAN_TAG_JOIN(__ARM_ARCH, TARTAN_TAG_NEON, TARTAN_TAG_SVE, TARTAN_TAG_OTHERS, , , , )
#define TARTAN_TAG_NAME_(version, features, modes) v##version##a##features##modes

#else

#define TARTAN_TAG_FEATURES
#define TARTAN_TAG_NAME_(version, features, modes) v##version##g##modes

#endif

// --- Modes --------------------------------------------------------------------------------------------------------

#if defined(__has_feature)
#define TARTAN_TAG_HAS_FEATURE(name) __has_feature(name)
#else
#define TARTAN_TAG_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || TARTAN_TAG_HAS_FEATURE(thread_sanitizer)
#define TARTAN_TSAN 1
#else
#define TARTAN_TSAN 0
#endif
#if defined(__SANITIZE_ADDRESS__) || TARTAN_TAG_HAS_FEATURE(address_sanitizer)
#define TARTAN_ASAN 1
#else
#define TARTAN_ASAN 0
#endif

// Modes that change the layout of objects. ThreadSanitizer is among them: code for it may keep to another protocol on
// the same words.
#if defined(_LIBCPP_VERSION)
#define TARTAN_TAG_0l 0l
#else
#define TARTAN_TAG_0l
#endif
#if defined(_GLIBCXX_DEBUG)
#define TARTAN_TAG_0d 0d
#else
#define TARTAN_TAG_0d
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI == 0
#define TARTAN_TAG_0o 0o
#else
#define TARTAN_TAG_0o
#endif
#if TARTAN_TSAN
#define TARTAN_TAG_0t 0t
#else
#define TARTAN_TAG_0t
#endif
#define TARTAN_TAG_LAYOUT_MODES TARTAN_TAG_JOIN(TARTAN_TAG_0l, TARTAN_TAG_0d, TARTAN_TAG_0o, TARTAN_TAG_0t, , , , )

// Modes that change code only.
#if !defined(__cpp_exceptions)
#define TARTAN_TAG_0e 0e
#else
#define TARTAN_TAG_0e
#endif
#if !defined(__cpp_rtti)
#define TARTAN_TAG_0r 0r
#else
#define TARTAN_TAG_0r
#endif
#if TARTAN_ASAN
#define TARTAN_TAG_0a 0a
#else
#define TARTAN_TAG_0a
#endif
#if defined(__SANITIZE_HWADDRESS__) || TARTAN_TAG_HAS_FEATURE(hwaddress_sanitizer)
#define TARTAN_TAG_0h 0h
#else
#define TARTAN_TAG_0h
#endif
#if TARTAN_TAG_HAS_FEATURE(memory_sanitizer)
#define TARTAN_TAG_0m 0m
#else
#define TARTAN_TAG_0m
#endif
#if TARTAN_TAG_HAS_FEATURE(undefined_behavior_sanitizer)
#define TARTAN_TAG_0u 0u
#else
#define TARTAN_TAG_0u
#endif
#define TARTAN_TAG_CODE_MODES \
  TARTAN_TAG_JOIN(TARTAN_TAG_0e, TARTAN_TAG_0r, TARTAN_TAG_0a, TARTAN_TAG_0h, TARTAN_TAG_0m, TARTAN_TAG_0u, , )

// -ffast-math and what of it has a macro: an answer must not depend on which part of the program was linked first.
#if defined(__FAST_MATH__)
#define TARTAN_TAG_8f 8f
#else
#define TARTAN_TAG_8f
#endif
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0
#define TARTAN_TAG_8n 8n
#else
#define TARTAN_TAG_8n
#endif
#if defined(__ASSOCIATIVE_MATH__)
#define TARTAN_TAG_8a 8a
#else
#define TARTAN_TAG_8a
#endif
#if defined(__RECIPROCAL_MATH__)
#define TARTAN_TAG_8r 8r
#else
#define TARTAN_TAG_8r
#endif
#if defined(__NO_SIGNED_ZEROS__)
#define TARTAN_TAG_8z 8z
#else
#define TARTAN_TAG_8z
#endif
#if defined(__ROUNDING_MATH__)
#define TARTAN_TAG_8d 8d
#else
#define TARTAN_TAG_8d
#endif
#define TARTAN_TAG_MATH_MODES \
  TARTAN_TAG_JOIN(TARTAN_TAG_8f, TARTAN_TAG_8n, TARTAN_TAG_8a, TARTAN_TAG_8r, TARTAN_TAG_8z, TARTAN_TAG_8d, , )

// --- The names ----------------------------------------------------------------------------------------------------

#define TARTAN_TAG_SHARED_NAME_(version, modes) v##version##modes
#define TARTAN_TAG_SHARED_NAME(version, modes) TARTAN_TAG_SHARED_NAME_(version, modes)
#define TARTAN_TAG_NAME(version, features, modes) TARTAN_TAG_NAME_(version, features, modes)
#define TARTAN_TAG_MODES \
  TARTAN_TAG_JOIN(TARTAN_TAG_LAYOUT_MODES, TARTAN_TAG_CODE_MODES, TARTAN_TAG_MATH_MODES, , , , , )

#define TARTAN_SHARED_ABI TARTAN_TAG_SHARED_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_LAYOUT_MODES)
#define TARTAN_ERROR_ABI \
  TARTAN_TAG_SHARED_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_JOIN(TARTAN_TAG_LAYOUT_MODES, TARTAN_TAG_0r, , , , , , ))
#define TARTAN_ABI TARTAN_TAG_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_FEATURES, TARTAN_TAG_MODES)
