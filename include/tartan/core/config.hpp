#pragma once
// Compiler facts and the name of the inline namespace; every other header begins here.

#include "tartan/core/abi_tag.hpp"  // TARTAN_ABI, TARTAN_ERROR_ABI, TARTAN_SHARED_ABI, sanitizers

// Everything is declared in `namespace tartan::inline TARTAN_ABI { ... }`.

#if defined(__cpp_exceptions)
#define TARTAN_EXCEPTIONS 1
#else
#define TARTAN_EXCEPTIONS 0
#endif

#define TARTAN_ALWAYS_INLINE [[gnu::always_inline]] inline
#define TARTAN_NOINLINE [[gnu::noinline]]
#define TARTAN_COLD [[gnu::noinline, gnu::cold]]
