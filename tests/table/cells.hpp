#pragma once
// One small program for each name in the first column of the README's table: cell::NAME(policy) runs it on that policy
// and says whether its answer is right. What table.cmake makes of the table calls them.

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tartan/forked.hpp"
#include "tartan/processes.hpp"
#include "tartan/tartan.hpp"

namespace cell {

namespace tn = tartan;

inline std::vector<int> numbers(int n = 1000) {
  std::vector<int> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

/// The same without captures, so that it travels, and for packs too.
struct twice {
  auto operator()(auto x) const { return x + x; }
};
struct odd {
  bool operator()(int x) const { return x % 2 == 1; }
};

inline std::vector<int> doubled() {
  auto v = numbers();
  for (int& x : v) x += x;
  return v;
}

template <class P>
constexpr bool in_this_process = tn::shared_memory_backend<typename P::backend_type>;

// ---- data ----------------------------------------------------------------------------------------------------------

template <class P>
bool for_each(P const& p) {
  if constexpr (in_this_process<P>) {
    auto v = numbers();
    tn::for_each(p.or_scalar(), v, [](int& x) { x += x; });
    return v == doubled();
  } else {
    tn::shared_array<int> a(numbers());
    tn::for_each(p, a, [](int& x) { x += x; });
    return std::ranges::equal(a, doubled());
  }
}
template <class P>
bool map(P const& p) {
  return tn::map(p, numbers(), twice{}) == doubled();
}
template <class P>
bool map_into(P const& p) {
  std::vector<int> out(1000);
  tn::map_into(p, numbers(), out, twice{});
  return out == doubled();
}
template <class P>
bool starmap(P const& p) {
  auto const areas =
      tn::starmap(p.or_scalar(), std::vector<std::tuple<int, int>>{{2, 3}, {4, 5}}, [](int w, int h) { return w * h; });
  return areas == std::vector<int>{6, 20};
}
template <class P>
bool try_map(P const& p) {
  auto const r =
      tn::try_map(p.or_scalar(), numbers(), [](int x) { return x == 7 ? throw std::runtime_error("7") : x; });
  return r.size() == 1000 && !r[7].has_value() && r[8].value() == 8;
}
template <class P>
bool try_starmap(P const& p) {
  auto const r = tn::try_starmap(p.or_scalar(), std::vector<std::pair<int, int>>{{1, 2}, {3, 0}},
                                 [](int a, int b) { return b == 0 ? throw std::domain_error("zero") : a / b; });
  return r.size() == 2 && r[0].value() == 0 && !r[1].has_value();
}
template <class P>
bool zip(P const& p) {
  auto const a = numbers(), b = numbers();
  return tn::map(p.or_scalar(), tn::zip(a, b), [](auto const& xy) {
           auto [x, y] = xy;
           return x + y;
         }) == doubled();
}
template <class P>
bool enumerate(P const& p) {
  auto const a = numbers();
  return tn::map(p.or_scalar(), tn::enumerate(a), [](auto const& ix) {
           auto [i, x] = ix;
           return static_cast<int>(i) + x;
         }) == doubled();
}

// ---- reductions ----------------------------------------------------------------------------------------------------

template <class P>
bool reduce(P const& p) {
  return tn::reduce(p, numbers()) == 499'500;
}
template <class P>
bool map_reduce(P const& p) {
  return tn::map_reduce(p, numbers(), twice{}) == 999'000;
}
template <class P>
bool aggregate(P const& p) {
  auto const sum =
      tn::aggregate(p, numbers(), [] { return 0L; }, [](long& s, int x) { s += x; }, [](long& a, long&& b) { a += b; });
  return sum == 499'500;
}
template <class P>
bool map_reduce_by_key(P const& p) {
  auto const sums =
      tn::map_reduce_by_key<int, long>(p, numbers(), [](int x, auto& emit) { emit(x % 10, 1L); }, std::plus<>{});
  return sums.size() == 10 && sums.at(3) == 100;
}
template <class P>
bool count_by(P const& p) {
  return tn::count_by(p, numbers(), [](int x) { return x % 10; }).at(3) == 100;
}
template <class P>
bool group_by(P const& p) {
  return tn::group_by(p, numbers(), [](int x) { return x % 10; }).at(3)[1] == 13;
}
template <class P>
bool sum(P const& p) {
  return tn::sum<long>(p, numbers()) == 499'500;
}
template <class P>
bool dot(P const& p) {
  return tn::dot<long>(p, numbers(), numbers()) == 332'833'500;
}
template <class P>
bool histogram(P const& p) {
  return tn::histogram(p, numbers(), 10, 0.0, 1000.0) == std::vector<std::size_t>(10, 100);
}
template <class P>
bool top_k(P const& p) {
  return tn::top_k(p, numbers(), 2) == std::vector<int>{999, 998};
}
template <class P>
bool count(P const& p) {
  return tn::count(p, numbers(), 7) == 1;
}
template <class P>
bool count_if(P const& p) {
  return tn::count_if(p, numbers(), odd{}) == 500;
}

// ---- algorithms that work in memory ---------------------------------------------------------------------------------

template <class P>
bool merge(P const& p) {
  auto const all = tn::merge(p, numbers(), numbers());
  return all.size() == 2000 && all[1999] == 999 && std::is_sorted(all.begin(), all.end());
}
template <class P>
bool merge_into(P const& p) {
  std::vector<int> out(2000);
  return tn::merge_into(p, numbers(), numbers(), out) == out.end() && out == tn::merge(p, numbers(), numbers());
}
template <class P>
bool set_union(P const& p) {
  return tn::set_union(p, numbers(), doubled()).size() == 1500;
}
template <class P>
bool set_intersection(P const& p) {
  return tn::set_intersection(p, numbers(), doubled()).size() == 500;
}
template <class P>
bool set_difference(P const& p) {
  return tn::set_difference(p, numbers(), doubled()).size() == 500;
}
template <class P>
bool set_symmetric_difference(P const& p) {
  return tn::set_symmetric_difference(p, numbers(), doubled()).size() == 1000;
}
template <class P>
bool equal(P const& p) {
  return tn::equal(p, numbers(), numbers()) && !tn::equal(p, numbers(), doubled());
}
template <class P>
bool mismatch(P const& p) {
  auto const a = numbers(), b = doubled();
  return tn::mismatch(p, a, b).first == a.begin() + 1;
}
template <class P>
bool lexicographical_compare(P const& p) {
  return tn::lexicographical_compare(p, numbers(), doubled());
}
template <class P>
bool search(P const& p) {
  auto const v = numbers();
  return tn::search(p, v, std::vector{500, 501}) == v.begin() + 500;
}
template <class P>
bool fill(P const& p) {
  auto v = numbers();
  tn::fill(p, v, 7);
  return v == std::vector<int>(1000, 7);
}
template <class P>
bool generate(P const& p) {
  auto v = numbers();
  tn::generate(p, v, [](std::size_t i) { return static_cast<int>(i + i); });
  return v == doubled();
}
template <class P>
bool iota(P const& p) {
  std::vector<int> v(1000);
  tn::iota(p, v, 0);
  return v == numbers();
}
template <class P>
bool reverse(P const& p) {
  auto v = numbers();
  tn::reverse(p, v);
  return v[0] == 999 && v[999] == 0;
}
template <class P>
bool rotate(P const& p) {
  auto v = numbers();
  return tn::rotate(p, v, v.begin() + 300) == v.begin() + 700 && v[0] == 300;
}
template <class P>
bool nth_element(P const& p) {
  auto v = numbers(20'000);
  tn::reverse(p, v);
  tn::nth_element(p, v, v.begin() + 70);
  return v[70] == 70;
}
template <class P>
bool shuffle(P const& p) {
  auto v = numbers(), w = v;
  tn::shuffle(p, v, 1);
  tn::shuffle(tn::seq, w, 1);
  return v == w && v != numbers();
}
template <class P>
bool sample(P const& p) {
  return tn::sample(p, numbers(), 10, 1) == tn::sample(tn::seq, numbers(), 10, 1);
}
template <class P>
bool join_by_key(P const& p) {
  auto const same = [](int x) { return x; };
  return tn::join_by_key(p, numbers(), same, doubled(), same).size() == 500;
}

// ---- fork and join -------------------------------------------------------------------------------------------------

template <class P>
bool fork_join(P const& p) {
  auto [a, b] = tn::fork_join(p, [] { return 1; }, [] { return std::string("two"); });
  return a == 1 && b == "two";
}
template <class P>
bool task_group(P const& p) {
  tn::task_group g{p};
  if constexpr (in_this_process<P>) {
    std::atomic<int> sum{0};
    for (int i = 0; i != 10; ++i) g.run([&sum] { ++sum; });
    g.wait();
    return sum == 10;
  } else {
    tn::shared_array<std::atomic<int>> sum(1);
    for (int i = 0; i != 10; ++i) g.run([](tn::shared_span<std::atomic<int>> s) { ++s[0]; }, sum.span());
    g.wait();
    return sum[0] == 10;
  }
}
template <class P>
bool divide_and_conquer(P const& p) {
  auto const sum = tn::divide_and_conquer(
      p, std::pair{0, 1000}, [](std::pair<int, int> i) { return i.second - i.first < 50; },
      [](std::pair<int, int> i) {
        long s = 0;
        for (int x = i.first; x != i.second; ++x) s += x;
        return s;
      },
      [](std::pair<int, int> i) {
        int const middle = i.first + (i.second - i.first) / 2;
        return std::pair{std::pair{i.first, middle}, std::pair{middle, i.second}};
      },
      std::plus<>{});
  return sum == 499'500;
}
template <class P>
bool scatter_gather(P const& p) {
  auto const v = numbers();
  auto const sums = tn::scatter_gather(p, v, tn::parts(4), [](std::span<int const> part, std::size_t) {
    return std::accumulate(part.begin(), part.end(), 0);
  });
  return std::accumulate(sums.begin(), sums.end(), 0) == 499'500;
}
template <class P>
bool master_worker(P const& p) {
  auto const halve = [](int x, auto&& more) {
    if (x > 1) more(x / 2), more(x - x / 2);
    return x;
  };
  return tn::master_worker(p, std::vector<int>{3, 2}, halve) == std::vector<int>{3, 1, 2, 1, 1, 2, 1, 1};
}
template <class P>
bool try_master_worker(P const& p) {
  auto const r = tn::try_master_worker(p, std::vector<int>{1, 2},
                                       [](int x) { return x == 1 ? throw std::runtime_error("one") : x; });
  return r.size() == 2 && !r[0].has_value() && r[1].value() == 2;
}
template <class P>
bool pipeline(P const& p) {
  long sum = 0;
  tn::pipeline(p, numbers(), tn::parallel(twice{}), tn::serial([&](int x) { sum += x; }));
  return sum == 999'000;
}
template <class P>
bool stencil(P const& p) {
  std::conditional_t<in_this_process<P>, tn::grid<int, 1>, tn::shared_grid<int, 1>> g(100);
  g(50) = 1;
  tn::stencil(p, g, tn::steps(3), tn::radius(1), tn::boundary::constant(0),
              [](auto at) { return at(-1) + at(0) + at(1); });
  return g(50) == 7 && g(53) == 1 && g(54) == 0;
}

// ---- futures and streams -------------------------------------------------------------------------------------------

template <class P>
bool submit(P const& p) {
  return tn::submit(p, [](int x) { return x + 1; }, 41).get() == 42;
}
template <class P>
bool schedule(P const& p) {
  return tn::sync_wait([](P policy) -> tn::task<int> {
           co_await tn::schedule(policy);
           co_return 42;
         }(p)) == 42;
}
template <class P>
bool spawn(P const& p) {
  return tn::spawn(p, []() -> tn::task<int> { co_return 42; }()).get() == 42;
}
template <class P>
bool map_async(P const& p) {
  return tn::map_async(p, numbers(), twice{}).get() == doubled();
}
template <class P>
bool starmap_async(P const& p) {
  return tn::starmap_async(p, std::vector<std::pair<int, int>>{{2, 3}}, [](int w, int h) { return w * h; }).get() ==
         std::vector<int>{6};
}
template <class P>
bool as_completed(P const& p) {
  std::vector<tn::future<int>> all;
  for (int i = 0; i != 10; ++i) all.push_back(tn::submit(p, twice{}, i));
  int sum = 0;
  for (auto& done : tn::as_completed(all)) sum += done.get();
  return sum == 90;
}
template <class P>
bool imap(P const& p) {
  int next = 0;
  bool right = true;
  for (auto&& x : tn::imap(p, numbers(), twice{})) right &= x == 2 * next++;
  return right && next == 1000;
}
template <class P>
bool imap_unordered(P const& p) {
  long sum = 0;
  for (auto&& x : tn::imap_unordered(p, numbers(), twice{})) sum += x;
  return sum == 999'000;
}

template <class P>
bool then(P const& p) {
  return tn::submit(p, twice{}, 20).then([](int x) { return x + 2; }).get() == 42;
}
template <class P>
bool when_all(P const& p) {
  std::vector<tn::future<int>> both;
  both.push_back(tn::submit(p, twice{}, 1));
  both.push_back(tn::submit(p, twice{}, 2));
  return tn::when_all(std::move(both)).get() == std::vector<int>{2, 4};
}
template <class P>
bool when_any(P const& p) {
  std::vector<tn::future<int>> one;
  one.push_back(tn::submit(p, twice{}, 1));
  auto first = tn::when_any(std::move(one)).get();
  return first.futures[first.index].get() == 2;
}

struct finished_elements {
  std::atomic<std::size_t> n{0};
  void advance(std::size_t more) { n += more; }
};
template <class P>
bool progress(P const& p) {
  finished_elements finished;
  return map(p.progress(finished)) && finished.n == 1000;
}

// ---- algorithms ----------------------------------------------------------------------------------------------------

inline std::vector<int> reversed() {
  auto v = numbers();
  std::ranges::reverse(v);
  return v;
}

template <class P>
bool sort(P const& p) {
  auto v = reversed();
  tn::sort(p, v);
  return v == numbers();
}
template <class P>
bool stable_sort(P const& p) {
  auto v = reversed();
  tn::stable_sort(p, v);
  return v == numbers();
}
template <class P>
bool inclusive_scan(P const& p) {
  std::vector<int> out(1000);
  tn::inclusive_scan(p, numbers(), out);
  return out[999] == 499'500;
}
template <class P>
bool exclusive_scan(P const& p) {
  std::vector<int> out(1000);
  tn::exclusive_scan(p, numbers(), out);
  return out[999] == 498'501;
}
template <class P>
bool find(P const& p) {
  auto const v = numbers();
  return tn::find(p, v, 700) == v.begin() + 700;
}
template <class P>
bool find_if(P const& p) {
  auto const v = numbers();
  return tn::find_if(p, v, odd{}) == v.begin() + 1;
}
template <class P>
bool any_of(P const& p) {
  return tn::any_of(p, numbers(), odd{});
}
template <class P>
bool all_of(P const& p) {
  return !tn::all_of(p, numbers(), odd{});
}
template <class P>
bool none_of(P const& p) {
  return !tn::none_of(p, numbers(), odd{});
}
template <class P>
bool min_element(P const& p) {
  auto const v = reversed();
  return *tn::min_element(p, v) == 0;
}
template <class P>
bool max_element(P const& p) {
  auto const v = reversed();
  return *tn::max_element(p, v) == 999;
}
template <class P>
bool minmax_element(P const& p) {
  auto const v = reversed();
  auto const [low, high] = tn::minmax_element(p, v);
  return *low == 0 && *high == 999;
}
template <class P>
bool copy_if(P const& p) {
  return tn::copy_if(p, numbers(), odd{}).size() == 500;
}
template <class P>
bool remove_if(P const& p) {
  auto v = numbers();
  return tn::remove_if(p, v, odd{}) == v.begin() + 500;
}
template <class P>
bool partition(P const& p) {
  auto v = numbers();
  return tn::partition(p, v, odd{}) == v.begin() + 500 && v[0] == 1;
}
template <class P>
bool unique(P const& p) {
  std::vector<int> v{1, 1, 2, 2, 2, 3};
  return tn::unique(p, v) == v.begin() + 3;
}

}  // namespace cell
