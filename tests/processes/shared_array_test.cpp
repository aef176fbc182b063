#include "tartan/ipc/shared_array.hpp"

#include <atomic>
#include <list>
#include <memory_resource>
#include <numeric>
#include <string>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "tartan/algorithms/for_each.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/patterns/map_reduce.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;

using tartan::test::numbers;

struct cell {
  int key;
  double weight;
};

}  // namespace

TEST_CASE("shared_array: a range of its own, with all ways to make it") {
  STATIC_REQUIRE(std::ranges::contiguous_range<tn::shared_array<double>>);
  STATIC_REQUIRE(std::contiguous_iterator<tn::shared_iterator<int const>>);
  STATIC_REQUIRE(std::ranges::view<tn::shared_span<int>>);
  STATIC_REQUIRE(tn::shippable<tn::shared_span<double>>);
  STATIC_REQUIRE_FALSE(tn::shippable<tn::shared_array<double>>);
  tn::shared_array<int> const zeros(5);
  CHECK(std::accumulate(zeros.begin(), zeros.end(), 0) == 0);
  tn::shared_array<int> const fours(3, 4);
  CHECK(fours[2] == 4);
  tn::shared_array<int> const listed{1, 2, 3};
  CHECK(listed.size() == 3);
  tn::shared_array<int> const copied(std::list<int>{7, 8});
  CHECK(copied[1] == 8);
  tn::shared_array<cell> cells(2, cell{1, 2.0});
  CHECK(cells[1].weight == 2.0);
  auto moved = std::move(cells);
  CHECK(moved.size() == 2);
  tn::shared_array<int> const none;
  CHECK(none.empty());
  tn::shared_array<int> const empty(std::size_t{0});
  CHECK(empty.empty());
}

TEST_CASE("shared_array: workers change it in place") {
  tn::shared_array<double> a(100'000);
  std::iota(a.begin(), a.end(), 0.0);
  tn::for_each(tn::processes.workers(2), a, [](double& x) { x *= 2; });
  for (std::size_t i = 0; i != a.size(); ++i) REQUIRE(a[i] == 2.0 * static_cast<double>(i));
  auto const sums = tn::map(tn::processes.workers(2), a, [](double x) { return x + 1; });
  CHECK(sums[99'999] == 199'999.0);
  CHECK(tn::reduce(tn::processes.workers(2), a) == 99'999.0 * 100'000.0);
}

TEST_CASE("shared_array: spans travel, and lead into the same memory") {
  tn::shared_array<int> a(8);
  auto const parts =
      tn::map(tn::processes.workers(2), numbers(8), tn::closure(a.span(), [](tn::shared_span<int> const& s, int i) {
                s[static_cast<std::size_t>(i)] = 10 * i;
                return reinterpret_cast<std::uintptr_t>(s.data());
              }));
  CHECK(a[7] == 70);
  CHECK(parts[0] == reinterpret_cast<std::uintptr_t>(a.data()));
  auto const sub = a.span().subspan(2, 3);
  CHECK(sub[0] == 20);
  CHECK_THROWS_AS(a.span().subspan(7, 2), tn::bad_argument);
  tn::shared_span<int const> const constant = a.span();
  CHECK(tn::map(tn::processes, std::vector{constant}, [](tn::shared_span<int const> s) { return s[7]; })[0] == 70);
}

TEST_CASE(
    "shared_array: what does not lie in shared memory is refused on the way out, and wild addresses on the way in") {
  int local[3] = {};
  CHECK_THROWS_AS(tn::detail::encode(tn::shared_span<int>(local, 3)), tn::not_shippable);
  tn::shared_array<int> a(4);
  auto bytes = tn::detail::encode(a.span());
  for (std::size_t const i : {8U, 13U, 14U, 15U}) {  // misaligned, or far outside of the arena
    auto bad = bytes;
    bad[i] = bad[i] ^ std::byte{0xff};
    CHECK_THROWS_AS(tn::detail::decode<tn::shared_span<int>>(bad), tn::bad_frame);
  }
}

TEST_CASE("shared_value: atomics count across processes, containers of pmr keep their elements in shared memory") {
  tn::shared_value<std::atomic<long>> hits(0);
  tn::for_each(tn::processes.workers(2), numbers(10'000),
               tn::closure(hits.span(), [](tn::shared_span<std::atomic<long>> const& h, int) { ++h[0]; }));
  CHECK(*hits == 10'000);
  {
    tn::shared_value<std::pmr::vector<int>> list(std::size_t{3}, 1);
    tn::for_each(
        tn::processes.workers(1), numbers(1000),
        tn::closure(list.span(), [](tn::shared_span<std::pmr::vector<int>> const& v, int x) { v[0].push_back(x); }));
    CHECK(list->size() == 1003);
    CHECK(list->back() == 999);
    CHECK(tn::detail::known_segment()->contains(list->data()));
  }
  CHECK(tn::detail::known_segment()->consistent());
}

TEST_CASE("shared_array: memory comes back") {
  auto& arena = *tn::detail::known_segment();
  (void)tn::map(tn::processes, numbers(3), [](int x) { return x; });
  auto const before = arena.in_use();
  for (int i = 0; i != 100; ++i) {
    tn::shared_array<double> const a(100'000);
    tn::shared_value<std::pmr::vector<double>> const v(std::size_t{1000}, 0.0);
  }
  CHECK(arena.in_use() == before);
  CHECK_THROWS_AS(tn::shared_array<double>(std::size_t{1} << 50), tn::out_of_shared_memory);
  CHECK(arena.in_use() == before);
}
