// Counts the ways to place n queens on a board of n x n so that none attacks another. A task is a board with some rows
// filled; it adds one task for each safe square of the next row, and counts by itself when few rows are left.
//
// Shows: master_worker whose tasks add tasks, results as they come.
// Build: g++ -std=c++20 -O2 nqueens.cpp $(pkg-config --cflags --libs tartan) -o nqueens
// Run:   ./nqueens [N [POLICY]]                (default 11 par; N up to 18)
#include <tartan/master_worker.hpp>
#include <tartan/with_policy.hpp>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

/// What the queens of the rows above attack in the next row, one bit a column.
struct board {
  std::uint32_t columns = 0, falling = 0, rising = 0;
  int rows_left = 0;

  [[nodiscard]] std::uint32_t safe(std::uint32_t all) const { return all & ~(columns | falling | rising); }
  [[nodiscard]] board with_queen(std::uint32_t square) const {
    return {columns | square, (falling | square) << 1, (rising | square) >> 1, rows_left - 1};
  }
};

std::uint64_t count(board const& b, std::uint32_t all) {
  if (b.rows_left == 0) return 1;
  std::uint64_t solutions = 0;
  for (std::uint32_t free = b.safe(all); free != 0; free &= free - 1)
    solutions += count(b.with_queen(free & -free), all);
  return solutions;
}

template <class Policy>
std::uint64_t solve(Policy policy, int n) {
  std::uint32_t const all = (std::uint32_t{1} << n) - 1;
  std::uint64_t solutions = 0;
  tartan::master_worker(
      policy, std::vector{board{0, 0, 0, n}},
      [all, n](board const& b, auto&& more) -> std::uint64_t {
        if (n - b.rows_left >= 3) return count(b, all);
        for (std::uint32_t free = b.safe(all); free != 0; free &= free - 1) more(b.with_queen(free & -free));
        return 0;
      },
      [&](std::uint64_t found) { solutions += found; });
  return solutions;
}

}  // namespace

int main(int argc, char** argv) {
  int const n = argc > 1 ? std::atoi(argv[1]) : 11;
  std::uint64_t const known[] = {1,   1,    0,     0,     2,      10,      4,        40,       92,       352,
                                 724, 2680, 14200, 73712, 365596, 2279184, 14772512, 95815104, 666090624};
  if (n < 1 || n > 18) return std::puts("nqueens: N is 1 to 18"), 2;
  std::uint64_t solutions = 0;
  tartan::with_policy(argc > 2 ? argv[2] : "par", [&](auto policy) { solutions = solve(policy, n); });
  std::printf("%d queens: %llu ways\n", n, static_cast<unsigned long long>(solutions));
  return solutions == known[n] ? 0 : 1;
}
