#pragma once
// What the name says of the modes of a build: standard library, sanitizers, exceptions, -ffast-math.

#include <version>  // _LIBCPP_VERSION, _GLIBCXX_DEBUG, _GLIBCXX_USE_CXX11_ABI: which standard library, in which mode

#include "tartan/core/abi_tag/join.hpp"  // TARTAN_TAG_JOIN

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
// A build whose checks of memory and arithmetic multiply with every copy of a function.
#if TARTAN_ASAN || TARTAN_TAG_HAS_FEATURE(undefined_behavior_sanitizer) || TARTAN_TAG_HAS_FEATURE(memory_sanitizer)
#define TARTAN_CHECKED 1
#else
#define TARTAN_CHECKED 0
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
