#pragma once
// What the function of a by-key call emits with.

#include <type_traits>  // is_integral_v, is_trivially_copyable_v
#include <utility>      // forward

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

/// v as it would lie in memory: a product is rounded before it is added to anything. Compilers that contract the two
/// where they see both would give other bits to values that wait in a list meanwhile.
template <class Value, class V>
TARTAN_ALWAYS_INLINE Value emitted_value(V&& v) {
  Value x = static_cast<Value>(std::forward<V>(v));
#if defined(__GNUC__)
  if constexpr (std::is_trivially_copyable_v<Value> && !std::is_integral_v<Value>) asm("" : "+m"(x));
#endif
  return x;
}

/// f calls emit(key, value).
template <class Table, class Combine>
class emitter {
 public:
  emitter(Table& table, Combine& combine) noexcept : table_(table), combine_(combine) {}
  template <class K, class V>
  TARTAN_ALWAYS_INLINE void operator()(K&& key, V&& value) {
    table_.add(std::forward<K>(key), emitted_value<typename Table::value_type>(std::forward<V>(value)), combine_);
  }

 private:
  Table& table_;
  Combine& combine_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
