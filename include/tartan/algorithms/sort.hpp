#pragma once
// sort and stable_sort, which choose a kernel by the type of the keys.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <functional>   // identity, invoke, ranges::less
#include <iterator>     // contiguous_iterator, iter_value_t, sortable
#include <memory>       // addressof
#include <ranges>       // begin, iterator_t, range_reference_t
#include <string_view>  // string_view
#include <type_traits>  // decay_t, is_lvalue_reference_v, is_nothrow_*
#include <utility>      // move

#include "tartan/algorithms/map.hpp"            // write_alignment
#include "tartan/algorithms/sort/indirect.hpp"  // key_of_entry, permute, sort_entry, text_sort
#include "tartan/algorithms/sort/keys.hpp"  // known_order, less_by_number, number_of_element, radix_key, radix_number
#include "tartan/algorithms/sort/merge_sort.hpp"  // merge_sort
#include "tartan/algorithms/sort/plain_sort.hpp"  // plain_sort
#include "tartan/algorithms/sort/radix.hpp"       // radix_sort
#include "tartan/algorithms/sort/small_sort.hpp"  // copied_freely, sort_on_the_spot
#include "tartan/algorithms/unattended.hpp"       // unattended
#include "tartan/core/errors.hpp"                 // cancelled, raise
#include "tartan/core/slots.hpp"                  // slots
#include "tartan/exec/backend.hpp"                // shared_memory_backend
#include "tartan/exec/policy.hpp"                 // execution_policy, supports
#include "tartan/exec/source.hpp"                 // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// One call. All kernels are stable.
template <class P, class It, class Compare, class Proj>
class sort_call {
  using element = std::iter_value_t<It>;
  using backend_type = typename P::backend_type;
  using projected = std::invoke_result_t<Proj&, std::iter_reference_t<It>>;
  using key = std::decay_t<projected>;

 public:
  sort_call(P const& policy, It first, std::size_t n, std::size_t alignment, Compare& compare, Proj& proj)
      : backend_(policy.backend()),
        props_(unattended(policy.props())),  // a stop must not end the way between two arrays half-way
        first_(first),
        n_(n),
        alignment_(alignment),
        compare_(compare),
        proj_(proj) {}

  /// Sorts a few elements before anything is made ready. Returns false if it did nothing.
  static bool on_the_spot(It first, std::size_t n, Compare& compare, Proj& proj) {
    if constexpr (moves_well && std::contiguous_iterator<It>) {
      auto less = [&](element& a, element& b) -> bool {
        if constexpr (radix_number<key> && known)
          return number(std::invoke(proj, a)) < number(std::invoke(proj, b));
        else
          return static_cast<bool>(std::invoke(compare, std::invoke(proj, a), std::invoke(proj, b)));
      };
      return sort_on_the_spot(std::to_address(first), n, less);
    } else {
      return n < 2;
    }
  }

  void run() {
    if (in_order()) return;
    if constexpr (radix_number<key> && known)
      in_place_ ? by_number() : by_number_of_entries();
    else if constexpr (is_text<key> && known && refers_to_text)
      by_text();
    else if constexpr (moves_well && std::contiguous_iterator<It> && sizeof(element) <= 128)
      by_comparison();
    else
      by_comparison_of_indices();
  }

 private:
  static constexpr std::size_t worth_a_look = 2048;  ///< elements, of numbers: fewer are soon sorted by their digits
  static constexpr bool known = known_order<Compare, key>;
  static constexpr bool descending = means_greater<Compare, key>;
  static constexpr bool moves_well =
      std::is_nothrow_move_constructible_v<element> && std::is_nothrow_move_assignable_v<element>;
  static constexpr bool in_place_ = copied_freely<element> && std::contiguous_iterator<It> && sizeof(element) <= 16 &&
                                    std::is_nothrow_invocable_v<Proj&, element&>;
  static constexpr bool refers_to_text = std::is_lvalue_reference_v<projected> || std::is_same_v<key, std::string_view>;

