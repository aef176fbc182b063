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

#include "tartan/core/abi_tag/aarch64.hpp"  // TARTAN_TAG_FEATURES, TARTAN_TAG_NAME_ there
#include "tartan/core/abi_tag/join.hpp"     // TARTAN_TAG_JOIN
#include "tartan/core/abi_tag/modes.hpp"    // TARTAN_TAG_LAYOUT_MODES, TARTAN_TAG_CODE_MODES, TARTAN_TAG_MATH_MODES
#include "tartan/core/abi_tag/x86_64.hpp"   // TARTAN_TAG_FEATURES, TARTAN_TAG_NAME_ there
#include "tartan/version.hpp"               // TARTAN_ABI_VERSION

#if !defined(__x86_64__) && !defined(__aarch64__)
#define TARTAN_TAG_FEATURES
#define TARTAN_TAG_NAME_(version, features, modes) v##version##g##modes
#endif

#define TARTAN_TAG_SHARED_NAME_(version, modes) v##version##modes
#define TARTAN_TAG_SHARED_NAME(version, modes) TARTAN_TAG_SHARED_NAME_(version, modes)
#define TARTAN_TAG_NAME(version, features, modes) TARTAN_TAG_NAME_(version, features, modes)
#define TARTAN_TAG_MODES \
  TARTAN_TAG_JOIN(TARTAN_TAG_LAYOUT_MODES, TARTAN_TAG_CODE_MODES, TARTAN_TAG_MATH_MODES, , , , , )

#define TARTAN_SHARED_ABI TARTAN_TAG_SHARED_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_LAYOUT_MODES)
#define TARTAN_ERROR_ABI \
  TARTAN_TAG_SHARED_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_JOIN(TARTAN_TAG_LAYOUT_MODES, TARTAN_TAG_0r, , , , , , ))
#define TARTAN_ABI TARTAN_TAG_NAME(TARTAN_ABI_VERSION, TARTAN_TAG_FEATURES, TARTAN_TAG_MODES)
