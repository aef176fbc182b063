// A user's program that calls every pattern with functions of its own. It is built as users build theirs, optimised and
// with warnings: compilers complain in the user's functions of what they see in the library around them.
//
// Build: g++ -std=c++20 -O2 every_pattern.cpp $(pkg-config --cflags --libs tartan) -o every_pattern
#include <tartan/tartan.hpp>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace tn = tartan;

namespace {

struct point {
  int tag = 0;
  double at = 0;
};
struct wide {
  double values[9] = {};
};

int one() { return 1; }
int two() { return 2; }
void none() {}

int failures = 0;
void check(bool holds, char const* what) {
  if (holds) return;
  std::printf("wrong: %s\n", what);
  ++failures;
}

template <class P>
void reduce_all(P const& p) {
  std::vector<int> const ints(1000, 3);
  std::vector<double> const doubles(1000, 0.5);
  std::vector<std::string> const words(10, "ab");
  check(tn::reduce(p, ints, 0, [](int a, int b) { return a ^ b; }) == 0, "reduce, xor");
  check(tn::reduce(p, doubles, 0.0, [](double a, double b) { return a < b ? b : a; }) == 0.5, "reduce, largest");
  check(tn::reduce(p, doubles, 9.0, [](double const& a, double const& b) { return a < b ? a : b; }) == 0.5,
        "reduce, smallest");
  check(tn::reduce(p, words, std::string{}, [](std::string a, std::string const& b) { return a + b; }).size() == 20,
        "reduce, words");
  check(tn::reduce(p, ints, 0L,
                   [](long a, long b) -> long {
                     if (a < 0) throw std::domain_error("negative");
                     return a + b;
                   }) == 3000,
        "reduce that may throw");
  check(tn::map_reduce(
            p, ints, [](int x) { return point{x, 0.5 * x}; }, point{},
            [](point a, point b) {
              return point{a.tag + b.tag, a.at < b.at ? b.at : a.at};
            }).tag == 3000,
        "map_reduce, points");
  check(tn::map_reduce(
            p, doubles, [](double x) { return wide{{x}}; }, wide{},
            [](wide a, wide const& b) {
              for (int i = 0; i != 9; ++i) a.values[i] += b.values[i];
              return a;
            }).values[0] == 500.0,
        "map_reduce, wide");
  check(tn::map_reduce(
            p, ints, [](int x) { return std::pair<int, double>(x, 0.25); }, std::pair<int, double>{},
            [](auto a, auto b) {
              return a < b ? b : a;
            }).first == 3,
        "map_reduce, pairs");
  check(tn::map_reduce(
            p, ints, [](int const& x) { return &x; }, static_cast<int const*>(nullptr),
            [](int const* a, int const* b) { return a < b ? b : a; }) == &ints.back(),
        "map_reduce, pointers");
  check(tn::aggregate(
            p, ints, [] { return wide{}; }, [](wide& w, int x) { w.values[8] += x; },
            [](wide& a, wide&& b) {
              a.values[8] += b.values[8];
            }).values[8] == 3000,
        "aggregate");
}

template <class P>
void fork_all(P const& p) {
  check(tn::fork_join(p, one, two) == std::pair(1, 2), "fork_join of functions");
  check(tn::fork_join(p, one, &two, one) == std::tuple(1, 2, 1), "fork_join of three functions");
  tn::fork_join(p, none, none);
  tn::fork_join(p, none, none, none);
  auto const [a, b] = tn::fork_join(p, [] { return std::string("left"); }, [] { return std::make_unique<int>(3); });
  check(a == "left" && *b == 3, "fork_join of lambdas");
  auto const sum = tn::divide_and_conquer(
      p, std::pair<int, int>(0, 1000), [](auto const& r) { return r.second - r.first < 10; },
      [](auto r) {
        int s = 0;
        for (int i = r.first; i != r.second; ++i) s += i;
        return s;
      },
      [](auto r) {
        int const middle = (r.first + r.second) / 2;
        return std::pair(std::pair(r.first, middle), std::pair(middle, r.second));
      },
      [](int l, int r) { return l + r; });
  check(sum == 499'500, "divide_and_conquer");
  tn::task_group group(p);
  int from_a_task = 0;
  group.run([&] { from_a_task = 7; });
  group.wait();
  check(from_a_task == 7, "task_group");
}

template <class P>
void move_elements(P const& p) {
  std::vector<int> v(1000);
  tn::iota(p, v, 0);
  tn::for_each(p, v, [](int& x) { x = (x * 7919) % 1000; });
  check(tn::map(p, v, [](int x) { return std::to_string(x); }).size() == 1000, "map");
  check(tn::try_map(p, v, [](int x) { return x == 3 ? throw std::domain_error("three") : x; }).size() == 1000,
        "try_map");
  auto sorted = v;
  tn::sort(p, sorted, [](int a, int b) { return a < b; });
  check(sorted[10] == 10, "sort");
  tn::stable_sort(p, sorted, [](int a, int b) { return a / 10 > b / 10; });
  check(sorted[0] == 990, "stable_sort");
  tn::nth_element(p, v, v.begin() + 500, [](int a, int b) { return a > b; });
  check(v[500] == 499, "nth_element");
  tn::partition(p, v, [](int x) { return x % 2 == 0; });
  tn::reverse(p, v);
  tn::rotate(p, v, v.begin() + 500);
  check(v[0] % 2 == 0, "partition, reverse and rotate");
  tn::shuffle(p, v, 7U);
  check(tn::sample(p, v, 10, 7U).size() == 10, "sample");
  check(tn::copy_if(p, v, [](int x) { return x < 100; }).size() == 100, "copy_if");
  tn::generate(p, v, [](std::size_t i) { return static_cast<int>(i); });
  std::vector<long> sums(v.size());
  tn::inclusive_scan(p, v, sums, [](long a, long b) { return a + b; });
  check(sums.back() == 499'500, "inclusive_scan");
  tn::exclusive_scan(p, v, sums, 0L, [](long a, long b) { return a < b ? b : a; });
  check(sums.back() == 998, "exclusive_scan");
}

template <class P>
void look_at_elements(P const& p) {
  std::vector<int> v(1000);
  tn::iota(p, v, 0);
  check(*tn::find_if(p, v, [](int x) { return x > 700; }) == 701, "find_if");
  check(tn::count_if(p, v, [](int x) { return x % 3 == 0; }) == 334, "count_if");
  check(tn::all_of(p, v, [](int x) { return x >= 0; }), "all_of");
  check(*tn::min_element(p, v, [](int a, int b) { return a > b; }) == 999, "min_element");
  auto const [low, high] = tn::minmax_element(p, v, {}, [](int x) { return -x; });
  check(*low == 999 && *high == 0, "minmax_element");
  check(tn::top_k(p, v, 3, [](int a, int b) { return a > b; }).front() == 999 ||
            tn::top_k(p, v, 3, [](int a, int b) { return a > b; }).front() == 0,
        "top_k");
  check(tn::equal(p, v, v, [](int a, int b) { return a == b; }), "equal");
  check(tn::merge(p, v, v, [](int a, int b) { return a < b; }).size() == 2000, "merge");
  check(tn::set_union(p, v, v, [](int a, int b) { return a < b; }).size() == 1000, "set_union");
  check(tn::count_by(p, v, [](int x) { return x % 10; }).size() == 10, "count_by");
  check(tn::group_by(p, v, [](int x) { return x % 7; }).size() == 7, "group_by");
  auto const by_key = tn::map_reduce_by_key<int, long>(
      p, v, [](int x, auto& emit) { emit(x % 2, long{x}); }, [](long a, long b) { return a < b ? b : a; });
  check(by_key.at(1) == 999, "map_reduce_by_key");
  check(tn::join_by_key(p, v, [](int x) { return x / 2; }, v, [](int x) { return x; }).size() == 1000, "join_by_key");
  check(tn::sum(p, v) == 499'500, "sum");
}

template <class P>
void stream(P const& p) {
  std::vector<int> v(100);
  tn::iota(p, v, 0);
  int next = 0;
  auto const lengths = tn::pipeline(
      p, [&]() -> std::optional<int> { return next == 50 ? std::nullopt : std::optional(next++); },
      tn::parallel([](int x) { return std::to_string(x); }), tn::serial([](std::string s) { return s.size(); }));
  check(lengths.size() == 50, "pipeline");
  check(tn::pipeline(p, v, tn::parallel([](int x) { return 2L * x; }),
                     tn::reduce_into(0L, [](long a, long b) { return a + b; })) == 9900,
        "pipeline into a sum");
  check(tn::master_worker(p, v, [](int x) { return x + 1; }).size() == 100, "master_worker");
  int seen = 0;
  for (int const x : tn::imap(p, v, [](int y) { return y * y; })) seen += x > 0;
  check(seen == 99, "imap");
}

template <class P>
void wait_for_results(P const& p) {
  auto a = tn::submit(p, [](int x) { return x + 1; }, 41);
  auto b = tn::submit(p, one);
  check(a.get() + b.get() == 43, "submit");
  auto text = tn::submit(p, [] { return 5; }).then([](int x) { return std::to_string(x); });
  check(text.get() == "5", "then");
  std::vector<tn::future<int>> many;
  for (int i = 0; i != 10; ++i) many.push_back(tn::submit(p, [i] { return i; }));
  int sum = 0;
  for (auto& f : tn::as_completed(many)) sum += f.get();
  check(sum == 45, "as_completed");
  tn::worker_local<long> parts([] { return 0L; });
  tn::for_each(p, std::vector<int>(100, 2), [&](int x) { parts.local() += x; });
  check(parts.combine(0L, [](long x, long y) { return x + y; }) == 200, "worker_local");
}

template <class P>
void call_all(P const& p) {
  reduce_all(p);
  fork_all(p);
  move_elements(p);
  look_at_elements(p);
  stream(p);
  wait_for_results(p);
}

}  // namespace

int main() {
  call_all(tn::par);
  reduce_all(tn::seq);
  fork_all(tn::seq);
  return failures;
}
