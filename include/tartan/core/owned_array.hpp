#pragma once
// Objects in a row, of a number that is known when they are made.

#include <cstddef>  // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// What std::unique_ptr<T[]> is, without the twenty functions that each instance of that costs every includer.
template <class T>
class owned_array {
 public:
  explicit owned_array(std::size_t count) : items_(count == 0 ? nullptr : new T[count]()) {}
  owned_array(owned_array const&) = delete;
  owned_array& operator=(owned_array const&) = delete;
  ~owned_array() { delete[] items_; }

  [[nodiscard]] T* get() const noexcept { return items_; }

 private:
  T* const items_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
