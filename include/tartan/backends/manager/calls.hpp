#pragma once
// What each call of a manager's containers does in its server: plain data, since it travels.

#include <concepts>       // convertible_to, equality_comparable
#include <cstddef>        // size_t
#include <cstdint>        // uint64_t
#include <functional>     // hash, invoke
#include <map>            // map
#include <optional>       // nullopt, optional
#include <stdexcept>      // out_of_range
#include <string>         // to_string
#include <type_traits>    // invoke_result_t, is_invocable_v, is_void_v
#include <unordered_map>  // unordered_map
#include <utility>        // exchange, move
#include <vector>         // vector

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // raise

namespace tartan::inline TARTAN_ABI::detail {

/// f(value) as an update of it: in place if f returns nothing, else its result.
template <class F, class V>
V updated(F const& f, V value) {
  static_assert(std::is_invocable_v<F const&, V&>, "tartan: update(f) calls f with the value that is there");
  if constexpr (std::is_void_v<std::invoke_result_t<F const&, V&>>)
    std::invoke(f, value);
  else
    value = static_cast<V>(std::invoke(f, value));
  return value;
}

template <class V>
struct adds {
  V n;
  void operator()(V& value) const { value = static_cast<V>(value + n); }
};

// Hashed where the key can be, else sorted.
template <class K>
concept hashable = requires(K const& k) {
  { std::hash<K>{}(k) } -> std::convertible_to<std::size_t>;
} && std::equality_comparable<K>;

template <class K, class V>
struct dict_of {
  using type = std::map<K, V>;
};
template <hashable K, class V>
struct dict_of<K, V> {
  using type = std::unordered_map<K, V>;
};

template <class Map, class K = typename Map::key_type, class V = typename Map::mapped_type>
struct dict_calls {
  struct set {
    K key;
    V value;
    void operator()(Map& m) { m.insert_or_assign(std::move(key), std::move(value)); }
  };
  struct insert {
    K key;
    V value;
    bool operator()(Map& m) { return m.try_emplace(std::move(key), std::move(value)).second; }
  };
  struct get {
    K key;
    std::optional<V> operator()(Map& m) const {
      auto const at = m.find(key);
      return at == m.end() ? std::nullopt : std::optional<V>(at->second);
    }
  };
  struct contains {
    K key;
    bool operator()(Map& m) const { return m.contains(key); }
  };
  struct erase {
    K key;
    bool operator()(Map& m) const { return m.erase(key) != 0; }
  };
  template <class F>
  struct update {
    K key;
    F f;
    V operator()(Map& m) {
      auto const at = m.find(key);
      V next = updated(f, at == m.end() ? V{} : at->second);
      m.insert_or_assign(std::move(key), next);
      return next;
    }
  };
  struct fetch_add {
    K key;
    V n;
    V operator()(Map& m) {
      V& value = m.try_emplace(std::move(key)).first->second;
      V const before = value;
      adds<V>{n}(value);
      return before;
    }
  };
  struct keys {
    std::vector<K> operator()(Map& m) const {
      std::vector<K> all;
      all.reserve(m.size());
      for (auto const& entry : m) all.push_back(entry.first);
      return all;
    }
  };
};

template <class List, class T = typename List::value_type>
struct list_calls {
  struct push_back {
    T value;
    void operator()(List& l) { l.push_back(std::move(value)); }
  };
  struct append {
    std::vector<T> values;
    void operator()(List& l) {
      for (std::size_t i = 0; i != values.size(); ++i) l.push_back(std::move(values[i]));
    }
  };
  struct pop_front {
    std::optional<T> operator()(List& l) const {
      if (l.empty()) return std::nullopt;
      std::optional<T> value(std::move(l.front()));
      l.pop_front();
      return value;
    }
  };
  struct pop_back {
    std::optional<T> operator()(List& l) const {
      if (l.empty()) return std::nullopt;
      std::optional<T> value(std::move(l.back()));
      l.pop_back();
      return value;
    }
  };
  static T& at(List& l, std::uint64_t i) {
    if (i >= l.size())
      raise<std::out_of_range>("tartan: a managed list of " + std::to_string(l.size()) +
                               " elements has none at index " + std::to_string(i));
    return l[static_cast<std::size_t>(i)];
  }
  struct get {
    std::uint64_t index;
    T operator()(List& l) const { return at(l, index); }
  };
  struct set {
    std::uint64_t index;
    T value;
    void operator()(List& l) { at(l, index) = std::move(value); }
  };
  template <class F>
  struct update {
    std::uint64_t index;
    F f;
    T operator()(List& l) { return at(l, index) = updated(f, T(at(l, index))); }
  };
  struct fetch_add {
    std::uint64_t index;
    T n;
    T operator()(List& l) {
      T const before = at(l, index);
      adds<T>{n}(at(l, index));
      return before;
    }
  };
};

/// One value. A class of its own, because a served object may be of any type that travels.
template <class T>
struct cell {
  T value;
};

template <class T>
struct cell_calls {
  struct get {
    T operator()(cell<T>& c) const { return c.value; }
  };
  struct exchange {
    T value;
    T operator()(cell<T>& c) { return std::exchange(c.value, std::move(value)); }
  };
  template <class F>
  struct update {
    F f;
    T operator()(cell<T>& c) { return c.value = updated(f, T(c.value)); }
  };
  struct fetch_add {
    T n;
    T operator()(cell<T>& c) {
      T const before = c.value;
      adds<T>{n}(c.value);
      return before;
    }
  };
};

struct sizes {
  template <class C>
  std::uint64_t operator()(C& c) const {
    return c.size();
  }
};
struct clears {
  template <class C>
  void operator()(C& c) const {
    c.clear();
  }
};
struct copies {
  template <class C>
  C operator()(C& c) const {
    return c;
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
