#pragma once
// invoke, and the function objects that patterns know by name, without the rest of <functional>: in libstdc++ that
// header brings hash tables and a memory resource for its searchers, a sixth of what a pattern costs to include. The
// parts lie in headers of their own there; where they do not, all of <functional> comes.

#include <version>  // __GLIBCXX__

#if defined(__GLIBCXX__) && __has_include(<bits/invoke.h>) && __has_include(<bits/stl_function.h>) && \
    __has_include(<bits/ranges_cmp.h>)
#include <bits/invoke.h>        // __invoke
#include <bits/ranges_cmp.h>    // identity
#include <bits/stl_function.h>  // bit_and, bit_or, bit_xor, multiplies, plus
#define TARTAN_INVOKE std::__invoke
#else
#include <functional>  // bit_and, bit_or, bit_xor, identity, invoke, multiplies, plus
#define TARTAN_INVOKE std::invoke
#endif

#include <utility>  // forward

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// std::invoke.
template <class F, class... Args>
TARTAN_ALWAYS_INLINE constexpr decltype(auto) invoke(F&& f, Args&&... args) noexcept(
    noexcept(TARTAN_INVOKE(std::forward<F>(f), std::forward<Args>(args)...))) {
  return TARTAN_INVOKE(std::forward<F>(f), std::forward<Args>(args)...);
}

}  // namespace tartan::inline TARTAN_ABI::detail

#undef TARTAN_INVOKE
