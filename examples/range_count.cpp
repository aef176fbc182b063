// For each of a million rows of five digits, counts the digits from 4 to 8, in every way to hand work to processes:
// one submission a row, map, starmap, for_each in place on a shared array. Prints what each costs a row; the answers
// are compared with a plain loop.
//
// Shows: submit, map, starmap and for_each on processes; shared_array.
// Build: g++ -std=c++20 -O2 range_count.cpp $(pkg-config --cflags --libs tartan) -o range_count
// Run:   ./range_count [ROWS]          (default 1000000)
#include <tartan/async/submit.hpp>
#include <tartan/processes.hpp>
#include <tartan/tartan.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using row = std::array<int, 5>;

int count_in(row const& r, int low, int high) {
  int n = 0;
  for (int const digit : r) n += digit >= low && digit <= high ? 1 : 0;
  return n;
}

int count(row const& r) { return count_in(r, 4, 8); }

struct counted_row {
  row digits;
  int inside;
};

// Runs f, prints its cost for each row, and returns what f returns.
template <class F>
auto timed(char const* name, std::size_t rows, F f) {
  auto const begin = std::chrono::steady_clock::now();
  auto result = f();
  std::chrono::duration<double, std::nano> const took = std::chrono::steady_clock::now() - begin;
  std::printf("%-28s %8.1f ns a row\n", name, took.count() / static_cast<double>(rows));
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  tartan::start_processes();
  auto const n = static_cast<std::size_t>(argc > 1 ? std::atol(argv[1]) : 1'000'000);
  auto const policy = tartan::processes;
  std::vector<row> rows(n);
  for (std::size_t i = 0; i != n; ++i)
    for (std::size_t k = 0; k != 5; ++k) rows[i][k] = static_cast<int>((i * 2654435761U >> (8 + 3 * k)) % 10);
  std::vector<std::tuple<row, int, int>> arguments;
  for (row const& r : rows) arguments.emplace_back(r, 4, 8);
  (void)tartan::map(policy, std::vector<int>(2), [](int x) { return x; });  // the workers are there

  auto const plain = timed("a plain loop", n, [&] {
    std::vector<int> all(n);
    for (std::size_t i = 0; i != n; ++i) all[i] = count(rows[i]);
    return all;
  });
  auto const mapped = timed("map", n, [&] { return tartan::map(policy, rows, &count); });
  auto const starred = timed("starmap", n, [&] { return tartan::starmap(policy, arguments, &count_in); });
  auto const some = std::min<std::size_t>(n, 50'000);
  auto const submitted = timed("submit, one row each", some, [&] {
    std::vector<tartan::future<int>> futures;
    for (std::size_t i = 0; i != some; ++i) futures.push_back(tartan::submit(policy, &count, rows[i]));
    std::vector<int> all;
    for (auto& f : futures) all.push_back(f.get());
    return all;
  });

  tartan::shared_array<counted_row> shared(n);
  for (std::size_t i = 0; i != n; ++i) shared[i].digits = rows[i];
  timed("for_each in shared memory", n, [&] {
    tartan::for_each(policy, shared, [](counted_row& r) { r.inside = count(r.digits); });
    return 0;
  });

  bool right = mapped == plain && starred == plain && std::equal(submitted.begin(), submitted.end(), plain.begin());
  for (std::size_t i = 0; i != n; ++i) right = right && shared[i].inside == plain[i];
  std::puts(right ? "all answers agree" : "WRONG ANSWERS");
  return right ? 0 : 1;
}
