// expect: tartan: copy_if copies elements into a vector; use remove_if for elements that only move
// expect: tartan: remove_if(policy, range, pred, proj) needs elements that can be moved and a pred that answers
// expect: tartan: unique(policy, range, equal, proj) needs elements that can be moved and an equal that answers
// expect: tartan: equal needs an equal that answers true or false for a projected element of each range
// expect: tartan: lexicographical_compare needs a comparator that takes projected elements of both ranges
// expect: tartan: set operations need a comparator that takes projected elements of both ranges, in either order
// expect: tartan: merge needs a comparator that takes a projected element of the second range and one of the first
// expect: tartan: merge_into needs an output range to whose elements those of both inputs can be assigned
// expect: tartan: reverse(policy, range) needs a range whose elements can be swapped
// expect: tartan: generate(policy, range, f) needs an f whose results can be assigned to the elements
// expect: tartan: iota(policy, range, start) needs a start to which a whole number can be added
// expect: tartan: top_k copies the best elements; give them a copy constructor and an assignment
// expect: tartan: top_k(policy, range, k, comparator, projection) needs a comparator that takes two projected
// expect: tartan: min_element needs a comparator that takes two projected elements
// expect: tartan: a scan makes its first sums of elements: they must convert to the type of init
// expect: tartan: a scan needs an output range to whose elements its sums can be assigned
// expect: tartan: count_if(policy, range, pred, proj) needs a pred that answers true or false for an element
// expect: tartan: map_into needs an output range to whose elements the results of f can be assigned
// expect: tartan: sample copies elements into a vector; give them a copy constructor
// expect: tartan: shuffle(policy, range, seed) needs a range whose elements can be moved and swapped
// expect: tartan: histogram needs elements that are numbers, or convert to double
// expect: tartan: join_by_key copies the elements of both ranges into pairs
// expect: tartan: map needs an f that returns a value; use for_each for one that returns nothing
// expect: tartan: map(policy, range, f) needs an f that can be called with an element of the range
#include <tartan/tartan.hpp>

#include <memory>
#include <string>
#include <vector>

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

namespace tn = tartan;

namespace {
struct unordered {
  int value;
};
}  // namespace

int main() {
  std::vector<int> v(10);
  std::vector<int> const fixed(10);
  std::vector<unordered> none(3);
  std::vector<std::unique_ptr<int>> owners(3);
  std::vector<std::string> texts(20);
  [[maybe_unused]] auto const odd = [](auto const&) { return true; };
  [[maybe_unused]] auto const of_text = [](std::string const&) { return true; };
  tn::reverse(tn::seq, v);
#if TARTAN_MUST_FAIL == 1
  static_cast<void>(tn::copy_if(tn::par, owners, odd));
#elif TARTAN_MUST_FAIL == 2
  static_cast<void>(tn::remove_if(tn::par, fixed, odd));
#elif TARTAN_MUST_FAIL == 3
  static_cast<void>(tn::unique(tn::par, none));
#elif TARTAN_MUST_FAIL == 4
  static_cast<void>(tn::equal(tn::par, v, texts));
#elif TARTAN_MUST_FAIL == 5
  static_cast<void>(tn::lexicographical_compare(tn::par, none, none));
#elif TARTAN_MUST_FAIL == 6
  static_cast<void>(tn::set_union(tn::par, none, none));
#elif TARTAN_MUST_FAIL == 7
  static_cast<void>(tn::merge(tn::par, none, none));
#elif TARTAN_MUST_FAIL == 8
  static_cast<void>(tn::merge_into(tn::par, v, v, fixed));
#elif TARTAN_MUST_FAIL == 9
  tn::reverse(tn::par, fixed);
#elif TARTAN_MUST_FAIL == 10
  tn::generate(tn::par, v, [] { return std::string(); });
#elif TARTAN_MUST_FAIL == 11
  tn::iota(tn::par, v, std::string());
#elif TARTAN_MUST_FAIL == 12
  static_cast<void>(tn::top_k(tn::par, owners, 2));
#elif TARTAN_MUST_FAIL == 13
  static_cast<void>(tn::top_k(tn::par, none, 2));
#elif TARTAN_MUST_FAIL == 14
  static_cast<void>(tn::min_element(tn::par, none));
#elif TARTAN_MUST_FAIL == 15
  tn::exclusive_scan(tn::par, v, texts, std::string(), [](std::string const& a, auto const&) { return a; });
#elif TARTAN_MUST_FAIL == 16
  tn::inclusive_scan(tn::par, v, fixed);
#elif TARTAN_MUST_FAIL == 17
  static_cast<void>(tn::count_if(tn::par, v, of_text));
#elif TARTAN_MUST_FAIL == 18
  tn::map_into(tn::par, v, texts, [](int) { return std::unique_ptr<int>(); });
#elif TARTAN_MUST_FAIL == 19
  static_cast<void>(tn::sample(tn::par, owners, 2, 1));
#elif TARTAN_MUST_FAIL == 20
  tn::shuffle(tn::par, fixed, 1);
#elif TARTAN_MUST_FAIL == 21
  static_cast<void>(tn::histogram(tn::par, texts, 4, 0, 1));
#elif TARTAN_MUST_FAIL == 22
  static_cast<void>(tn::join_by_key(tn::par, owners, [](auto const& p) { return *p; }, v, [](int x) { return x; }));
#elif TARTAN_MUST_FAIL == 23
  static_cast<void>(tn::map(tn::par, v, [](int) {}));
#elif TARTAN_MUST_FAIL == 24
  static_cast<void>(tn::map(tn::par, v, [](std::string const& s) { return s; }));
#endif
  return v.front();
}
