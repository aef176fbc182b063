#pragma once
// Objects in the cells of a table: they must move without throwing when the table grows.

#include <memory>       // make_unique, unique_ptr
#include <type_traits>  // conditional_t, is_nothrow_move_constructible_v
#include <utility>      // forward

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// A T in place, or on the heap where it is large or its move may throw.
template <class T>
class held {
  static constexpr bool in_place = std::is_nothrow_move_constructible_v<T> && sizeof(T) <= 64;

 public:
  template <class... Args>
  explicit held(std::in_place_t, Args&&... args) : object_(make(std::forward<Args>(args)...)) {}

  [[nodiscard]] T& get() noexcept {
    if constexpr (in_place)
      return object_;
    else
      return *object_;
  }
  [[nodiscard]] T const& get() const noexcept { return const_cast<held&>(*this).get(); }

 private:
  using storage = std::conditional_t<in_place, T, std::unique_ptr<T>>;
  template <class... Args>
  static storage make(Args&&... args) {
    if constexpr (in_place)
      return T(std::forward<Args>(args)...);
    else
      return std::make_unique<T>(std::forward<Args>(args)...);
  }
  storage object_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
