#pragma once
// Chance that depends on a seed alone, never on the workers: shuffle, sample.

#include <algorithm>      // min, nth_element, sort
#include <bit>            // bit_width
#include <concepts>       // constructible_from
#include <cstddef>        // ptrdiff_t, size_t
#include <cstdint>        // uint64_t
#include <iterator>       // iter_value_t, permutable
#include <ranges>         // begin, iter_move, iter_swap, range_value_t, views::iota
#include <type_traits>    // is_nothrow_move_*
#include <unordered_set>  // unordered_set
#include <utility>        // exchange, move, swap
#include <vector>         // vector

#include "tartan/algorithms/filter.hpp"         // copy_if
#include "tartan/algorithms/in_memory.hpp"      // check_works_in_memory
#include "tartan/algorithms/map.hpp"            // map, write_alignment
#include "tartan/algorithms/random/bits.hpp"    // random_bits, random_numbers, seed_from, seeding
#include "tartan/algorithms/sort/indirect.hpp"  // permute
#include "tartan/algorithms/unattended.hpp"     // unattended
#include "tartan/core/errors.hpp"               // bad_argument, cancelled, raise
#include "tartan/core/slots.hpp"                // slots
#include "tartan/exec/policy.hpp"               // execution_policy
#include "tartan/exec/source.hpp"               // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// A random order of n elements: one exchange after the other where all fit a cache, else in two steps. Every element
/// goes to a bucket that chance gives it, in blocks fixed by n; then each bucket, which fits a cache, comes back in a
/// random order. Every order is as likely as any other. Source: Sanders: Random Permutations on Distributed, External
/// and Hierarchical Memory (1998).
template <class Backend>
class bucket_shuffle {
 public:
  /// `size`: of an element, in bytes. `alone`: elements may not be written by two workers at a time.
  bucket_shuffle(Backend const& backend, properties const& props, std::size_t n, std::size_t size, std::uint64_t seed,
                 bool alone)
      : backend_(backend),
        props_(props),
        n_(n),
        in_buckets_(n > cached / size),
        seed_(seed),
        labels_(seed, 0),
        alone_(alone) {}

  /// Brings the elements of [first, first + n) into a random order; their moves do not throw.
  template <class It>
  void operator()(It first) const {
    using T = std::iter_value_t<It>;
    if (!in_buckets_) {
      random_numbers(seed_, 1).ascending(2, n_ + 1, [&](std::size_t end, std::size_t j) {
        if (j != end - 1) std::ranges::iter_swap(advanced(first, end - 1), advanced(first, j));
      });
      return;
    }
    slots<T> dealt(n_);
    std::vector<std::size_t> const ends = deal(first, dealt);
    auto const collect = [&](std::size_t k) {
      std::size_t const begin = k == 0 ? 0 : ends[k - 1];
      insert_at_random(dealt.data() + begin, ends[k] - begin, advanced(first, begin), k + 1);
    };
    if (alone_)
      for (std::size_t k = 0; k != ends.size(); ++k) collect(k);
    else
      each(ends.size(), collect);
  }

 private:
  static constexpr std::size_t cached = std::size_t{1} << 23;  // bytes: no buckets
  static constexpr std::size_t labels_a_word = 4;

  /// As many buckets as can be filled from the nearest cache, until they are too large for the next one.
  [[nodiscard]] unsigned label_bits() const noexcept {
    auto const bits = [this](unsigned most, unsigned size) {
      return (std::min)(most, static_cast<unsigned>(std::bit_width(n_ >> size)));
    };
    return (std::max)(bits(8, 13), bits(10, 17));
  }

  /// Moves the elements to their buckets, which lie side by side; gives the ends of these.
  template <class It, class T>
  std::vector<std::size_t> deal(It first, slots<T>& to) const {
    unsigned const bits = label_bits();
    std::size_t const buckets = std::size_t{1} << bits;
    std::size_t const length = n_ / 256 / labels_a_word * labels_a_word + labels_a_word;
    block_plan const plan(n_, length);
    std::vector<std::size_t> next(plan.count() * buckets), ends(buckets);
    each(plan.count(), [&](std::size_t b) {
      std::size_t* const count = next.data() + b * buckets;
      for_labels(plan[b], bits, [&](std::size_t, std::size_t label) { ++count[label]; });
    });
    std::size_t sum = 0;
    for (std::size_t k = 0; k != buckets; ++k) {
      for (std::size_t b = 0; b != plan.count(); ++b) sum += std::exchange(next[b * buckets + k], sum);
      ends[k] = sum;
    }
    each(plan.count(), [&](std::size_t b) {
      std::size_t* const place = next.data() + b * buckets;
      for_labels(plan[b], bits, [&](std::size_t i, std::size_t label) {
        to.make(place[label]++, [&]() -> T { return std::ranges::iter_move(advanced(first, i)); });
      });
    });
    return ends;
  }

