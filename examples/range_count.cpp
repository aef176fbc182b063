// For each of a million rows of five digits, counts the digits from 4 to 8, in every way to hand work to processes:
// map, starmap, map_async, one submission a row, one with a callback a row, for_each in place on a shared array. Prints
// what each costs a row; the answers are compared with a plain loop.
//
// Shows: map, starmap, map_async, submit, then and for_each on processes; shared_array.
// Build: g++ -std=c++20 -O2 range_count.cpp $(pkg-config --cflags --libs tartan) -o range_count
// Run:   ./range_count [ROWS]          (default 1000000)
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

// Runs f three times, prints the least cost for each row, and returns what f returns.
template <class F>
auto timed(char const* name, std::size_t rows, F f) {
  auto least = std::chrono::duration<double, std::nano>::max();
  decltype(f()) result;
  for (int i = 0; i != 3; ++i) {
    auto const begin = std::chrono::steady_clock::now();
    result = f();
    least = std::min<std::chrono::duration<double, std::nano>>(least, std::chrono::steady_clock::now() - begin);
  }
  std::printf("%-34s %8.1f ns a row\n", name, least.count() / static_cast<double>(rows));
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
  auto const some = std::min<std::size_t>(n, 20'000);
  std::vector<row> const first(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(some));
  auto const asked = timed("map_async", some, [&] { return tartan::map_async(policy, first, &count).get(); });
  auto const submitted = timed("submit, a future a row", some, [&] {
    std::vector<tartan::future<int>> futures;
    for (row const& r : first) futures.push_back(tartan::submit(policy, &count, r));
    std::vector<int> all;
    for (auto& f : futures) all.push_back(f.get());
    return all;
  });
  auto const called_back = timed("submit, a callback a row", some, [&] {
    std::vector<int> all(some);  // each callback has an element of its own
    std::vector<tartan::future<void>> told;
    for (std::size_t i = 0; i != some; ++i)
      told.push_back(tartan::submit(policy, &count, first[i]).then([&all, i](int inside) { all[i] = inside; }));
    for (auto& t : told) t.get();
    return all;
  });

  tartan::shared_array<counted_row> shared(n);
  for (std::size_t i = 0; i != n; ++i) shared[i].digits = rows[i];
  auto const count_here = [](counted_row& r) { r.inside = count(r.digits); };
  timed("for_each in shared memory", n, [&] { return tartan::for_each(policy, shared, count_here), 0; });
  std::vector<int> in_place;
  for (counted_row const& r : shared) in_place.push_back(r.inside);
  timed("a plain loop over shared memory", n, [&] { return std::ranges::for_each(shared, count_here), 0; });

  auto const begins_right = [&](std::vector<int> const& v) {
    return v.size() == some && std::equal(v.begin(), v.end(), plain.begin());
  };
  bool const right = mapped == plain && starred == plain && in_place == plain && begins_right(asked) &&
                     begins_right(submitted) && begins_right(called_back);
  std::puts(right ? "all answers agree" : "WRONG ANSWERS");
  return right ? 0 : 1;
}
