#pragma once
// Results that are constructed out of order, by many workers.

#include <cstddef>      // byte, size_t
#include <new>          // align_val_t
#include <type_traits>  // is_same_v, is_trivially_destructible_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/core/config.hpp"       // TARTAN_ABI
#include "tartan/core/large_pages.hpp"  // prefer_large_pages
#include "tartan/core/owned_array.hpp"  // owned_array

namespace tartan::inline TARTAN_ABI::detail {

/// Raw storage for n objects of type T; each is constructed once, by whoever has its index. Destroys what was made,
/// also when some were not because of an exception.
template <class T>
class slots {
 public:
  explicit slots(std::size_t n)
      : n_(n),
        made_(tracked ? n : 0),
        raw_(n <= few ? reinterpret_cast<T*>(here_)
                      : static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{alignof(T)}))) {
    if (n > few) prefer_large_pages(raw_, n * sizeof(T));
  }
  slots(slots const&) = delete;
  slots& operator=(slots const&) = delete;
  ~slots() {
    if constexpr (tracked)
      for (std::size_t i = 0; i != n_; ++i)
        if (made_.get()[i]) raw_[i].~T();
    if (n_ > few) ::operator delete(raw_, std::align_val_t{alignof(T)});
  }

  /// Constructs element i from f(), in place.
  template <class F>
  void make(std::size_t i, F&& f) {
    ::new (static_cast<void*>(raw_ + i)) T(std::forward<F>(f)());
    if constexpr (tracked) made_.get()[i] = true;
  }

  [[nodiscard]] T& operator[](std::size_t i) noexcept { return raw_[i]; }
  [[nodiscard]] T* data() noexcept { return raw_; }
  [[nodiscard]] std::size_t size() const noexcept { return n_; }

  /// All n were made: moves them into a vector.
  [[nodiscard]] std::vector<T> to_vector() {
    std::vector<T> out;
    out.reserve(n_);
    if constexpr (!std::is_same_v<T, bool>) prefer_large_pages(out.data(), n_ * sizeof(T));
    for (std::size_t i = 0; i != n_; ++i) out.push_back(std::move(raw_[i]));
    return out;
  }

 private:
  static constexpr bool tracked = !std::is_trivially_destructible_v<T>;
  /// So many have their place in here: an allocation costs as much as adding up a thousand numbers.
  static constexpr std::size_t few = tracked ? 0 : 512 / sizeof(T);
  std::size_t n_;
  owned_array<bool> made_;
  T* raw_;
  alignas(T) std::byte here_[few == 0 ? 1 : few * sizeof(T)];
};

}  // namespace tartan::inline TARTAN_ABI::detail
