#include "tartan/algorithms/zip.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "tartan/algorithms/enumerate.hpp"
#include "tartan/algorithms/for_each.hpp"
#include "tartan/algorithms/map.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

using ints = std::vector<int>;
using doubles = std::vector<double>;
using both = decltype(tn::zip(std::declval<ints&>(), std::declval<doubles&>()));
using both_const = decltype(tn::zip(std::declval<ints const&>(), std::declval<doubles&>()));
using counted = decltype(tn::enumerate(std::declval<ints&>()));
using owned = decltype(tn::zip(std::declval<ints>(), std::declval<doubles&>()));

static_assert(std::ranges::view<both>);
static_assert(std::ranges::random_access_range<both>);
static_assert(std::ranges::random_access_range<both const>);
static_assert(std::ranges::sized_range<both>);
static_assert(std::ranges::common_range<both>);
static_assert(std::ranges::borrowed_range<both>);
static_assert(std::ranges::random_access_range<counted> && std::ranges::borrowed_range<counted>);
static_assert(std::ranges::random_access_range<owned> && !std::ranges::borrowed_range<owned>);
static_assert(std::ranges::random_access_range<owned const>);
static_assert(std::is_same_v<std::ranges::range_value_t<both>, std::tuple<int, double>>);
static_assert(std::is_same_v<std::ranges::range_reference_t<both>, tn::zipped<int&, double&>>);
static_assert(std::is_same_v<std::ranges::range_reference_t<both_const>, tn::zipped<int const&, double&>>);
static_assert(std::is_same_v<std::ranges::range_reference_t<counted>, tn::zipped<std::size_t, int&>>);
static_assert(std::is_same_v<std::ranges::range_difference_t<counted>, std::ptrdiff_t>);
static_assert(std::indirectly_writable<std::ranges::iterator_t<both>, std::tuple<int, double>>);
static_assert(!std::indirectly_writable<std::ranges::iterator_t<both_const>, std::tuple<int, double>>);
static_assert(std::permutable<std::ranges::iterator_t<both>>);
static_assert(std::sortable<std::ranges::iterator_t<both>>);
static_assert(std::ranges::iterator_t<both>::contiguous);
static_assert(!std::ranges::iterator_t<counted>::contiguous);

}  // namespace

TEST_CASE("zip refers to the elements of its ranges") {
  ints a{1, 2, 3};
  std::deque<double> b{.5, 1.5, 2.5, 3.5};
  auto z = tn::zip(a, b);
  REQUIRE(z.size() == 3);
  for (auto [x, y] : z) y += x;
  CHECK(b == std::deque<double>{1.5, 3.5, 5.5, 3.5});
  auto [x, y] = z[1];
  CHECK(&x == &a[1]);
  CHECK(&y == &b[1]);
  auto const& element = z.front();
  auto [p, q] = element;
  p = 9;
  CHECK(a[0] == 9);
  CHECK(q == 1.5);
  CHECK(std::apply([](int i, double d) { return i + d; }, z[2]) == 8.5);
}

TEST_CASE("zip is as long as its shortest range, and endless ranges do not count") {
  ints a(5), b(3), none;
  CHECK(tn::zip(a, b).size() == 3);
  CHECK(tn::zip(std::views::iota(7), b).size() == 3);
  CHECK(std::get<0>(tn::zip(std::views::iota(7), b)[2]) == 9);
  CHECK(tn::zip(a, none).empty());
  CHECK(tn::zip(none).begin() == tn::zip(none).end());
  int built_in[4] = {1, 2, 3, 4};
  CHECK(tn::zip(built_in, std::array{1, 2}).size() == 2);
  CHECK(tn::zip(a, b, built_in, std::views::iota(0, 2)).size() == 2);
}

