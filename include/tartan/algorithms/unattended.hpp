#pragma once
// How the steps run that lie between a call and its elements.

#include "tartan/exec/properties.hpp"  // properties

namespace tartan::inline TARTAN_ABI::detail {

/// For what is neither counted nor interrupted nor cut by the user: it happens before the elements, or they are on
/// their way between two arrays.
[[nodiscard]] inline properties unattended(properties props) noexcept {
  props.stop = {};
  props.progress = {};
  props.grain = 0;
  return props;
}

}  // namespace tartan::inline TARTAN_ABI::detail
