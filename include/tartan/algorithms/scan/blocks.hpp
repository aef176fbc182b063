#pragma once
// What a block of a scan comes to, and its scan once it is known what comes before.

#include <algorithm>    // clamp, min
#include <array>        // array
#include <cstddef>      // size_t
#include <functional>   // identity, invoke
#include <optional>     // optional
#include <type_traits>  // is_arithmetic_v, type_identity
#include <utility>      // move

#include "tartan/core/config.hpp"      // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/exec/combine.hpp"     // in_lanes
#include "tartan/exec/leaf.hpp"        // advanced, at, plain
#include "tartan/exec/scan_block.hpp"  // scalar_scan_block, write_at

namespace tartan::inline TARTAN_ABI::detail {

/// One chain of combines: writes what has come together before (exclusive) or with (inclusive) each element, and gives
/// what has come together at the end. `before` is empty only at the very left of an inclusive scan without init.
template <bool Inclusive, class T, class It, class Out, class Combine>
void scan_chain(It first, Out out, std::size_t n, std::optional<T> before, Combine& combine) {
  std::size_t i = 0;
  if (!before.has_value()) {
    before.emplace(static_cast<T>(at(first, 0)));
    write_at(out, 0, *before);
    i = 1;
  }
  T running = std::move(*before);
  for (; i != n; ++i) {
    if constexpr (Inclusive) {
      running = static_cast<T>(std::invoke(combine, std::move(running), at(first, i)));
      write_at(out, i, running);
    } else {
      T next = static_cast<T>(std::invoke(combine, static_cast<T const&>(running), at(first, i)));
      write_at(out, i, std::move(running));
      running = std::move(next);
    }
  }
}

/// What a block comes to, and its scan once it is known what comes before: every element in its turn.
template <bool Inclusive, class T, class Combine>
struct plain_block {
  static constexpr bool scan_needs_total(std::size_t) noexcept { return false; }

  static constexpr std::size_t length(std::size_t n) noexcept {
    constexpr std::size_t most = sizeof(T) < (std::size_t{1} << 18) ? (std::size_t{1} << 18) / sizeof(T) : 1;
    return std::clamp<std::size_t>(n / 64 + (n % 64 != 0 ? 1 : 0), 1, most);
  }

  Combine& combine;

  template <class It>
  T total(It first, std::size_t n) {
    T sum = static_cast<T>(at(first, 0));
    for (std::size_t i = 1; i != n; ++i) sum = static_cast<T>(std::invoke(combine, std::move(sum), at(first, i)));
    return sum;
  }
  template <class It, class Out>
  void scan(It first, Out out, std::size_t n, std::optional<T> const& before) {
    scan_chain<Inclusive, T>(first, out, n, before, combine);
  }
};

/// Numbers: a block is eight chains that advance side by side, so that none waits for the latency of the others, nor
/// for the first bytes of a page. The whole block stays in the second-level cache between its two passes.
template <class T>
struct block_of_chains {
  static constexpr std::size_t chains = 8;
  /// About 32 KB, but no multiple of 4 KB: the heads of the chains would meet in one set of the first-level cache. A
  /// block has a multiple of 64 elements.
  static constexpr std::size_t chain = ((std::size_t{1} << 15) + 512) / sizeof(T);
  static constexpr std::size_t length(std::size_t) noexcept { return chains * chain; }
  static constexpr bool scan_needs_total(std::size_t n) noexcept { return n > chain; }
};

/// Under a combine that works in lanes the leaf has kernels for both passes.
template <bool Inclusive, class T, class Leaf, class Combine>
class lane_block : public block_of_chains<T> {
 public:
  explicit lane_block(Combine& its_combine) noexcept : combine_(its_combine) {}

  template <class It>
  T total(It first, std::size_t n) {
    for (std::size_t j = 0; j * chain < n; ++j) {
      std::identity same;
      typename Leaf::template reducer<T, std::identity, Combine> fold(same, combine_);
      fold.add(advanced(first, j * chain), (std::min)(chain, n - j * chain));
      total_[j] = fold.finish();
    }
    T sum = total_[0];
    for (std::size_t j = 1; j * chain < n; ++j) sum = static_cast<T>(combine_(sum, total_[j]));
    return sum;
  }

  template <class It, class Out>
  void scan(It first, Out out, std::size_t n, std::optional<T> const& before) {
    std::array<T, chains> start{};
    if (before) start[0] = *before;
    for (std::size_t j = 1; j * chain < n; ++j)
      start[j] = j == 1 && !before ? total_[0] : static_cast<T>(combine_(start[j - 1], total_[j - 1]));
    std::size_t const piece = n <= chain ? chain : turn;
    for (std::size_t done = 0; done < (std::min)(n, chain); done += piece)
      for (std::size_t j = 0; j * chain + done < n; ++j) {
        std::size_t const begin = j * chain + done, end = (std::min)({n, (j + 1) * chain, begin + piece});
        bool const leftmost = begin == 0 && !before;
        start[j] =
            scan_piece(advanced(first, begin), advanced(out, begin), end - begin, leftmost ? nullptr : &start[j]);
      }
  }