TEST_CASE("zip iterators move as those of an array") {
  ints a{0, 1, 2, 3, 4};
  ints const b{5, 6, 7, 8, 9};
  auto const z = tn::zip(a, b);
  auto it = z.begin();
  CHECK(it + 2 - it == 2);
  CHECK(std::get<1>(*(2 + it)) == 7);
  CHECK(std::get<0>(it[4]) == 4);
  CHECK(it++ == z.begin());
  CHECK(std::get<0>(*it) == 1);
  CHECK(--it == z.begin());
  it += 3;
  CHECK(std::get<0>(*it--) == 3);
  it -= 1;
  CHECK(std::get<0>(*it) == 1);
  CHECK((it < z.end() && z.end() > it && it <= it && it != z.end()));
  CHECK(z.end() - z.begin() == 5);
  CHECK(std::ranges::equal(z, std::views::iota(0, 5), [](auto const& xy, int i) { return std::get<0>(xy) == i; }));
  auto const [pa, pb] = it.pointers();
  CHECK(pa == &a[1]);
  CHECK(pb == &b[1]);
  CHECK(decltype(it)() == decltype(it)());
}

TEST_CASE("zip elements are assigned, moved and swapped through") {
  std::vector<std::string> names{"c", "a", "b"};
  ints keys{3, 1, 2};
  auto z = tn::zip(keys, names);
  std::ranges::sort(z, {}, [](auto const& kn) { return std::get<0>(kn); });
  CHECK(keys == ints{1, 2, 3});
  CHECK(names == std::vector<std::string>{"a", "b", "c"});
  std::ranges::sort(z, std::ranges::greater{});
  CHECK(names == std::vector<std::string>{"c", "b", "a"});
  std::tuple<int, std::string> value = z[0];
  CHECK(value == std::tuple(3, std::string("c")));
  z[0] = std::tuple(7, std::string("z"));
  CHECK(keys[0] == 7);
  z[1] = z[0];
  CHECK(names[1] == "z");
  std::ranges::reverse(z);
  CHECK(keys == ints{1, 7, 7});

  std::vector<std::unique_ptr<int>> owners;
  for (int i : {2, 0, 1}) owners.push_back(std::make_unique<int>(i));
  ints order{2, 0, 1};
  auto moving = tn::zip(order, owners);
  std::ranges::rotate(moving, moving.begin() + 1);
  CHECK(order == ints{0, 1, 2});
  for (int i = 0; i != 3; ++i) CHECK(*owners[static_cast<std::size_t>(i)] == i);
  std::vector<std::tuple<int, std::unique_ptr<int>>> taken;
  for (auto it = moving.begin(); it != moving.end(); ++it) taken.push_back(std::ranges::iter_move(it));
  CHECK(*std::get<1>(taken[2]) == 2);
  CHECK(owners[2] == nullptr);
}

TEST_CASE("zip keeps temporary ranges and nests") {
  auto z = tn::zip(ints{1, 2, 3}, std::vector<std::string>{"one", "two", "three"});
  CHECK(std::get<1>(z[2]) == "three");
  ints a{1, 2}, b{3, 4}, c{5, 6};
  auto nested = tn::zip(tn::zip(a, b), c);
  auto [ab, x] = nested[1];
  CHECK(std::get<0>(ab) + std::get<1>(ab) + x == 12);
  std::get<0>(ab) = 8;
  CHECK(a[1] == 8);
}

TEST_CASE("enumerate counts from zero and refers to the elements") {
  std::vector<std::string> words{"a", "b"};
  for (auto [i, w] : tn::enumerate(words)) w += std::to_string(i);
  CHECK(words == std::vector<std::string>{"a0", "b1"});
  std::vector<std::string> const fixed = words;
  auto const [i, w] = tn::enumerate(fixed)[1];
  CHECK(i == 1);
  CHECK(&w == &fixed[1]);
  CHECK(tn::enumerate(std::span<int>()).empty());
}

TEMPLATE_LIST_TEST_CASE("patterns take zips and enumerations", "", test::all_policies) {
  auto const p = TestType::make();
  std::size_t const n = 1001;
  doubles xs(n, 2.0), ys(n, 3.0);
  auto const products = tn::map(p, tn::zip(xs, ys), [](auto const& xy) {
    auto [x, y] = xy;
    return x * y;
  });
  CHECK(products == doubles(n, 6.0));
  auto const sums =
      tn::starmap(p, tn::enumerate(ys), [](std::size_t i, double y) { return static_cast<double>(i) + y; });
  REQUIRE(sums.size() == n);
  CHECK(sums[1000] == 1003.0);
  if constexpr (test::shares_memory<TestType>) {
    tn::for_each(p, tn::zip(xs, ys), [](auto const& xy) {
      auto [x, y] = xy;
      x = y;
    });
    CHECK(xs == ys);
  }
}