  [[nodiscard]] bool before(std::size_t i, std::size_t j) {
    return static_cast<bool>(
        std::invoke(compare_, std::invoke(proj_, at(first_, i)), std::invoke(proj_, at(first_, j))));
  }

  /// The same by the order in which not-a-numbers have a place.
  [[nodiscard]] bool has_place_before(std::size_t i, std::size_t j) {
    if constexpr (radix_number<key> && known)
      return number(std::invoke(proj_, at(first_, i))) < number(std::invoke(proj_, at(first_, j)));
    else
      return before(i, j);
  }

  /// Ends at the first pair that is out of order; turns what descends.
  bool in_order() {
    std::size_t i = 1;
    while (i != n_ && !has_place_before(i, i - 1)) ++i;
    if (i == n_) return true;
    bool ties = i != 1;
    if (ties && has_place_before(0, i - 1)) return false;
    for (; i != n_; ++i)
      if (!has_place_before(i, i - 1)) {
        if (has_place_before(i - 1, i)) return false;
        ties = true;
      }
    turn(0, n_);
    if (ties) turn_equals();
    return true;
  }

  void turn(std::size_t low, std::size_t end) {
    for (std::size_t high = end; low + 1 < high; ++low)
      std::ranges::iter_swap(advanced(first_, low), advanced(first_, --high));
  }

  /// Equal elements have the order that they had before all were turned.
  void turn_equals() {
    for (std::size_t begin = 0, end = 1; begin != n_; begin = end++) {
      while (end != n_ && !has_place_before(end - 1, end)) ++end;
      turn(begin, end);
    }
  }

  template <class F>
  void each(F&& f) const {
    backend_.for_range(props_, n_, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) f(i);
    });
  }

  static auto number(key k) noexcept {
    auto const bits = radix_key(k);
    return descending ? static_cast<decltype(bits)>(~bits) : bits;
  }

  void by_number() {
    if constexpr (in_place_) {
      slots<element> other(n_);
      using key_of = number_of_element<element, Proj>;
      using less_type = less_by_number<element, Proj>;
      key_of const number_of(proj_, descending);
      less_type less{number_of};
      using by_digits = radix_sort<element, key_of, backend_type>;
      using by_order = plain_sort<element, less_type, backend_type, by_digits>;
      element* const home = std::to_address(first_);
      by_digits const radix(backend_, props_, number_of);
      if (n_ >= worth_a_look && by_order::looks_ordered(home, n_, less))
        by_order(backend_, props_, less, radix)(home, other.data(), n_);
      else
        radix(home, other.data(), n_);
    }
  }

  void by_number_of_entries() {
    slots<sort_entry> entries(n_), other(n_);
    each([&](std::size_t i) {
      entries[i] = {static_cast<std::uint64_t>(number(std::invoke(proj_, at(first_, i)))), i};
    });
    radix_sort<sort_entry, key_of_entry, backend_type>(backend_, props_, {})(entries.data(), other.data(), n_);
    permute(backend_, props_, first_, n_, alignment_, [&](std::size_t i) { return entries[i].index; });
  }

  void by_text() {
    slots<sort_entry> entries(n_), other(n_);
    each([&](std::size_t i) { entries[i] = {0, i}; });
    auto const text_of = [this](std::size_t i) { return std::string_view(std::invoke(proj_, at(first_, i))); };
    text_sort<descending, decltype(text_of), backend_type>(backend_, props_, text_of)(entries.data(), other.data(), n_);
    permute(backend_, props_, first_, n_, alignment_, [&](std::size_t i) { return entries[i].index; });
  }

  void by_comparison() {
    element* const home = std::to_address(first_);
    auto less = [this](element& a, element& b) -> bool {
      return static_cast<bool>(std::invoke(compare_, std::invoke(proj_, a), std::invoke(proj_, b)));
    };
    slots<element> other(n_);
    if constexpr (copied_freely<element>) {
      plain_sort<element, decltype(less), backend_type>(backend_, props_, less)(home, other.data(), n_);
    } else {
      each([&](std::size_t i) { other.make(i, [&]() -> element { return std::move(home[i]); }); });
      merge_sort<element, decltype(less), backend_type>(backend_, props_, less).into(other.data(), home, n_);
    }
  }

  void by_comparison_of_indices() {
    slots<std::size_t> from(n_), index(n_);
    each([&](std::size_t i) { from[i] = i; });
    auto less = [this](std::size_t i, std::size_t j) { return before(i, j); };
    merge_sort<std::size_t, decltype(less), backend_type>(backend_, props_, less).into(from.data(), index.data(), n_);
    permute(backend_, props_, first_, n_, alignment_, [&](std::size_t i) { return index[i]; });
  }

  backend_type const& backend_;
  properties props_;
  It first_;
  std::size_t n_, alignment_;
  Compare& compare_;
  Proj& proj_;
};

