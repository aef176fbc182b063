// Tokens through three stages, serial, parallel, serial, where the work of a token is nothing, little and much.
#include <tartan/pipeline.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

#include "harness.hpp"

#if BENCH_TBB
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#endif

namespace {

/// The work of one token: so many multiplications, each waiting for the one before.
std::uint64_t work(std::uint64_t x, int rounds) {
  for (int i = 0; i != rounds; ++i) x = x * 6364136223846793005U + 1442695040888963407U;
  return x;
}

/// The last stage: depends on every token and on their order.
std::uint64_t mix(std::uint64_t sum, std::uint64_t x) { return (sum << 1 | sum >> 63) ^ x; }

std::uint64_t serial_loop(std::uint64_t n, int rounds) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i != n; ++i) {
    std::uint64_t x = i;
    asm volatile("" : "+r"(x));  // a token is made, whatever comes of it
    sum = mix(sum, work(x, rounds));
  }
  return sum;
}

template <class P, class Source>
std::uint64_t pipelined(P const& p, Source&& source, int rounds) {
  std::uint64_t sum = 0;
  tartan::pipeline(p, source, tartan::parallel([rounds](std::uint64_t x) { return work(x, rounds); }),
                   tartan::serial([&sum](std::uint64_t x) { sum = mix(sum, x); }));
  return sum;
}

auto counter(std::uint64_t n) {
  return [i = std::uint64_t{0}, n]() mutable -> std::optional<std::uint64_t> {
    if (i == n) return std::nullopt;
    return i++;
  };
}

/// 0, 1, ..., n - 1, to be passed over once: nobody can tell whether the next one is there already.
struct single_pass {
  struct iterator {
    using value_type = std::uint64_t;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;
    single_pass* range;
    std::uint64_t operator*() const { return range->next; }
    iterator& operator++() { return ++range->next, *this; }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return range->next == range->n; }
  };
  std::uint64_t n, next = 0;
  iterator begin() { return {this}; }
  static std::default_sentinel_t end() { return {}; }
};

#if BENCH_TBB
std::uint64_t tbb_pipelined(unsigned workers, std::uint64_t n, int rounds) {
  std::uint64_t sum = 0, i = 0;
  tbb::task_arena arena(static_cast<int>(workers));
  arena.execute([&] {
    tbb::parallel_pipeline(
        64, tbb::make_filter<void, std::uint64_t>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control& control) {
              if (i == n) return control.stop(), i;
              return i++;
            }) & tbb::make_filter<std::uint64_t, std::uint64_t>(tbb::filter_mode::parallel, [=](std::uint64_t x) {
              return work(x, rounds);
            }) & tbb::make_filter<std::uint64_t, void>(tbb::filter_mode::serial_in_order, [&](std::uint64_t x) {
              sum = mix(sum, x);
            }));
  });
  return sum;
}
#endif

void add(bench::options const& o, std::vector<bench::contender>& out) {
  struct load {
    char const* name;
    int rounds;
    std::uint64_t tokens;
  };
  for (load const l : {load{"no work", 0, 1'000'000}, load{"80 ns", 90, 200'000}, load{"1 us", 1100, 50'000}}) {
    std::string const pattern = std::string("pipeline, ") + l.name;
    std::uint64_t const n = o.scaled(l.tokens), answer = serial_loop(n, l.rounds);
    int const rounds = l.rounds;
    auto const put = [&](bench::contender c) {
      c.items = static_cast<double>(n);
      out.push_back(std::move(c));
    };
    put(bench::make_baseline(pattern, answer, [=] { return serial_loop(n, rounds); }));
    put(bench::make(pattern, "tartan seq", 1, answer,
                    [=] { return pipelined(tartan::seq, std::views::iota(std::uint64_t{0}, n), rounds); }));
    for (unsigned const w : o.workers) {
      auto const p = tartan::par.workers(w);
      put(bench::make(pattern, "tartan par", w, answer,
                      [=] { return pipelined(p, std::views::iota(std::uint64_t{0}, n), rounds); }));
      put(bench::make(pattern, "tartan par, of a function", w, answer,
                      [=] { return pipelined(p, counter(n), rounds); }));
      put(bench::make(pattern, "tartan par, of a single pass", w, answer,
                      [=] { return pipelined(p, single_pass{n}, rounds); }));
#if BENCH_TBB
      put(bench::make(pattern, "oneTBB parallel_pipeline", w, answer, [=] { return tbb_pipelined(w, n, rounds); }));
#endif
    }
  }
}

bench::registration const here("pipeline", add);

}  // namespace