  /// f(i, label) for the elements of a block, which begins at a multiple of labels_a_word.
  template <class F>
  void for_labels(block b, unsigned bits, F const& f) const {
    std::uint64_t const mask = (std::uint64_t{1} << bits) - 1;
    std::size_t i = b.begin;
    for (; i + labels_a_word <= b.end; i += labels_a_word) {
      std::uint64_t const word = labels_[i / labels_a_word];
      for (std::size_t k = 0; k != labels_a_word; ++k) f(i + k, static_cast<std::size_t>(word >> 16 * k & mask));
    }
    for (std::uint64_t const word = labels_[i / labels_a_word]; i != b.end; ++i)
      f(i, static_cast<std::size_t>(word >> 16 * (i % labels_a_word) & mask));
  }

  /// Each element comes to a place that chance gives it among those that are there already; what lay there gives way.
  template <class T, class It>
  void insert_at_random(T* from, std::size_t n, It to, std::uint64_t stream) const {
    if (n == 0) return;
    at(to, 0) = std::move(from[0]);
    random_numbers(seed_, stream).ascending(2, n + 1, [&](std::size_t end, std::size_t j) {
      std::size_t const last = end - 1;
      if (std::is_trivially_copyable_v<T> || j != last) at(to, last) = std::ranges::iter_move(advanced(to, j));
      at(to, j) = std::move(from[last]);
    });
  }

  template <class F>
  void each(std::size_t n, F const& f) const {
    backend_.for_range(props_, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) f(i);
    });
  }

  Backend const& backend_;
  properties props_;
  std::size_t n_;
  bool in_buckets_;
  std::uint64_t seed_;
  random_bits labels_;
  bool alone_;
};

