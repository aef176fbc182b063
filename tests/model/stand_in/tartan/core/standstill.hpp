#pragma once
// Stand-in: see lookout.hpp beside this file.

#include "tartan/core/lookout.hpp"  // lookout

namespace tartan::inline TARTAN_ABI::detail {

struct standstill {
  template <class... Parts>
  explicit standstill(Parts&...) {}
  void watch(lookout&) {}
};

}  // namespace tartan::inline TARTAN_ABI::detail
