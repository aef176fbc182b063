#pragma once
// Where a job leaves what it returns or throws.

#include <exception>    // current_exception, exception_ptr, rethrow_exception
#include <new>          // placement new
#include <type_traits>  // add_lvalue_reference_t, conditional_t, invoke_result_t, is_*_v, remove_{cv,cvref,reference}_t
#include <utility>      // forward, move, pair
#include <variant>      // monostate

#include "tartan/core/config.hpp"            // TARTAN_EXCEPTIONS
#include "tartan/core/function_objects.hpp"  // invoke

namespace tartan::inline TARTAN_ABI::detail {

/// void becomes monostate, a value loses its const, a reference stays.
template <class R>
using regular_result = std::conditional_t<std::is_void_v<R>, std::monostate, std::remove_cv_t<R>>;

/// The R of the future of a function that returns Raw.
template <class Raw>
struct future_result {
  static_assert(!std::is_rvalue_reference_v<Raw>,
                "tartan: the function of a future returns a value or an lvalue reference: what an rvalue reference "
                "names may be gone before get()");
  using type = std::conditional_t<std::is_lvalue_reference_v<Raw>, Raw, std::remove_cvref_t<Raw>>;
};
template <class Raw>
using future_result_t = typename future_result<Raw>::type;

/// What a fork of two functions gives.
template <class F, class G>
using forked_pair = std::pair<regular_result<std::invoke_result_t<std::remove_reference_t<F>&>>,
                              regular_result<std::invoke_result_t<std::remove_reference_t<G>&>>>;

/// Calls f and gives its result as a regular type.
template <class F, class... Args>
TARTAN_ALWAYS_INLINE regular_result<std::invoke_result_t<F, Args...>> invoke_regular(F&& f, Args&&... args) {
  if constexpr (std::is_void_v<std::invoke_result_t<F, Args...>>) {
    detail::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    return {};
  } else {
    return detail::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  }
}

/// Says that nobody asks a result_slot for anything before it is set.
struct unasked {};

/// Raw storage for one R (a reference is kept as a pointer) or one exception; the owner knows which it holds.
/// Nothing is constructed until set() runs, so an unused slot costs nothing.
template <class R>
class result_slot {
  using stored = std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>;

 public:
  result_slot() noexcept : failed_(false) {}
  /// For those who ask for nothing before set_from() has run: one store less.
  explicit result_slot(unasked) noexcept {}
  result_slot(result_slot const&) = delete;
  result_slot& operator=(result_slot const&) = delete;
  ~result_slot() {}

  /// Constructs the result in place from f(); remembers what f throws instead.
  template <class F>
  void set_from(F&& f) noexcept {
    failed_ = false;
#if TARTAN_EXCEPTIONS
    try {
      construct(std::forward<F>(f));
    } catch (...) {
      failed_ = true;
      hold(std::current_exception());
    }
#else
    construct(std::forward<F>(f));
#endif
  }

  /// Takes the result out, or rethrows; the slot is empty afterwards.
  R take() {
#if TARTAN_EXCEPTIONS
    if (failed_) {
      std::exception_ptr const error = std::move(error_);
      error_.~exception_ptr();
      std::rethrow_exception(error);
    }
#endif
    if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(*value_);
    } else {
      struct destroyer {
        stored& value;
        ~destroyer() { value.~stored(); }
      } const at_end{value_};
      return std::move(value_);
    }
  }

  /// Holds an error instead of a result. Null says "stopped" where exceptions are off.
  void fail(std::exception_ptr error) noexcept {
    failed_ = true;
    hold(std::move(error));
  }

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::exception_ptr const& error() const noexcept { return error_; }
  /// Leaves null, which stays an error.
  [[nodiscard]] std::exception_ptr take_error() noexcept { return std::move(error_); }

  /// The result where it lies; only if it has not failed.
  [[nodiscard]] std::add_lvalue_reference_t<R> value() noexcept {
    if constexpr (std::is_reference_v<R>)
      return static_cast<R>(*value_);
    else
      return value_;
  }

  /// Destroys what is there unseen.
  void discard() noexcept { failed_ ? error_.~exception_ptr() : value_.~stored(); }

 private:
  void hold(std::exception_ptr&& error) noexcept {
    ::new (static_cast<void*>(&error_)) std::exception_ptr(std::move(error));
  }

  template <class F>
  void construct(F&& f) {
    if constexpr (std::is_reference_v<R>)
      value_ = __builtin_addressof(std::forward<F>(f)());
    else
      ::new (static_cast<void*>(__builtin_addressof(value_))) stored(std::forward<F>(f)());
  }

  union {
    stored value_;
    std::exception_ptr error_;
  };
  bool failed_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