/// k different numbers below n, ascending: few enough to draw them one by one.
/// Source: Bentley, Floyd: Programming Pearls: A Sample of Brilliance (1987).
inline std::vector<std::size_t> drawn_one_by_one(std::size_t n, std::size_t k, std::uint64_t seed) {
  random_bits const random(seed, 0);
  std::unordered_set<std::size_t> seen(k);
  std::vector<std::size_t> drawn;
  drawn.reserve(k);
  for (std::size_t last = n - k; last != n; ++last) {
    std::size_t const wanted = random.below(last + 1, last);
    std::size_t const taken = seen.insert(wanted).second ? wanted : *seen.insert(last).first;
    drawn.push_back(taken);
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

/// The bits of an index below which k of n indices stay. The bits are all different, so it is always exactly k.
template <class P>
std::uint64_t bits_of_kth(P const& policy, std::size_t n, std::size_t k, random_bits const& random) {
  constexpr unsigned shift = 64 - 10;
  constexpr std::size_t most = std::size_t{1} << 16;
  block_plan const plan(n, (std::max)(most, n / 256 + 1));
  std::vector<std::size_t> count(plan.count() << (64 - shift));
  policy.backend().for_range(unattended(policy.props()), plan.count(), std::size_t{1},
                             [&](std::size_t begin, std::size_t end) {
                               for (std::size_t b = begin; b != end; ++b)
                                 for (std::size_t i = plan[b].begin; i != plan[b].end; ++i)
                                   ++count[(b << (64 - shift)) + static_cast<std::size_t>(random[i] >> shift)];
                             });
  std::uint64_t top = 0;
  for (std::size_t below = 0;; ++top) {
    std::size_t here = 0;
    for (std::size_t b = 0; b != plan.count(); ++b) here += count[(b << (64 - shift)) + top];
    if (below + here >= k) {
      k -= below;
      break;
    }
    below += here;
  }
  std::vector<std::uint64_t> near;
  for (std::size_t const i :
       copy_if(policy, std::views::iota(std::size_t{0}, n), [&](std::size_t x) { return random[x] >> shift == top; }))
    near.push_back(random[i]);
  auto const kth = near.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(near.begin(), kth, near.end());
  return *kth;
}

}  // namespace detail

/// Brings the elements of r into a random order: every order is as likely as any other.
///
///     tartan::shuffle(tartan::par, v, 42);
///     tartan::shuffle(tartan::par, v, std::random_device{});
///
/// @param r     A random-access range with a size.
/// @param seed  A whole number, or a generator from which two are drawn.
///
/// Complexity: O(n); up to 8 MiB by the calling thread alone, which takes less than sharing it. Extra memory: beyond
/// that a second array of n elements; where their moves may throw, 8 or 16 bytes an element. Determinism: decided by
/// the seed, n and the size of an element alone, on every policy and for any number of workers; to bring two ranges
/// into one order, shuffle a zip of them. Exceptions: if memory is short (std::bad_alloc), nothing has changed; of
/// moves that throw. A stop is looked at before the first move only. Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range R, detail::seeding Seed>
void shuffle(P const& policy, R&& r, Seed&& seed) {
  detail::check_works_in_memory<P>();
  using T = std::ranges::range_value_t<R>;
  constexpr std::size_t alignment = detail::write_alignment<std::remove_cvref_t<R>>;
  static_assert(alignment != 1 || std::permutable<std::ranges::iterator_t<R>>,
                "tartan: shuffle(policy, range, seed) needs a range whose elements can be moved and swapped");
  if (policy.props().stop.requested()) detail::raise<cancelled>();
  auto const first = std::ranges::begin(r);
  std::size_t const n = detail::length(r);
  properties const props = detail::unattended(policy.props());
  detail::bucket_shuffle const order(policy.backend(), props, n, sizeof(T), detail::seed_from(seed), alignment != 1);
  if constexpr (std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>) {
    order(first);
  } else {
    std::vector<std::size_t> from(n);
    for (std::size_t i = 0; i != n; ++i) from[i] = i;
    order(from.begin());
    detail::permute(policy.backend(), props, first, n, alignment, [&](std::size_t i) { return from[i]; });
  }
}

/// A vector of copies of k elements of r, in the order of r: every choice of k elements is as likely as any other.
///
///     std::vector<person> some = tartan::sample(tartan::par, people, 100, 42);
///
/// @param k     How many; all elements if there are fewer.
/// @param seed  As for shuffle.
///
/// Complexity: O(k log k) where k is less than a sixteenth of n, else O(n). Extra memory: the positions of the k
/// elements, or a byte for each of r. Determinism: decided by the seed, n and k alone. Exceptions: bad_argument if k is
/// negative; otherwise as for_each, as Blocking and Thread safety are.
template <execution_policy P, divisible_range R, detail::seeding Seed>
[[nodiscard]] auto sample(P const& policy, R&& r, std::ptrdiff_t k, Seed&& seed) {
  detail::check_works_in_memory<P>();
  using T = std::ranges::range_value_t<R>;
  static_assert(std::constructible_from<T, std::ranges::range_reference_t<R>>,
                "tartan: sample copies elements into a vector; give them a copy constructor");
  if (k < 0) detail::raise<bad_argument>("tartan: sample needs a k that is not negative");
  auto const first = std::ranges::begin(r);
  std::size_t const n = detail::length(r), wanted = (std::min)(n, static_cast<std::size_t>(k));
  std::uint64_t const start = detail::seed_from(seed);
  auto const copy = [&](std::size_t i) -> T { return detail::at(first, i); };
  if (wanted < n / 16) return map(policy.or_scalar(), detail::drawn_one_by_one(n, wanted, start), copy);
  P const uncounted(policy.backend(), detail::unattended(policy.props()));
  detail::random_bits const random(start, 0);
  std::uint64_t const last = wanted == 0 ? 0 : detail::bits_of_kth(uncounted, n, wanted, random);
  auto const chosen = copy_if(uncounted, std::views::iota(std::size_t{0}, n),
                              [&](std::size_t i) { return wanted != 0 && random[i] <= last; });
  return map(policy.or_scalar(), chosen, copy);
}

}  // namespace tartan::inline TARTAN_ABI
