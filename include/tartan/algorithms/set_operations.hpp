#pragma once
// Sorted ranges as sets in which elements may be equal: set_union, set_intersection, set_difference,
// set_symmetric_difference.

#include <algorithm>    // max, min
#include <concepts>     // constructible_from, default_initializable
#include <cstddef>      // size_t
#include <functional>   // identity, invoke, ranges::less
#include <iterator>     // iter_reference_t
#include <memory>       // addressof, make_unique_for_overwrite, unique_ptr
#include <ranges>       // begin, range_value_t
#include <type_traits>  // conditional_t, is_*_v
#include <utility>      // move
#include <vector>       // vector

#include "tartan/algorithms/in_memory.hpp"   // check_works_in_memory
#include "tartan/algorithms/merge/cuts.hpp"  // cuts_of, merge_blocks, merged_from_left
#include "tartan/algorithms/projected.hpp"   // tests_pair
#include "tartan/algorithms/unattended.hpp"  // unattended
#include "tartan/algorithms/vector_of.hpp"   // vector_of_blocks
#include "tartan/core/slots.hpp"             // slots
#include "tartan/exec/policy.hpp"            // execution_policy
#include "tartan/exec/source.hpp"            // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What goes into the result: elements of the left without an equal partner on the right, of the right without one on
/// the left, and of the left with one.
struct set_choice {
  bool left_alone, right_alone, both;
};

/// What a block keeps, of elements that are plain bytes: a vector would be zeroed before it is filled.
template <class T>
class plain_piece {
 public:
  [[nodiscard]] T* reserve(std::size_t most) {
    room_ = std::make_unique_for_overwrite<T[]>(most);
    return room_.get();
  }
  void push_back(T x) noexcept { room_[size_++] = x; }
  void set_size(std::size_t n) noexcept { size_ = n; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return room_[i]; }

 private:
  std::unique_ptr<T[]> room_;
  std::size_t size_ = 0;
};

/// One call. Both ranges are cut where a run of equal elements begins, at the same value on both sides; each block
/// walks through its two pieces and collects what it keeps; then the pieces of the result come together.
template <set_choice Choice, class T, class P, class A, class B, class Compare, class ProjA, class ProjB>
class set_call {
 public:
  set_call(P const& policy, A a, std::size_t n, B b, std::size_t m, Compare& compare, ProjA& proj_a, ProjB& proj_b)
      : policy_(policy), a_(a), b_(b), n_(n), m_(m), compare_(compare), proj_a_(proj_a), proj_b_(proj_b) {}

  std::vector<T> run() {
    block_plan const plan = merge_blocks(n_ + m_);
    auto const cuts =
        monotone(cuts_of(policy_.backend(), policy_.props(), plan, {n_, m_}, [this](std::size_t k) { return cut(k); }));
    slots<piece> pieces(plan.count());
    std::size_t const size = plan.count() == 0 ? 1 : plan[0].size();
    policy_.backend().for_range(policy_.props(), n_ + m_, size, [&](std::size_t begin, std::size_t end) {
      for (std::size_t block = begin / size; block * size < end; ++block)
        pieces.make(block, [&] { return chosen(cuts[block], cuts[block + 1]); });
    });
    if constexpr (!without_branch)
      if (pieces.size() == 1) return std::move(pieces[0]);
    return joined(pieces);
  }

 private:
  static constexpr bool without_branch = std::is_same_v<std::iter_reference_t<A>, std::iter_reference_t<B>> &&
                                         std::is_lvalue_reference_v<std::iter_reference_t<A>> &&
                                         std::is_trivially_copyable_v<T> && sizeof(T) <= 16 &&
                                         std::default_initializable<T> && std::is_copy_assignable_v<T> &&
                                         std::is_same_v<std::remove_cvref_t<std::iter_reference_t<A>>, T>;

  using piece = std::conditional_t<without_branch, plain_piece<T>, std::vector<T>>;

  template <class X, class ProjX, class Y, class ProjY>
  bool less(X const& x, ProjX& proj_x, std::size_t i, Y const& y, ProjY& proj_y, std::size_t j) {
    return static_cast<bool>(std::invoke(compare_, std::invoke(proj_x, at(x, i)), std::invoke(proj_y, at(y, j))));
  }
  bool less_ab(std::size_t i, std::size_t j) { return less(a_, proj_a_, i, b_, proj_b_, j); }
  bool less_ba(std::size_t j, std::size_t i) { return less(b_, proj_b_, j, a_, proj_a_, i); }

