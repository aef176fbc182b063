#pragma once
// Pairs of elements of two ranges that have equal keys.

#include <concepts>    // constructible_from, invocable, same_as
#include <cstddef>     // size_t
#include <functional>  // invoke
#include <memory>      // make_unique_for_overwrite, unique_ptr
#include <ranges>      // begin, range_reference_t, range_value_t
#include <utility>     // exchange, pair
#include <vector>      // vector

#include "tartan/algorithms/by_key.hpp"           // key_of_t
#include "tartan/algorithms/by_key/grouping.hpp"  // grouping
#include "tartan/algorithms/by_key/keys.hpp"      // as_looked_up
#include "tartan/algorithms/in_memory.hpp"        // check_works_in_memory
#include "tartan/algorithms/unattended.hpp"       // unattended
#include "tartan/algorithms/vector_of.hpp"        // vector_of
#include "tartan/exec/plan.hpp"                   // block_plan
#include "tartan/exec/policy.hpp"                 // execution_policy
#include "tartan/exec/source.hpp"                 // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// One call: the elements of the right come into groups by their keys; then each element of the left looks for its
/// group, so that it is known where its pairs go.
template <class Key, class P>
class join_call {
  using groups = grouping<Key, typename P::backend_type>;
  using group = typename groups::group;

 public:
  /// key(j) is the key of element j of the right.
  template <class KeyAt>
  join_call(P const& policy, std::size_t left, std::size_t right, KeyAt const& key)
      : policy_(policy),
        group_(std::make_unique_for_overwrite<group const*[]>(left)),
        plan_(left, left / 256 + 1),
        before_(plan_.count() + 1),
        right_(policy.backend(), policy.props().uncounted(), unattended(policy.props()), right,
               policy.backend().width(policy.props()), key) {
    right_.put_in_order();
  }

  /// The elements of the left, with their keys. Returns the number of pairs.
  template <class It, class KeyOf>
  std::size_t look_up(It first, KeyOf& key) {
    each_block(policy_.props(), [&](block b) {
      std::size_t pairs = 0;
      for (std::size_t i = b.begin; i != b.end; ++i) {
        group_[i] = group_with(std::invoke(key, at(first, i)));
        if (group_[i] != nullptr) pairs += group_[i]->count;
      }
      before_[b.index] = pairs;
    });
    std::size_t sum = 0;
    for (std::size_t& b : before_) sum += std::exchange(b, sum);
    return sum;
  }

  /// f(place, i, j) for every pair: element i of the left, element j of the right.
  template <class F>
  void for_pairs(F const& f) {
    each_block(unattended(policy_.props()), [&](block b) {
      std::size_t place = before_[b.index];
      for (std::size_t i = b.begin; i != b.end; ++i) {
        if (group_[i] == nullptr) continue;
        auto const [first, count] = *group_[i];
        for (std::size_t k = first; k != first + count; ++k) f(place++, i, right_[k]);
      }
    });
  }

 private:
  template <class K>
  group const* group_with(K&& key) const {
    decltype(auto) looked_up = as_looked_up<Key>(std::forward<K>(key));
    return right_.find(typename groups::table::probe(looked_up));
  }

  template <class F>
  void each_block(properties const& props, F const& f) {
    std::size_t const length = plan_.count() == 0 ? 1 : plan_[0].size();
    policy_.backend().for_range(props, plan_.elements(), length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin / length; b * length < end; ++b) f(plan_[b]);
    });
  }

  P const& policy_;
  std::unique_ptr<group const*[]> group_;
  block_plan plan_;
  std::vector<std::size_t> before_;
  groups right_;
};

}  // namespace detail

/// All pairs (x, y) of elements x of `left` and y of `right` with equal keys, in the order of left; pairs of one x in
/// the order of right.
///
///     auto where = tartan::join_by_key(tartan::par, people, &person::city, cities, &city::name);
///
/// @param left, right          Random-access ranges with a size.
/// @param key_left, key_right  Functions or pointers to members that give keys of one type (std::string and what refers
///                             to text are one), with std::hash and ==. Called once for each element.
/// @returns                    std::vector of std::pair, of copies.
///
/// Complexity: O(n + m + pairs). Extra memory: 8 bytes an element on either side, and a table of the keys of right:
/// give the shorter range there if the order of the pairs does not matter. Determinism: the same pairs, in the same
/// order. Exceptions, Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range Left, class KeyLeft, divisible_range Right, class KeyRight>
[[nodiscard]] auto join_by_key(P const& policy, Left&& left, KeyLeft key_left, Right&& right, KeyRight key_right) {
  static_assert(std::invocable<KeyLeft&, std::ranges::range_reference_t<Left>> &&
                    std::invocable<KeyRight&, std::ranges::range_reference_t<Right>>,
                "tartan: join_by_key(policy, left, key, right, key) needs keys that can be called with an element");
  detail::check_works_in_memory<P>();
  using key = detail::key_of_t<KeyRight, Right>;
  static_assert(std::same_as<key, detail::key_of_t<KeyLeft, Left>>,
                "tartan: join_by_key needs keys of one type on both sides; convert one of them in its function");
  using pair = std::pair<std::ranges::range_value_t<Left>, std::ranges::range_value_t<Right>>;
  static_assert(
      std::constructible_from<pair, std::ranges::range_reference_t<Left>, std::ranges::range_reference_t<Right>>,
      "tartan: join_by_key copies the elements of both ranges into pairs");
  auto const first = std::ranges::begin(left);
  auto const other = std::ranges::begin(right);
  std::size_t const n = detail::length(left), m = detail::length(right);
  detail::join_call<key, P> call(
      policy, n, m, [&](std::size_t j) -> decltype(auto) { return std::invoke(key_right, detail::at(other, j)); });
  std::size_t const pairs = call.look_up(first, key_left);
  return detail::vector_of<pair>(pairs, [&](auto const& put) {
    call.for_pairs([&](std::size_t place, std::size_t i, std::size_t j) {
      put(place, pair(detail::at(first, i), detail::at(other, j)));
    });
  });
}

}  // namespace tartan::inline TARTAN_ABI
