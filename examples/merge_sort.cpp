// Sorts numbers by merging sorted halves: divide and conquer in the form of the textbook.
//
// Shows: divide_and_conquer on a span, in place of a hand-written recursion with threads.
// Build: g++ -std=c++20 -O2 merge_sort.cpp $(pkg-config --cflags --libs tartan) -o merge_sort
// Run:   ./merge_sort [COUNT]           (default 2000000)
#include <tartan/tartan.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

namespace {

std::vector<std::uint64_t> random_numbers(std::size_t count) {
  std::vector<std::uint64_t> v(count);
  std::uint64_t state = 1;
  for (auto& x : v) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    x = state >> 16;
  }
  return v;
}

template <class Policy>
void merge_sort(Policy const& policy, std::vector<std::uint64_t>& v) {
  using part = std::span<std::uint64_t>;
  tartan::divide_and_conquer(
      policy, part(v),                                 //
      [](part s) { return s.size() < 2'000; },         // small enough?
      [](part s) { return std::ranges::sort(s), s; },  // solve it
      [](part s) { return std::pair{s.first(s.size() / 2), s.subspan(s.size() / 2)}; },
      [](part a, part b) {  // the halves lie side by side
        part const both(a.data(), a.size() + b.size());
        std::inplace_merge(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(a.size()), both.end());
        return both;
      });
}

double seconds_of(auto&& f) {
  auto const begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  long const count = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 2'000'000;
  if (count < 0) {
    std::fputs("merge_sort: COUNT must not be negative\n", stderr);
    return EXIT_FAILURE;
  }
  auto const input = random_numbers(static_cast<std::size_t>(count));
  auto by_std = input, by_seq = input, by_par = input;
  double const t0 = seconds_of([&] { std::sort(by_std.begin(), by_std.end()); });
  double const t1 = seconds_of([&] { merge_sort(tartan::seq, by_seq); });
  double const t2 = seconds_of([&] { merge_sort(tartan::par, by_par); });
  std::printf("%ld numbers: std::sort %.3f s, merge sort with seq %.3f s, with par %.3f s (%u workers)\n", count, t0,
              t1, t2, tartan::available_workers());
  return by_seq == by_std && by_par == by_std ? EXIT_SUCCESS : EXIT_FAILURE;
}