  /// The first of n indices for which before() no longer holds.
  template <class Before>
  static std::size_t lower_bound(std::size_t n, Before before) {
    std::size_t first = 0;
    while (n != 0) {
      std::size_t const half = n / 2;
      if (before(first + half)) {
        first += half + 1;
        n -= half + 1;
      } else {
        n = half;
      }
    }
    return first;
  }

  /// Before the run of elements, on either side, that are equal to merged element k.
  merge_cut cut(std::size_t k) {
    auto right_is_less = [this](std::size_t j, std::size_t i) { return less_ba(j, i); };
    std::size_t const i = merged_from_left(k, n_, m_, right_is_less), j = k - i;
    if (i == n_ && j == m_) return {i, j};
    if (i == n_ || (j != m_ && right_is_less(j, i)))
      return {lower_bound(i, [&](std::size_t x) { return less_ab(x, j); }),
              lower_bound(j, [&](std::size_t x) { return less(b_, proj_b_, x, b_, proj_b_, j); })};
    return {lower_bound(i, [&](std::size_t x) { return less(a_, proj_a_, x, a_, proj_a_, i); }),
            lower_bound(j, [&](std::size_t x) { return less_ba(x, i); })};
  }

  /// Comparisons that contradict each other must not send a block backwards.
  static std::vector<merge_cut> monotone(std::vector<merge_cut> cuts) {
    for (std::size_t b = 1; b < cuts.size(); ++b)
      cuts[b] = {(std::max)(cuts[b].left, cuts[b - 1].left), (std::max)(cuts[b].right, cuts[b - 1].right)};
    return cuts;
  }

  piece chosen(merge_cut begin, merge_cut end) {
    std::size_t const left = end.left - begin.left, right = end.right - begin.right;
    std::size_t const most = Choice.right_alone ? left + right : Choice.left_alone ? left : (std::min)(left, right);
    piece out;
    if constexpr (without_branch) {
      T* const room = out.reserve(most);
      out.set_size(choose_without_branch(begin, end, room));
    } else {
      out.reserve(most);
      choose(begin, end, out);
    }
    if constexpr (Choice.left_alone)
      for (; begin.left != end.left; ++begin.left) out.push_back(T(at(a_, begin.left)));
    if constexpr (Choice.right_alone)
      for (; begin.right != end.right; ++begin.right) out.push_back(T(at(b_, begin.right)));
    return out;
  }

  /// Until one side has come to its end.
  void choose(merge_cut& next, merge_cut end, std::vector<T>& out) {
    auto& [i, j] = next;
    while (i != end.left && j != end.right) {
      if (less_ab(i, j)) {
        if constexpr (Choice.left_alone) out.push_back(T(at(a_, i)));
        ++i;
      } else if (less_ba(j, i)) {
        if constexpr (Choice.right_alone) out.push_back(T(at(b_, j)));
        ++j;
      } else {
        if constexpr (Choice.both) out.push_back(T(at(a_, i)));
        ++i, ++j;
      }
    }
  }

  /// The same where elements are cheap to copy: every step writes, and counts what it has written if it is to stay.
  std::size_t choose_without_branch(merge_cut& next, merge_cut end, T* out) {
    std::size_t i = next.left, j = next.right, kept = 0;
    while (i != end.left && j != end.right) {
      bool const left = less_ab(i, j), right = !left & less_ba(j, i);  // never both, whatever is answered
      bool const stays = (Choice.left_alone & left) | (Choice.right_alone & right) | (Choice.both & !left & !right);
      auto const* const value = right ? std::addressof(at(b_, j)) : std::addressof(at(a_, i));
      out[kept] = *value;
      kept += stays;
      i += !right;
      j += !left;
    }
    next = {i, j};
    return kept;
  }

