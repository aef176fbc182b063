#pragma once
// Whether a sanitizer watches.

#include "tartan/core/config.hpp"  // TARTAN_ASAN, TARTAN_TSAN

namespace tartan::test {

/// True in builds with a sanitizer. They are not optimised: what takes a second elsewhere takes half a minute in them,
/// and frames are larger. Where half the lengths or rounds show as much, a test does with half there.
inline constexpr bool sanitized = TARTAN_ASAN || TARTAN_TSAN;

}  // namespace tartan::test
