#pragma once
// What the name says of the instruction set, on 64-bit ARM.

#include "tartan/core/abi_tag/join.hpp"  // TARTAN_TAG_JOIN

#if defined(__aarch64__)

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

#endif
