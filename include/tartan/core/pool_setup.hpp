#pragma once
// How a pool shall be: the part of its options that the runtime reads.

#include <cstddef>  // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI {

/// What a worker does when there is nothing to do.
enum class idle {
  latency,   ///< Spins until there is work again: work begins at once, and the core is never free.
  balanced,  ///< Spins for some microseconds, then sleeps.
  power,     ///< Sleeps at once.
};

namespace detail {

struct pool_setup {
  unsigned size = 1;
  char const* name = "tartan";  // the pool makes a copy
  tartan::idle idle = tartan::idle::balanced;
  std::size_t stack_size = 0;  // 0: the system's default
  bool pin = false;
  // Called on each thread of the pool when it starts and ends; must not throw.
  void (*on_start)(void* self, unsigned index) = nullptr;
  void (*on_exit)(void* self, unsigned index) = nullptr;
  void* self = nullptr;
};

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
