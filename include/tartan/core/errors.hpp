#pragma once
// The exceptions of the core and the one way to raise them, with and without exception support.

#include <cstdio>     // fputs, stderr
#include <exception>  // terminate
#include <stdexcept>  // runtime_error, invalid_argument
#include <string>     // string
#include <utility>    // forward

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ERROR_ABI, TARTAN_EXCEPTIONS

// Part of the program throws them and another catches them, which may have been compiled with other flags or with
// hidden visibility. So they are the same types for all, and must stay without data and code of their own.
#pragma GCC visibility push(default)
namespace tartan::inline TARTAN_ERROR_ABI {

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
  pool_gone()
      : error(
            "tartan: the pool of this policy has been destroyed; keep the pool alive as long as its policies are "
            "used") {}
};

/// Work was given to a pool after close().
struct pool_closed : error {
  pool_closed() : error("tartan: the pool is closed; submit before close(), or make a new pool") {}
};

/// A wait that can never end, because what is waited for runs below the wait on the same stack.
struct would_deadlock : error {
  would_deadlock()
      : error(
            "tartan: a task waits for itself or for a group or pool that it is part of; return first, and wait from "
            "outside") {}
};

/// So many tasks wait for something that is no task that no thread may be added for them.
struct too_many_blocked : error {
  too_many_blocked()
      : error(
            "tartan: more than 1024 tasks of one pool wait for something that no worker works on; wait in fewer tasks, "
            "or continue with then() instead of waiting") {}
};

/// The time was up before the task had ended; the task goes on.
struct timeout_error : error {
  timeout_error()
      : error("tartan: the time was up before the task had ended; it goes on: wait again, or cancel() it") {}
  explicit timeout_error(char const* sentence) : error(sentence) {}
};

/// A future or a promise that refers to no task was asked for something.
struct invalid_future : error {
  invalid_future()
      : error(
            "tartan: this future refers to no task: it never did, was moved from, continued with then(), or its get() "
            "was called before") {}
  explicit invalid_future(char const* sentence) : error(sentence) {}
};

/// A promise went away without a value.
struct broken_promise : error {
  broken_promise()
      : error(
            "tartan: a promise was destroyed before it was given a value or an error; keep it until set_value() or "
            "set_exception() was called") {}
};

/// An argument of a property or a call is out of its range.
struct bad_argument : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

}  // namespace tartan::inline TARTAN_ERROR_ABI
#pragma GCC visibility pop

namespace tartan::inline TARTAN_ABI::detail {

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

}  // namespace tartan::inline TARTAN_ABI::detail
