#pragma once
// Compiler facts and the name of the inline namespace; every other header begins here.

#include "tartan/version.hpp"  // TARTAN_VERSION_MAJOR

/// Everything is declared in `namespace tartan::inline TARTAN_ABI { ... }`.
#ifndef TARTAN_ABI
#define TARTAN_ABI v0
#endif

#if defined(__cpp_exceptions)
#define TARTAN_EXCEPTIONS 1
#else
#define TARTAN_EXCEPTIONS 0
#endif

#if defined(__SANITIZE_THREAD__)
#define TARTAN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TARTAN_TSAN 1
#endif
#endif
#ifndef TARTAN_TSAN
#define TARTAN_TSAN 0
#endif

#define TARTAN_ALWAYS_INLINE [[gnu::always_inline]] inline
#define TARTAN_NOINLINE [[gnu::noinline]]
#define TARTAN_COLD [[gnu::noinline, gnu::cold]]
