#pragma once
// What algorithms ask of a policy that work on the elements where they are.

#include "tartan/exec/backend.hpp"  // shared_memory_backend
#include "tartan/exec/policy.hpp"   // supports

namespace tartan::inline TARTAN_ABI::detail {

template <class P>
constexpr void check_works_in_memory() {
  static_assert(shared_memory_backend<typename P::backend_type>,
                "tartan: this algorithm needs workers that see the caller's memory; use seq, par or par_simd");
  static_assert(supports<P, (property::grain | property::relaxed)>,
                "tartan: this algorithm does not support a property of this policy (it takes workers, stop, progress, "
                "name, on)");
}

}  // namespace tartan::inline TARTAN_ABI::detail
