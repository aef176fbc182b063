#pragma once
// The exceptions of the core and the one way to raise them, with and without exception support.

#include <cstdio>     // fputs, stderr
#include <exception>  // terminate
#include <stdexcept>  // runtime_error, invalid_argument
#include <string>     // string
#include <utility>    // forward

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_EXCEPTIONS

namespace tartan::inline TARTAN_ABI {

/// Base of what tartan throws about its own state. The message says what was wrong and what to do.
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A stop was requested and work was skipped because of it.
struct cancelled : error {
  cancelled() : error("tartan: cancelled: a stop was requested before all of the work was done") {}
};

/// A policy names a pool that has been destroyed.
struct pool_gone : error {
  pool_gone() : error("tartan: the pool of this policy has been destroyed; keep the pool alive as long as its policies are used") {}
};

/// Work was given to a pool after close().
struct pool_closed : error {
  pool_closed() : error("tartan: the pool is closed; submit before close(), or make a new pool") {}
};

/// An argument of a property or a call is out of its range.
struct bad_argument : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

namespace detail {

/// False for every T, but only once T is known: for static_asserts in templates that must not be used.
template <class T>
inline constexpr bool never = false;

/// Throws `E{args...}`; where exceptions are off, prints its sentence and terminates.
template <class E, class... Args>
[[noreturn, gnu::noinline, gnu::cold]] void raise(Args&&... args) {
#if TARTAN_EXCEPTIONS
  throw E(std::forward<Args>(args)...);
#else
  std::fputs(E(std::forward<Args>(args)...).what(), stderr);
  std::fputc('\n', stderr);
  std::terminate();
#endif
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
