// Values that come together by their keys: the words of a text, and whole numbers, skewed or all different.
#include <tartan/by_key.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "algorithms/measure.hpp"
#include "harness.hpp"
#include "peers.hpp"

#if BENCH_TBB
#include <tbb/enumerable_thread_specific.h>
#endif
#if BENCH_OPENMP
#include <omp.h>
#endif

namespace {

std::string text;
std::vector<std::string_view> pieces;
std::vector<std::uint64_t> skewed, distinct;
using word_counts = std::unordered_map<std::string, long>;
using number_counts = std::unordered_map<std::uint64_t, std::size_t>;

/// A text of 200,000 different words of which the k-th most frequent has a share of about 1 / k.
void make_text(std::size_t bytes) {
  std::mt19937_64 random(1);
  std::vector<std::string> vocabulary(200'000);
  for (std::size_t i = 0; i != vocabulary.size(); ++i) {
    vocabulary[i].resize(2 + std::min<std::size_t>(i / 20, 3) + random() % 8);
    for (char& c : vocabulary[i]) c = static_cast<char>('a' + random() % 26);
  }
  text.clear();
  text.reserve(bytes + 32);
  double const range = std::log(static_cast<double>(vocabulary.size()));
  while (text.size() < bytes) {
    double const u = static_cast<double>(random() >> 11) * 0x1p-53;
    text += vocabulary[static_cast<std::size_t>(std::exp(u * range)) - 1];
    text += ' ';
  }
  pieces.clear();
  for (std::string_view rest = text; !rest.empty();) {
    std::size_t const end = rest.find(' ', (std::min)(rest.size() - 1, std::size_t{1} << 16)) + 1;
    pieces.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
}

template <class Emit>
void words_of(std::string_view piece, Emit&& emit) {
  for (std::size_t i = 0; i < piece.size();) {
    std::size_t const begin = i;
    while (i < piece.size() && piece[i] != ' ') ++i;
    if (i != begin) emit(piece.substr(begin, i - begin));
    ++i;
  }
}

/// A map a thread, added up at the end: what is usually written by hand.
template <class Map, class Feed>
Map in_maps_of_threads([[maybe_unused]] unsigned workers, [[maybe_unused]] std::size_t n,
                       [[maybe_unused]] Feed const& feed) {
  Map all;
#if BENCH_TBB
  tbb::enumerable_thread_specific<Map> maps;
  bench::tbb_for(workers, n, [&](std::size_t i) { feed(i, maps.local()); });
  for (Map& one : maps)
    for (auto& [key, count] : one) all[key] += count;
#endif
  return all;
}

template <class Map, class Feed>
Map in_maps_of_openmp([[maybe_unused]] unsigned workers, [[maybe_unused]] std::size_t n,
                      [[maybe_unused]] Feed const& feed) {
  Map all;
#if BENCH_OPENMP
  std::vector<Map> maps(workers);
#pragma omp parallel num_threads(workers)
  {
    Map& mine = maps[static_cast<std::size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic, 64)
    for (std::size_t i = 0; i < n; ++i) feed(i, mine);
  }
  for (Map& one : maps)
    for (auto& [key, count] : one) all[key] += count;
#endif
  return all;
}

void add_peers(bench::options const& o, std::vector<bench::contender>& out, std::string const& pattern,
               auto const& expected, double bytes, std::size_t n, auto feed) {
  using map = std::remove_cvref_t<decltype(expected)>;
  // Alone they are the serial loop and a copy of its map.
  unsigned const widest = *std::max_element(o.workers.begin(), o.workers.end());
  for (unsigned const w : {widest}) {
#if BENCH_TBB
    out.push_back(bench::make(
        pattern, "oneTBB, a map a thread", w, expected, [=] { return in_maps_of_threads<map>(w, n, feed); }, bytes));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make(
        pattern, "OpenMP, a map a thread", w, expected, [=] { return in_maps_of_openmp<map>(w, n, feed); }, bytes));
#endif
  }
}

void add_words(bench::options const& o, std::vector<bench::contender>& out) {
  make_text(o.scaled(210'000'000));
  auto const bytes = static_cast<double>(text.size());
  auto const feed = [](std::size_t i, word_counts& c) {
    words_of(pieces[i], [&](std::string_view w) { ++c[std::string(w)]; });
  };
  auto const serial = [feed] {
    word_counts c;
    for (std::size_t i = 0; i != pieces.size(); ++i) feed(i, c);
    return c;
  };
  word_counts const expected = serial();
  out.push_back(bench::make_baseline("words", expected, serial, bytes));
  for (unsigned const w : o.workers)
    out.push_back(bench::make(
        "words", "tartan par", w, expected,
        [p = tartan::par.workers(w)] {
          return tartan::map_reduce_by_key<std::string, long>(p, pieces, [](std::string_view piece, auto& emit) {
            words_of(piece, [&](std::string_view word) { emit(word, 1L); });
          });
        },
        bytes));
  add_peers(o, out, "words", expected, bytes, pieces.size(), feed);
}

void add_numbers(bench::options const& o, std::vector<bench::contender>& out, std::string const& pattern,
                 std::vector<std::uint64_t> const& numbers) {
  auto const bytes = static_cast<double>(numbers.size() * sizeof(std::uint64_t));
  auto const feed = [&numbers](std::size_t i, number_counts& c) { ++c[numbers[i]]; };
  auto const serial = [&numbers] {
    number_counts c;
    for (std::uint64_t const x : numbers) ++c[x];
    return c;
  };
  number_counts const expected = serial();
  out.push_back(bench::make_baseline(pattern, expected, serial, bytes));
  for (unsigned const w : o.workers)
    out.push_back(bench::make(
        pattern, "tartan par", w, expected,
        [p = tartan::par.workers(w), &numbers] { return tartan::count_by(p, numbers, std::identity{}); }, bytes));
  add_peers(o, out, pattern, expected, bytes, numbers.size(), feed);
}

/// Sums of doubles, the same bits on every run.
void add_sums(bench::options const& o, std::vector<bench::contender>& out) {
  auto const serial = [] {
    std::unordered_map<std::uint64_t, double> sums;
    for (std::size_t i = 0; i != skewed.size() / 2; ++i) sums[skewed[i]] += static_cast<double>(i % 8);
    return sums;
  };
  auto const expected = serial();
  out.push_back(bench::make_baseline("sums by key, skewed", expected, serial));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("sums by key, skewed", "tartan par", w, expected, [p = tartan::par.workers(w)] {
      auto const indices = std::views::iota(std::size_t{0}, skewed.size() / 2);
      return tartan::map_reduce_by_key<std::uint64_t, double>(
          p, indices, [](std::size_t i, auto& emit) { emit(skewed[i], static_cast<double>(i % 8)); });
    }));
}

/// Elements in groups by a key; everybody keeps their order.
template <class T, class KeyOf>
void add_groups(bench::options const& o, std::vector<bench::contender>& out, std::string const& pattern,
                std::vector<T> const& elements, KeyOf key_of) {
  using groups = std::unordered_map<std::remove_cvref_t<std::invoke_result_t<KeyOf&, T const&>>, std::vector<T>>;
  auto const serial = [&elements, key_of] {
    groups g;
    for (T const& x : elements) g[std::invoke(key_of, x)].push_back(x);
    return g;
  };
  groups const expected = serial();
  auto const add_row = [&](bench::contender c) {
    c.items = static_cast<double>(elements.size());
    out.push_back(std::move(c));
  };
  add_row(bench::make_baseline(pattern, expected, serial));
  for (unsigned const w : o.workers)
    add_row(bench::make(pattern, "tartan par", w, expected, [p = tartan::par.workers(w), &elements, key_of] {
      return tartan::group_by(p, elements, key_of);
    }));
}

std::vector<std::string> names;

void add(bench::options const& o, std::vector<bench::contender>& out) {
  add_words(o, out);
  std::mt19937_64 random(1);
  skewed.resize(o.scaled(std::size_t{1} << 24));
  for (auto& x : skewed) {
    double const u = static_cast<double>(random() >> 11) * 0x1p-53;
    x = static_cast<std::uint64_t>(std::exp(u * std::log(1e5)));
  }
  distinct.resize(o.scaled(std::size_t{1} << 21));
  for (std::size_t i = 0; i != distinct.size(); ++i) distinct[i] = i * 0x9e3779b97f4a7c15ULL;
  add_numbers(o, out, "count_by, skewed", skewed);
  add_numbers(o, out, "count_by, distinct", distinct);
  add_sums(o, out);
  names.resize(o.scaled(std::size_t{1} << 20));
  for (auto& name : names) name = "name " + std::to_string(skewed[random() % skewed.size()] % 20'000);
  add_groups(o, out, "group_by, skewed", skewed, std::identity{});
  add_groups(o, out, "group_by, distinct", distinct, std::identity{});
  add_groups(o, out, "group_by, strings", names, std::identity{});
  add_groups(o, out, "group_by, by length", names, [](std::string const& n) { return n.size(); });
  bench::with_memory(out);
  for (bench::contender& c : out) c.slow = true;  // some take seconds
}

bench::registration const here("by_key", add);

}  // namespace
