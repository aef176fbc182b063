#pragma once
// A large vector of plain numbers that is filled while it grows.

#include <cstddef>      // size_t
#include <cstdint>      // uint64_t, uintptr_t
#include <type_traits>  // is_same_v, is_trivially_*_v
#include <vector>       // vector

#include "tartan/algorithms/unattended.hpp"  // unattended
#include "tartan/core/large_pages.hpp"       // large_page, populate_pages, prefer_large_pages, worth_large_pages
#include "tartan/core/smaller.hpp"           // larger, smaller
#include "tartan/core/ticks.hpp"             // ticks, ticks_per_us

namespace tartan::inline TARTAN_ABI::detail {

/// Resizing a vector of these writes zeros and calls nobody.
template <class T>
inline constexpr bool plain_to_grow =
    std::is_trivially_default_constructible_v<T> && std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>;

/// The steps by which `out`, which is empty, grows to n elements. A vector zeroes what it grows by, on the thread that
/// asks, and touches fresh memory there. Done at once that costs more than most functions: a page fault in each page,
/// a way to memory for the zeros and another for the elements. So it grows by as much as stays in a cache until it is
/// filled, its pages come by all workers, and somebody fills one step while somebody else zeroes the next.
template <class T, class Backend>
class growth {
  static_assert(plain_to_grow<T>);

 public:
  growth(Backend const& backend, properties const& props, std::vector<T>& out, std::size_t n)
      : backend_(backend), props_(unattended(props)), width_(backend.width(props)), out_(out), n_(n) {
    out.reserve(n);
    prefer_large_pages(out.data(), n * sizeof(T));
  }

  /// Calls fill(begin, end) for consecutive parts of [0, n), each of which exists by then. Parts end where `cut` says:
  /// a place in (begin, end], or begin where there is none.
  template <class Cut, class Fill>
  void run(Cut const& cut, Fill const& fill) {
    std::size_t done = 0, ready = step_end(0, cut);
    grow(ready);
    while (ready != n_) {
      std::size_t next = step_end(ready, cut);
      if (width_ == 1) {
        fill(done, ready);
        grow(next);
      } else {
        std::uint64_t const begin = ticks();
        backend_.fork_join(props_, [&] { grow(next); }, [&] { fill(done, ready); });
        // Where filling takes far longer than zeroing, those who have filled their share of a step wait in vain.
        if ((ticks() - begin) / ticks_per_us() > step_bytes() / slow) grow(next = n_);
      }
      done = ready;
      ready = next;
    }
    fill(done, n_);
  }

 private:
  static constexpr std::size_t alone_step = std::size_t{1} << 18;  // bytes, of a second-level cache
  static constexpr std::size_t shared_step = 4 * large_page;       // bytes for each worker, of a last-level cache
  static constexpr std::size_t slow = 512;                         // bytes in a microsecond

  [[nodiscard]] std::size_t step_bytes() const noexcept { return width_ == 1 ? alone_step : width_ * shared_step; }

  [[nodiscard]] std::uintptr_t address(std::size_t i) const noexcept {
    return reinterpret_cast<std::uintptr_t>(out_.data()) + i * sizeof(T);
  }

  template <class Cut>
  [[nodiscard]] std::size_t step_end(std::size_t begin, Cut const& cut) const {
    std::size_t const step = larger(step_bytes() / sizeof(T), std::size_t{1});
    if (n_ - begin <= step + step / 2) return n_;
    std::size_t end = begin + step;
    if (width_ != 1) end -= smaller(address(end) % large_page / sizeof(T), step - 1);  // no page in two steps
    end = cut(begin, end);
    return end == begin ? n_ : end;
  }

  void grow(std::size_t to) {
    if (width_ != 1) touch(address(out_.size()), address(to));
    out_.resize(to);
  }

  void touch(std::uintptr_t begin, std::uintptr_t end) const {
    std::uintptr_t const first = begin / large_page, pages = (end + large_page - 1) / large_page - first;
    backend_.for_range(props_, pages, std::size_t{1}, [=](std::size_t page, std::size_t last) {
      populate_pages(larger(begin, (first + page) * large_page), smaller(end, (first + last) * large_page));
    });
  }

  Backend const& backend_;
  properties props_;
  std::size_t width_;
  std::vector<T>& out_;
  std::size_t n_;
};

/// Makes `out`, which is empty, a vector of n elements; see growth::run.
template <class P, class T, class Cut, class Fill>
void fill_fresh(P const& policy, std::vector<T>& out, std::size_t n, Cut const& cut, Fill const& fill) {
  if constexpr (plain_to_grow<T>)
    if (n >= worth_large_pages / sizeof(T))
      return growth<T, typename P::backend_type>(policy.backend(), policy.props(), out, n).run(cut, fill);
  out.resize(n);
  fill(std::size_t{0}, n);
}

}  // namespace tartan::inline TARTAN_ABI::detail