  template <class It, class Out>
  static constexpr bool in_one_look = requires(It first, Out out, T const* before, Combine& combine) {
    Leaf::template scan_and_fold_block<Inclusive, T>(first, out, 0, before, combine);
  };

  /// total() and scan() in one look, as nobody waits for the total: gives it, unless less than a chain is left at last.
  template <class It, class Out>
  T scan_and_total(It first, Out out, std::size_t n, std::optional<T> const& before) {
    T start{}, sum{};
    if (before) start = *before;
    for (std::size_t begin = 0; begin < n; begin += chain) {
      T const* const left = begin == 0 && !before ? nullptr : &start;
      It const from = advanced(first, begin);
      Out const to = advanced(out, begin);
      if (n - begin < chain) {
        scan_piece(from, to, n - begin, left);
        break;
      }
      T const total = Leaf::template scan_and_fold_block<Inclusive, T>(from, to, chain, left, combine_);
      start = left == nullptr ? total : static_cast<T>(combine_(start, total));
      sum = begin == 0 ? total : static_cast<T>(combine_(sum, total));
    }
    return sum;
  }

 private:
  using block_of_chains<T>::chain, block_of_chains<T>::chains;
  static constexpr std::size_t turn =
      256 / sizeof(T);  // of one chain, before the next is on; long turns are slow from memory

  template <class It, class Out>
  T scan_piece(It first, Out out, std::size_t n, T const* before) {
    if constexpr (requires { Leaf::template scan_block<Inclusive, T>(first, out, n, before, combine_); })
      return Leaf::template scan_block<Inclusive, T>(first, out, n, before, combine_);
    else
      return scalar_scan_block<Inclusive, T>(first, out, n, before, combine_);
  }

  Combine& combine_;
  std::array<T, chains> total_{};
};

/// Any other combine keeps to the order of the elements.
template <bool Inclusive, class T, class Combine>
class chained_block : public block_of_chains<T> {
 public:
  explicit chained_block(Combine& its_combine) noexcept : combine_(its_combine) {}

  template <class It>
  T total(It first, std::size_t n) {
    if (n == chains * chain) {
      total_of_chains(plain(first));
    } else {
      for (std::size_t j = 0; j * chain < n; ++j)
        total_[j] = total_of_one(advanced(first, j * chain), (std::min)(chain, n - j * chain));
    }
    T sum = total_[0];
    for (std::size_t j = 1; j * chain < n; ++j) sum = together(sum, total_[j]);
    return sum;
  }

  template <class It, class Out>
  void scan(It first, Out out, std::size_t n, std::optional<T> const& before) {
    std::array<T, chains> start{};
    for (std::size_t j = 1; j * chain < n; ++j)
      start[j] = j != 1 ? together(start[j - 1], total_[j - 1]) : before ? together(*before, total_[0]) : total_[0];
    if (n == chains * chain && before) {
      start[0] = *before;
      scan_side_by_side(plain(first), plain(out), start);
    } else {
      scan_chain<Inclusive, T>(first, out, (std::min)(chain, n), before, combine_);
      for (std::size_t j = 1; j * chain < n; ++j)
        scan_chain<Inclusive, T>(advanced(first, j * chain), advanced(out, j * chain), (std::min)(chain, n - j * chain),
                                 std::optional<T>(start[j]), combine_);
    }
  }

 private:
  using block_of_chains<T>::chain, block_of_chains<T>::chains;

  TARTAN_ALWAYS_INLINE T together(T a, T b) { return static_cast<T>(std::invoke(combine_, a, b)); }

  template <class It>
  T total_of_one(It first, std::size_t n) {
    T sum = static_cast<T>(at(first, 0));
    for (std::size_t i = 1; i != n; ++i) sum = together(sum, static_cast<T>(at(first, i)));
    return sum;
  }

  template <class It>
  void total_of_chains(It from) {
    std::array<T, chains> sum;
    for (std::size_t j = 0; j != chains; ++j) sum[j] = static_cast<T>(at(from, j * chain));
    for (std::size_t i = 1; i != chain; ++i)
      for (std::size_t j = 0; j != chains; ++j) sum[j] = together(sum[j], static_cast<T>(at(from, j * chain + i)));
    total_ = sum;
  }

  template <class It, class Out>
  void scan_side_by_side(It from, Out to, std::array<T, chains> running) {
    for (std::size_t i = 0; i != chain; ++i)
      for (std::size_t j = 0; j != chains; ++j) {
        T const next = together(running[j], static_cast<T>(at(from, j * chain + i)));
        write_at(to, j * chain + i, Inclusive ? next : running[j]);
        running[j] = next;
      }
  }

  Combine& combine_;
  std::array<T, chains> total_{};
};

/// How the blocks of a scan are worked on.
template <bool Inclusive, class T, class Leaf, class Combine>
consteval auto block_work() {
  if constexpr (in_lanes<Combine, T>)
    return std::type_identity<lane_block<Inclusive, T, Leaf, Combine>>{};
  else if constexpr (std::is_arithmetic_v<T>)
    return std::type_identity<chained_block<Inclusive, T, Combine>>{};
  else
    return std::type_identity<plain_block<Inclusive, T, Combine>>{};
}

}  // namespace tartan::inline TARTAN_ABI::detail