template <class P, class R, class Compare, class Proj>
void sort_range(P const& policy, R& r, Compare& compare, Proj& proj) {
  static_assert(std::sortable<std::ranges::iterator_t<R>, Compare, Proj>,
                "tartan: sort(policy, range, comparator, projection) needs a range whose elements can be moved and "
                "swapped, and a comparator that takes two projected elements");
  static_assert(shared_memory_backend<typename P::backend_type>,
                "tartan: sort works in place and needs workers that see the caller's memory; use seq, par or par_simd");
  static_assert(supports<P, (property::grain | property::relaxed)>,
                "tartan: sort does not support a property of this policy (it takes workers, stop, progress, name, on)");
  if (policy.props().stop.requested()) raise<cancelled>();
  auto const first = std::ranges::begin(r);
  std::size_t const n = length(r);
  using call = sort_call<P, std::remove_const_t<decltype(first)>, Compare, Proj>;
  if (!call::on_the_spot(first, n, compare, proj))
    call(policy, first, n, write_alignment<std::remove_cvref_t<R>>, compare, proj).run();
  policy.props().progress.finished(n);  // no element has its place before
}

}  // namespace detail

/// Sorts r; equal elements may change places.
///
///     tartan::sort(tartan::par, v);
///     tartan::sort(tartan::par, people, std::ranges::greater{}, &person::age);
///
/// @param r        A random-access range with a size.
/// @param compare  A strict weak order; called from several threads at once.
/// @param proj     What is compared: a function or a pointer to a member; called from several threads at once.
///
/// Complexity: O(n) for numbers of up to 64 bits and O(total length) for std::string and std::string_view under less or
/// greater, also through a projection; O(n log n) comparisons, span O(n) where elements are copied freely, O(log^3 n)
/// else; fewer of what is nearly in order, consists of a few runs, or has few distinct values. Extra memory: a second
/// array of n elements, or 32 bytes an element where elements are large, throw when moved or are not trivial; both for
/// texts; room for those that are out of order, where few are.
/// Determinism: the result is that of stable_sort on every run.
/// Exceptions: what compare or proj throws; the elements are then all there, in some order. A compare that is no strict
/// weak order leaves them in some order, too. Not-a-numbers stand at the ends. If memory is short (std::bad_alloc),
/// nothing has changed. A stop is looked at before the first move only.
/// Blocking: the calling thread takes part. Thread safety: may be called from many threads and from inside tasks.
template <execution_policy P, divisible_range R, class Compare = std::ranges::less, class Proj = std::identity>
void sort(P const& policy, R&& r, Compare compare = {}, Proj proj = {}) {
  detail::sort_range(policy, r, compare, proj);
}

/// Sorts r; equal elements keep their order. Everything else as sort.
///
///     tartan::stable_sort(tartan::par, people, {}, &person::age);
template <execution_policy P, divisible_range R, class Compare = std::ranges::less, class Proj = std::identity>
void stable_sort(P const& policy, R&& r, Compare compare = {}, Proj proj = {}) {
  detail::sort_range(policy, r, compare, proj);
}

}  // namespace tartan::inline TARTAN_ABI
