#pragma once
// Errors of submitted work that nobody asked for.

#include <atomic>     // atomic, memory_order_*
#include <cstdio>     // fprintf, fputs, stderr
#include <exception>  // exception, exception_ptr, rethrow_exception

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"         // cancelled
#include "tartan/core/process_state.hpp"  // process_state, slot_id

namespace tartan::inline TARTAN_ABI {

/// Is told what a task threw whose future was dropped, or which never had one, and what those throw who only look on:
/// callbacks of futures and progress counters. Called on the thread where that became known; must not throw.
using unhandled_handler = void (*)(std::exception_ptr error);

/// Sets the handler of the process and returns the one before. Null (the beginning) writes a line to stderr.
///
/// Thread safety: any thread, at any time.
inline unhandled_handler set_unhandled(unhandled_handler handler) noexcept {
  auto& slot = detail::process_state().slot[static_cast<unsigned>(detail::slot_id::unhandled)];
  return reinterpret_cast<unhandled_handler>(
      slot.exchange(reinterpret_cast<void*>(handler), std::memory_order_acq_rel));  // with report_unhandled()
}

namespace detail {

TARTAN_COLD inline void report_unhandled(std::exception_ptr error) noexcept {
  auto& slot = process_state().slot[static_cast<unsigned>(slot_id::unhandled)];
  if (void* const handler = slot.load(std::memory_order_acquire); handler != nullptr)  // with set_unhandled()
    return reinterpret_cast<unhandled_handler>(handler)(std::move(error));
#if TARTAN_EXCEPTIONS
  try {
    std::rethrow_exception(error);
  } catch (cancelled const&) {
    std::fputs("tartan: a task was cancelled, and nobody asked for its result\n", stderr);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "tartan: a task failed, and nobody asked for its result: %s\n", e.what());
  } catch (...) {
    std::fputs("tartan: a task threw what is no std::exception, and nobody asked for its result\n", stderr);
  }
#endif
}

/// Runs f(); what it throws goes to the handler.
template <class F>
void run_unattended(F&& f) noexcept {
#if TARTAN_EXCEPTIONS
  try {
    static_cast<F&&>(f)();
  } catch (...) {
    report_unhandled(std::current_exception());
  }
#else
  static_cast<F&&>(f)();
#endif
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
