// Every pattern once, on the lines of real text, beside the loop that one would write by hand. The work on a line is
// its checksum (FNV-1a), about a nanosecond a byte. What needs a workload of its own has one: text, sum, fork_join,
// stencil, pipeline, algorithms, simd; worker processes have a program of their own.
#include <tartan/aggregate.hpp>
#include <tartan/as_completed.hpp>
#include <tartan/by_key.hpp>
#include <tartan/divide_and_conquer.hpp>
#include <tartan/find.hpp>
#include <tartan/for_each.hpp>
#include <tartan/fork_join.hpp>
#include <tartan/imap.hpp>
#include <tartan/map.hpp>
#include <tartan/map_reduce.hpp>
#include <tartan/master_worker.hpp>
#include <tartan/pipeline.hpp>
#include <tartan/submit.hpp>
#include <tartan/task_group.hpp>
#include <tartan/try_map.hpp>
#include <tartan/zip.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness.hpp"
#include "real_text.hpp"

namespace {

bench::real_text input;
using lines_view = std::span<std::string_view const>;
lines_view all() { return input.lines; }

std::uint64_t checksum(std::string_view line) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (char const c : line) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

std::uint64_t checksums(lines_view lines) {
  std::uint64_t sum = 0;
  for (std::string_view const l : lines) sum += checksum(l);
  return sum;
}

constexpr std::size_t few = 512;  // lines that are not worth halving

template <class Policy>
std::uint64_t by_forks(Policy const& p, lines_view lines) {
  if (lines.size() <= few) return checksums(lines);
  auto const half = lines.size() / 2;
  auto const [left, right] = tartan::fork_join(
      p, [&] { return by_forks(p, lines.first(half)); }, [&] { return by_forks(p, lines.subspan(half)); });
  return left + right;
}

template <class Policy>
std::uint64_t by_group(Policy const& p, lines_view lines) {
  std::vector<std::uint64_t> sums((lines.size() + few - 1) / few);
  tartan::task_group group(p);
  for (std::size_t i = 0; i != sums.size(); ++i)
    group.run(
        [&sums, lines, i] { sums[i] = checksums(lines.subspan(i * few, (std::min)(few, lines.size() - i * few))); });
  group.wait();
  std::uint64_t sum = 0;
  for (auto const s : sums) sum += s;
  return sum;
}

template <class Policy>
std::uint64_t by_conquest(Policy const& p, lines_view lines) {
  return tartan::divide_and_conquer(
      p, lines, [](lines_view part) { return part.size() <= few; }, [](lines_view part) { return checksums(part); },
      [](lines_view part) {
        return std::vector<lines_view>{part.first(part.size() / 2), part.subspan(part.size() / 2)};
      },
      [](std::vector<std::uint64_t> sums) { return sums[0] + sums[1]; });
}

template <class Policy>
std::uint64_t by_masters(Policy const& p, lines_view lines) {
  std::uint64_t sum = 0;
  tartan::master_worker(
      p, std::vector{lines},
      [](lines_view part, auto& more) -> std::uint64_t {
        if (part.size() <= few) return checksums(part);
        more(part.first(part.size() / 2));
        more(part.subspan(part.size() / 2));
        return 0;
      },
      [&](std::uint64_t s) { sum += s; });
  return sum;
}

template <class Policy>
std::uint64_t by_pipeline(Policy const& p, lines_view lines) {
  return tartan::pipeline(p.in_flight(64), lines, tartan::parallel([](std::string_view l) { return checksum(l); }),
                          tartan::reduce_into(std::uint64_t{0}, std::plus<>{}));
}

template <class Policy>
std::uint64_t by_futures(Policy const& p, lines_view lines) {
  std::vector<tartan::future<std::uint64_t>> parts;
  for (std::size_t i = 0; i < lines.size(); i += few)
    parts.push_back(
        tartan::submit(p, [part = lines.subspan(i, (std::min)(few, lines.size() - i))] { return checksums(part); }));
  std::uint64_t sum = 0;
  for (auto& done : tartan::as_completed(parts)) sum += done.get();
  return sum;
}

/// What `serial` gives is what each backend must give.
template <class Serial, class Pattern>
void add_pattern(bench::options const& o, std::vector<bench::contender>& out, char const* name, Serial serial,
                 Pattern pattern) {
  auto const bytes = static_cast<double>(input.text.size());
  auto const expected = serial();
  out.push_back(bench::make_baseline(name, expected, serial, bytes));
  out.push_back(bench::make(name, "tartan seq", 1, expected, [=] { return pattern(tartan::seq); }, bytes));
  for (unsigned const w : o.workers)
    out.push_back(
        bench::make(name, "tartan par", w, expected, [=, p = tartan::par.workers(w)] { return pattern(p); }, bytes));
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  input.load(o.quick ? std::size_t{2} << 20 : std::size_t{32} << 20);
  auto const sum = [] { return checksums(all()); };
  auto const each = [] {
    std::vector<std::uint64_t> v;
    for (std::string_view const l : all()) v.push_back(checksum(l));
    return v;
  };
  auto const add_one = [&](char const* name, auto serial, auto pattern) { add_pattern(o, out, name, serial, pattern); };

  add_one("for_each", each, [](auto const& p) {
    std::vector<std::uint64_t> v(all().size());
    tartan::for_each(p, tartan::zip(all(), v), [](auto&& pair) { std::get<1>(pair) = checksum(std::get<0>(pair)); });
    return v;
  });
  add_one("map", each, [](auto const& p) { return tartan::map(p, all(), checksum); });
  add_one("map_into", each, [](auto const& p) {
    std::vector<std::uint64_t> v(all().size());
    tartan::map_into(p, all(), v, checksum);
    return v;
  });
  add_one("try_map", each, [](auto const& p) {
    std::vector<std::uint64_t> v;
    for (auto& outcome : tartan::try_map(p, all(), checksum)) v.push_back(outcome.value());
    return v;
  });
  add_one("imap", each, [](auto const& p) {
    std::vector<std::uint64_t> v;
    for (auto const x : tartan::imap(p.in_flight(256), all(), checksum)) v.push_back(x);
    return v;
  });
  add_one("map_reduce", sum, [](auto const& p) { return tartan::map_reduce(p, all(), checksum, std::uint64_t{0}); });
  add_one("aggregate", sum, [](auto const& p) {
    return tartan::aggregate(
        p, all(), [] { return std::uint64_t{0}; }, [](std::uint64_t& s, std::string_view l) { s += checksum(l); },
        std::plus<>{});
  });
  add_one("fork_join", sum, [](auto const& p) { return by_forks(p, all()); });
  add_one("task_group", sum, [](auto const& p) { return by_group(p, all()); });
  add_one("divide_and_conquer", sum, [](auto const& p) { return by_conquest(p, all()); });
  add_one("master_worker", sum, [](auto const& p) { return by_masters(p, all()); });
  add_one("pipeline", sum, [](auto const& p) { return by_pipeline(p, all()); });
  add_one("submit", sum, [](auto const& p) { return by_futures(p, all()); });
  add_one(
      "group_by",
      [] {
        std::unordered_map<std::size_t, std::vector<std::string_view>> groups;
        for (std::string_view const l : all()) groups[l.size()].push_back(l);
        return groups;
      },
      [](auto const& p) { return tartan::group_by(p, all(), &std::string_view::size); });
  add_one(
      "count_if",
      [] {
        std::size_t n = 0;
        for (std::string_view const l : all()) n += checksum(l) % 7 == 0 ? 1U : 0U;
        return n;
      },
      [](auto const& p) {
        return static_cast<std::size_t>(
            tartan::count_if(p, all(), [](std::string_view l) { return checksum(l) % 7 == 0; }));
      });
}

bench::registration const here("patterns", add);

}  // namespace
