#pragma once
// What the name says of the instruction set, on x86-64.

#include "tartan/core/abi_tag/join.hpp"  // TARTAN_TAG_JOIN

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

#endif
