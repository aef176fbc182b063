#pragma once
// What became of one task: a value, or what it threw.

#include <cstddef>      // size_t
#include <exception>    // current_exception, exception, exception_ptr, rethrow_exception
#include <memory>       // addressof
#include <optional>     // optional
#include <string>       // string
#include <type_traits>  // is_void_v
#include <utility>      // forward, move
#include <variant>      // monostate

#include "tartan/core/errors.hpp"  // error, raise
#include "tartan/core/result.hpp"  // regular_result

namespace tartan::inline TARTAN_ABI {

/// The result of one call of try_map and its like. A void result is std::monostate.
///
///     for (auto const& o : tartan::try_map(tartan::par, files, parse))
///       if (!o) std::puts(o.what().c_str());
///
/// Thread safety: as a std::optional.
template <class R>
class [[nodiscard]] outcome {
 public:
  using value_type = detail::regular_result<R>;

  /// A success.
  template <class... Args>
  outcome(std::in_place_t, std::size_t index, Args&&... args)
      : index_(index), value_(std::in_place, std::forward<Args>(args)...) {}

  /// A failure.
  outcome(std::size_t index, std::exception_ptr error) noexcept : index_(index), error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  /// The value, or rethrows what the task threw.
  [[nodiscard]] value_type& value() & { return check(), *value_; }
  [[nodiscard]] value_type const& value() const& { return check(), *value_; }
  [[nodiscard]] value_type&& value() && { return check(), std::move(*value_); }
  [[nodiscard]] value_type& operator*() & { return value(); }
  [[nodiscard]] value_type const& operator*() const& { return value(); }
  [[nodiscard]] value_type* operator->() { return std::addressof(value()); }
  [[nodiscard]] value_type const* operator->() const { return std::addressof(value()); }

  /// What the task threw, null after a success.
  [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }

  /// Which element the task was for.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }

  /// The message of the error; empty after a success.
  [[nodiscard]] std::string what() const {
    if (has_value()) return {};
#if TARTAN_EXCEPTIONS
    try {
      std::rethrow_exception(error_);
    } catch (std::exception const& e) {
      return e.what();
    } catch (...) {
      return "an exception that is not derived from std::exception";
    }
#else
    return "an error";
#endif
  }

 private:
  void check() const {
#if TARTAN_EXCEPTIONS
    if (!has_value()) std::rethrow_exception(error_);
#endif
  }

  std::size_t index_;
  std::optional<value_type> value_;
  std::exception_ptr error_;
};

namespace detail {

/// Runs f and keeps what becomes of it.
template <class R, class F>
outcome<R> attempt(std::size_t index, F&& f) {
#if TARTAN_EXCEPTIONS
  try {
    return outcome<R>(std::in_place, index, invoke_regular(std::forward<F>(f)));
  } catch (...) {
    return outcome<R>(index, std::current_exception());
  }
#else
  return outcome<R>(std::in_place, index, invoke_regular(std::forward<F>(f)));
#endif
}

/// The same, where it shall lie: a result whose move throws is an error too.
template <class R, class F>
void attempt_in(std::optional<outcome<R>>& place, std::size_t index, F&& f) noexcept {
#if TARTAN_EXCEPTIONS
  try {
    place.emplace(std::in_place, index, invoke_regular(std::forward<F>(f)));
  } catch (...) {
    place.emplace(index, std::current_exception());
  }
#else
  place.emplace(std::in_place, index, invoke_regular(std::forward<F>(f)));
#endif
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
