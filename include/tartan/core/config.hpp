#pragma once
// Compiler facts and the name of the inline namespace; every other header begins here.

#include "tartan/core/abi_tag.hpp"  // TARTAN_ABI: everything is declared in `namespace tartan::inline TARTAN_ABI`

#if defined(__cpp_exceptions)
#define TARTAN_EXCEPTIONS 1
#else
#define TARTAN_EXCEPTIONS 0
#endif

#if defined(TARTAN_TAG_TSAN)
#define TARTAN_TSAN 1
#else
#define TARTAN_TSAN 0
#endif

#define TARTAN_ALWAYS_INLINE [[gnu::always_inline]] inline
#define TARTAN_NOINLINE [[gnu::noinline]]
#define TARTAN_COLD [[gnu::noinline, gnu::cold]]
