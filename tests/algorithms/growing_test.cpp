#include "tartan/algorithms/growing.hpp"
#include "tartan/filter.hpp"
#include "tartan/map.hpp"
#include "tartan/merge.hpp"
#include "tartan/policies.hpp"
#include "tartan/set_operations.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <stop_token>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/sanitized.hpp"

namespace tn = tartan;

namespace {

struct line {  // many bytes, few elements
  std::uint64_t number;
  std::array<std::uint64_t, 31> rest;
  friend bool operator==(line const&, line const&) = default;
};
line line_of(std::uint64_t i) { return {i, {i + 1}}; }

/// So many lines that two, three or four workers grow in several steps, and a length that no page divides.
constexpr std::size_t many = (std::size_t{64} << 20) / sizeof(line) + 7;

/// Calls f with this thread alone, and with 1 to 4 workers.
template <class F>
void with_workers(F const& f) {
  f(tn::seq);
  for (unsigned const w : {1U, 2U, 4U}) f(tn::par.workers(w));
}

template <class V>
bool counts_up(V const& v) {
  for (std::size_t i = 0; i != v.size(); ++i)
    if (!(v[i] == line_of(i))) return false;
  return true;
}

struct broken {
  std::size_t index;
};

}  // namespace

TEST_CASE("a vector that grows in steps has every element in its place", "[growing]") {
  with_workers([](auto const& p) {
    auto const v = tn::map(p, std::views::iota(std::size_t{0}, many), line_of);
    REQUIRE(v.size() == many);
    CHECK(counts_up(v));
    auto const odd = tn::copy_if(p, v, [](line const& x) { return x.number % 2 == 1; });
    REQUIRE(odd.size() == many / 2);
    CHECK(std::all_of(odd.begin(), odd.end(),
                      [&](line const& x) { return x == v[2 * static_cast<std::size_t>(&x - odd.data()) + 1]; }));
  });
}

TEST_CASE("parts are consecutive, exist when they are filled, and end where they may", "[growing]") {
  using tn::detail::fill_fresh;
  with_workers([](auto const& p) {
    for (std::size_t const places : {std::size_t{1}, std::size_t{1000}, many + 1}) {
      std::vector<line> out;
      std::size_t expected = 0;
      bool right = true;
      fill_fresh(
          p, out, many,
          [&](std::size_t begin, std::size_t end) {
            std::size_t const last = end / places * places;
            return last < begin ? begin : last;
          },
          [&](std::size_t begin, std::size_t end) {
            right = right && begin == expected && begin < end && (end % places == 0 || end == many);
            for (std::size_t i = begin; i != end; ++i) {
              right = right && out.data()[i] == line{};
              out.data()[i] = line_of(i);
            }
            expected = end;
          });
      CHECK(right);
      REQUIRE(expected == many);
      REQUIRE(out.size() == many);
      CHECK(counts_up(out));
    }
  });
}

TEST_CASE("a function that turns slow finds the rest of the vector there", "[growing]") {
  with_workers([](auto const& p) {
    auto const v = tn::map(p, std::views::iota(std::size_t{0}, many), [](std::size_t i) {
      if (i == 1) std::this_thread::sleep_for(std::chrono::milliseconds(150));
      return line_of(i);
    });
    REQUIRE(v.size() == many);
    CHECK(counts_up(v));
  });
}

TEST_CASE("what the lowest element throws comes out of a vector that grows, and a stop ends it", "[growing]") {
  with_workers([](auto const& p) {
    std::size_t const low = many / 2, high = many - 10;
    try {
      static_cast<void>(tn::map(p, std::views::iota(std::size_t{0}, many), [&](std::size_t i) {
        if (i == low || i == high) throw broken{i};
        return line_of(i);
      }));
      FAIL("nothing was thrown");
    } catch (broken const& b) {
      CHECK(b.index == low);
    }
    std::stop_source stop;
    std::stop_token const token = stop.get_token();
    std::atomic<std::size_t> calls{0};
    CHECK_THROWS_AS(tn::map(p.stop(token), std::views::iota(std::size_t{0}, many),
                            [&](std::size_t i) {
                              if (++calls >= 1000)
                                stop.request_stop();  // one alone may lose its processor before it asks
                              return line_of(i);
                            }),
                    tn::cancelled);
    CHECK(calls.load() < many);
  });
}

TEST_CASE("elements of megabytes grow one by one", "[growing]") {
  using huge = std::array<std::uint64_t, (std::size_t{3} << 20) / sizeof(std::uint64_t)>;
  with_workers([](auto const& p) {
    std::vector<huge> const v = tn::map(p, std::views::iota(std::uint64_t{0}, std::uint64_t{9}), [](std::uint64_t i) {
      huge h{};
      h.back() = i;
      return h;
    });
    REQUIRE(v.size() == 9);
    for (std::size_t i = 0; i != 9; ++i) CHECK(v[i].back() == i);
    auto const kept = tn::copy_if(p, v, [](huge const& h) { return h.back() % 3 == 0; });
    REQUIRE(kept.size() == 3);
    for (std::size_t i = 0; i != 3; ++i) CHECK(kept[i].back() == 3 * i);
  });
}

TEST_CASE("merges and sets grow in whole blocks", "[growing]") {
  constexpr std::size_t n = std::size_t{1} << (tn::test::sanitized ? 20 : 22);  // up to 64 MB of results
  std::vector<std::uint64_t> even(n), third(n);
  for (std::size_t i = 0; i != n; ++i) even[i] = 2 * i, third[i] = 3 * i;
  std::vector<std::uint64_t> merged(2 * n), both;
  std::merge(even.begin(), even.end(), third.begin(), third.end(), merged.begin());
  std::set_union(even.begin(), even.end(), third.begin(), third.end(), std::back_inserter(both));
  for (unsigned const w : {1U, 2U}) {
    auto const p = tn::par.workers(w);
    CHECK(tn::merge(p, even, third) == merged);
    CHECK(tn::set_union(p, even, third) == both);
  }
}
