// Everything included, under using-directives for std and tartan: calls of either library mean what they did before.

#include <tartan/tartan.hpp>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace std;
using namespace tartan;

namespace {

TEST_CASE("calls of the standard library stay the standard library's", "[using]") {
  vector<int> v{3, 1, 2};
  sort(v.begin(), v.end());
  stable_sort(v.begin(), v.end(), less<>{});
  CHECK(v == vector<int>{1, 2, 3});
  CHECK(min(1, 2) == 1);
  CHECK(max(1.0, 2.0) == 2.0);
  CHECK(max({1, 5, 2}) == 5);
  CHECK(clamp(7, 1, 5) == 5);
  CHECK(abs(-2) == 2);
  CHECK(reduce(v.begin(), v.end()) == 6);
  CHECK(reduce(v.begin(), v.end(), 1, plus<>{}) == 7);
  CHECK(transform_reduce(v.begin(), v.end(), 0, plus<>{}, [](int x) { return x * x; }) == 14);
  CHECK(count_if(v.begin(), v.end(), [](int x) { return x > 1; }) == 2);
  CHECK(find_if(v.begin(), v.end(), [](int x) { return x > 1; }) == v.begin() + 1);
  CHECK(all_of(v.begin(), v.end(), [](int x) { return x > 0; }));
  CHECK(*max_element(v.begin(), v.end()) == 3);
  int calls = 0;
  for_each(v.begin(), v.end(), [&](int) { ++calls; });
  CHECK(calls == 3);
  vector<int> sums(3), same{1, 1, 2};
  inclusive_scan(v.begin(), v.end(), sums.begin());
  CHECK(sums == vector<int>{1, 3, 6});
  same.erase(unique(same.begin(), same.end()), same.end());
  CHECK(same == vector<int>{1, 2});
}

TEST_CASE("calls that begin with a policy are tartan's", "[using]") {
  vector<int> v{1, 2, 3};
  for_each(par, v, [](int& x) { x += 1; });
  CHECK(v == vector<int>{2, 3, 4});
  CHECK(reduce(par, v) == 9);
  CHECK(reduce(seq, v, 1, plus<>{}) == 10);
  CHECK(map_reduce(par, v, [](int x) { return x * x; }) == 29);
  CHECK(tartan::map(par, v, [](int x) { return to_string(x); }) == vector<string>{"2", "3", "4"});
}

}  // namespace