  std::vector<T> joined(slots<piece>& pieces) {
    std::vector<std::size_t> before(pieces.size() + 1);
    for (std::size_t p = 0; p != pieces.size(); ++p) before[p + 1] = before[p] + pieces[p].size();
    return vector_of_blocks<T>(policy_, before, [&](std::size_t first, std::size_t last, auto const& put) {
      auto const move_pieces = [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = first + begin; p != first + end; ++p)
          for (std::size_t i = 0; i != pieces[p].size(); ++i) put(before[p] + i, T(std::move(pieces[p][i])));
      };
      if constexpr (std::is_same_v<T, bool>)
        move_pieces(0, last - first);
      else
        policy_.backend().for_range(unattended(policy_.props()), last - first, std::size_t{1}, move_pieces);
    });
  }

  P const& policy_;
  A a_;
  B b_;
  std::size_t n_, m_;
  Compare& compare_;
  ProjA& proj_a_;
  ProjB& proj_b_;
};

template <set_choice Choice, class P, class A, class B, class Compare, class ProjA, class ProjB>
auto set_operation(P const& policy, A& a, B& b, Compare& compare, ProjA& proj_a, ProjB& proj_b) {
  using T = std::ranges::range_value_t<A>;
  check_works_in_memory<P>();
  static_assert(std::constructible_from<T, std::ranges::range_reference_t<A>> &&
                    std::constructible_from<T, std::ranges::range_reference_t<B>>,
                "tartan: set operations copy elements into a vector of the first range's element type");
  static_assert(
      tests_pair<Compare, ProjA, A, ProjB, B> && tests_pair<Compare, ProjB, B, ProjA, A>,
      "tartan: set operations need a comparator that takes projected elements of both ranges, in either order");
  auto const left = plain(std::ranges::begin(a));
  auto const right = plain(std::ranges::begin(b));
  return set_call<Choice, T, P, std::remove_const_t<decltype(left)>, std::remove_const_t<decltype(right)>, Compare,
                  ProjA, ProjB>(policy, left, length(a), right, length(b), compare, proj_a, proj_b)
      .run();
}

}  // namespace detail

/// A sorted vector of copies of what is in a or in b; where both have equal elements, as many as the one that has more:
/// first those of a.
///
///     std::vector<int> all = tartan::set_union(tartan::par, a, b);
///     auto known = tartan::set_intersection(tartan::par, people, names, {}, &person::name);
///
/// @param a, b     Random-access ranges with a size, each sorted by compare; elements may be equal.
/// @param compare  A strict weak order; called from several threads at once, as the projections are.
///
/// Complexity: at most 2 (n + m) comparisons and a few binary searches for each of up to (n + m) / 64 blocks; a run of
/// equal elements is in one block. Extra memory: room for what the result could hold at most (n + m elements here), and
/// the result once more where its elements are not plain bytes.
/// Determinism: the result is that of std::set_union. Exceptions: of the block that begins lowest. A compare that is no
/// strict weak order, or ranges that are not sorted, give some of the elements. Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range A, divisible_range B, class Compare = std::ranges::less,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] auto set_union(P const& policy, A&& a, B&& b, Compare compare = {}, ProjA proj_a = {},
                             ProjB proj_b = {}) {
  return detail::set_operation<detail::set_choice{true, true, true}>(policy, a, b, compare, proj_a, proj_b);
}

/// Copies of the elements of a that have an equal partner in b. Everything else as set_union.
template <execution_policy P, divisible_range A, divisible_range B, class Compare = std::ranges::less,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] auto set_intersection(P const& policy, A&& a, B&& b, Compare compare = {}, ProjA proj_a = {},
                                    ProjB proj_b = {}) {
  return detail::set_operation<detail::set_choice{false, false, true}>(policy, a, b, compare, proj_a, proj_b);
}

/// Copies of the elements of a that have no equal partner in b. Everything else as set_union.
template <execution_policy P, divisible_range A, divisible_range B, class Compare = std::ranges::less,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] auto set_difference(P const& policy, A&& a, B&& b, Compare compare = {}, ProjA proj_a = {},
                                  ProjB proj_b = {}) {
  return detail::set_operation<detail::set_choice{true, false, false}>(policy, a, b, compare, proj_a, proj_b);
}

/// Copies of the elements of either range that have no equal partner in the other. Everything else as set_union.
template <execution_policy P, divisible_range A, divisible_range B, class Compare = std::ranges::less,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] auto set_symmetric_difference(P const& policy, A&& a, B&& b, Compare compare = {}, ProjA proj_a = {},
                                            ProjB proj_b = {}) {
  return detail::set_operation<detail::set_choice{true, true, false}>(policy, a, b, compare, proj_a, proj_b);
}

}  // namespace tartan::inline TARTAN_ABI
