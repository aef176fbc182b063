#pragma once
// Maps that are filled while f emits, where no table beats the map that is returned.

#include <cstdint>        // uint32_t
#include <unordered_map>  // unordered_map
#include <utility>        // forward, move
#include <vector>         // vector

#include "tartan/algorithms/by_key/folded.hpp"  // folded
#include "tartan/algorithms/by_key/table.hpp"   // combine_into, key_table
#include "tartan/core/config.hpp"               // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Values of a key in any order.
template <class Key, class Value>
class result_map_of {
 public:
  using map = std::unordered_map<Key, Value>;

  template <class K, class Combine>
  void add(K&& key, Value&& v, Combine& combine) {
    auto const [at, is_new] = map_.try_emplace(Key(std::forward<K>(key)), std::move(v));
    if (!is_new) combine_into(at->second, std::move(v), combine);
  }
  template <class Combine>
  void settle(Combine&) noexcept {}
  [[nodiscard]] map take() noexcept { return std::move(map_); }

 private:
  map map_;
};

/// Values of a key block by block. A map of values has no room for what that takes, so keys that come again, which are
/// few, wait until the end; where the values of the map came from is noted for their sake.
template <class Key, class Value>
class result_map_of<Key, folded<Value>> {
 public:
  using map = std::unordered_map<Key, Value>;

  template <class K, class Combine>
  void add(K&& key, folded<Value>&& v, Combine&) {
    std::uint32_t const block = v.block();
    if (!v.in_one_block()) {  // a key of the table that was there before
      auto const at = map_.emplace(Key(std::forward<K>(key)), std::move(v.last())).first;
      begun_.push_back({&at->second, std::move(v)});
      return;
    }
    auto const [at, is_new] = map_.try_emplace(Key(std::forward<K>(key)), std::move(v.last()));
    if (is_new)
      first_.push_back({&at->second, block});
    else
      again_.push_back({&at->second, std::move(v)});
  }

  template <class Combine>
  void settle(Combine& combine) {
    if (again_.empty() && begun_.empty()) return;
    using places = key_table<Value*, folded<Value>>;
    using place = typename places::probe;
    key_table<Value*, bool> come_again;
    auto const keep = [](bool, bool) { return true; };
    for (later const& l : again_) come_again.add(l.at, true, keep);
    places open;
    for (origin const& o : first_)
      if (come_again.lookup(place(o.at)) != nullptr)
        open.insert(place(o.at), o.at, folded<Value>(std::move(*o.at), o.block));
    for (later& l : begun_) {
      l.what.last() = std::move(*l.at);
      open.insert(place(l.at), l.at, std::move(l.what));
    }
    for (later& l : again_) combine.take_in(open.lookup(place(l.at))->value(), std::move(l.what));
    open.for_each([&](auto& c) { *c.key.template take<Value*>() = c.value().settle(combine.combine); });
    first_.clear(), begun_.clear(), again_.clear();
  }
  [[nodiscard]] map take() noexcept { return std::move(map_); }

 private:
  struct origin {
    Value* at;
    std::uint32_t block;
  };
  struct later {
    Value* at;
    folded<Value> what;
  };
  map map_;
  std::vector<origin> first_;
  std::vector<later> begun_, again_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
