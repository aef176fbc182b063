#pragma once
// Compiler facts and the name of the inline namespace; every other header begins here.

#include "tartan/core/abi_tag.hpp"  // TARTAN_ABI, TARTAN_ERROR_ABI, TARTAN_SHARED_ABI, sanitizers

#if defined(__clang__) ? __clang_major__ < 16 : defined(__GNUC__) && __GNUC__ < 12
#error "tartan needs g++ 12, clang 16 or a newer one of them"
#elif __cplusplus < 202002L
#error "tartan needs C++20: compile with -std=c++20 or later"
#endif

// Everything is declared in `namespace tartan::inline TARTAN_ABI { ... }`.

#if defined(__cpp_exceptions)
#define TARTAN_EXCEPTIONS 1
#else
#define TARTAN_EXCEPTIONS 0
#endif

#define TARTAN_ALWAYS_INLINE [[gnu::always_inline]] inline
// The same for what is inlined for speed alone, kernels of leaves first: not where a sanitizer checks, whose checks
// multiply with every copy. (A file of vector kernels took six times as long to compile.)
#if TARTAN_CHECKED
#define TARTAN_INLINE_KERNEL inline
#else
#define TARTAN_INLINE_KERNEL TARTAN_ALWAYS_INLINE
#endif
#define TARTAN_NOINLINE [[gnu::noinline]]
#define TARTAN_COLD [[gnu::noinline, gnu::cold]]
