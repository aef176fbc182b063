// Patterns at work on real text: the C and C++ headers of this machine.
#include <tartan/by_key.hpp>
#include <tartan/map.hpp>
#include <tartan/map_reduce.hpp>
#include <tartan/scatter_gather.hpp>
#include <tartan/try_map.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "harness.hpp"
#include "real_text.hpp"

namespace {

bench::real_text input;
std::string const& text = input.text;
std::vector<std::string_view> const& lines = input.lines;
using counts = std::unordered_map<std::string, long>;

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

template <class Emit>
void words_of(std::string_view line, Emit&& emit) {
  for (std::size_t i = 0; i < line.size();) {
    while (i < line.size() && !letter(line[i])) ++i;
    std::size_t const begin = i;
    while (i < line.size() && letter(line[i])) ++i;
    if (i != begin) emit(line.substr(begin, i - begin));
  }
}

template <class Policy>
counts word_count(Policy const& p) {
  return tartan::map_reduce_by_key<std::string, long>(
      p, lines, [](std::string_view line, auto& emit) { words_of(line, [&](std::string_view w) { emit(w, 1L); }); },
      std::plus<>{});
}

long parenthesis_depth(std::string_view line) {
  long depth = 0;
  for (char const c : line) depth += c == '(' ? 1 : c == ')' ? -1 : 0;
  if (depth < 0) throw std::invalid_argument("unbalanced");
  return depth;
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  input.load(o.quick ? std::size_t{4} << 20 : std::size_t{64} << 20);
  auto const bytes = static_cast<double>(text.size());

  counts expected;
  for (std::string_view const l : lines) words_of(l, [&](std::string_view w) { ++expected[std::string(w)]; });
  out.push_back(bench::make_baseline(
      "map_reduce_by_key", expected,
      [] {
        counts c;
        for (std::string_view const l : lines) words_of(l, [&](std::string_view w) { ++c[std::string(w)]; });
        return c;
      },
      bytes));
  out.push_back(
      bench::make("map_reduce_by_key", "tartan seq", 1, expected, [] { return word_count(tartan::seq); }, bytes));
  for (unsigned const w : o.workers)
    out.push_back(bench::make(
        "map_reduce_by_key", "tartan par", w, expected, [p = tartan::par.workers(w)] { return word_count(p); }, bytes));

  std::unordered_map<std::size_t, std::size_t> by_length;
  for (std::string_view const l : lines) ++by_length[l.size()];
  out.push_back(bench::make_baseline("count_by", by_length, [] {
    std::unordered_map<std::size_t, std::size_t> c;
    for (std::string_view const l : lines) ++c[l.size()];
    return c;
  }));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("count_by", "tartan par", w, by_length, [p = tartan::par.workers(w)] {
      return tartan::count_by(p, lines, &std::string_view::size);
    }));

  std::size_t failed = 0;
  for (std::string_view const l : lines) try {
      static_cast<void>(parenthesis_depth(l));
    } catch (std::invalid_argument const&) {
      ++failed;
    }
  out.push_back(bench::make_baseline("try_map", failed, [] {  // keeps what became of each line, as the others do
    using outcome = std::variant<decltype(parenthesis_depth(text)), std::exception_ptr>;
    std::vector<outcome> outcomes;
    outcomes.reserve(lines.size());
    for (std::string_view const l : lines) try {
        outcomes.emplace_back(std::in_place_index<0>, parenthesis_depth(l));
      } catch (...) {
        outcomes.emplace_back(std::in_place_index<1>, std::current_exception());
      }
    return static_cast<std::size_t>(
        std::count_if(outcomes.begin(), outcomes.end(), [](outcome const& x) { return x.index() == 1; }));
  }));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("try_map", "tartan par", w, failed, [p = tartan::par.workers(w)] {
      auto const outcomes = tartan::try_map(p, lines, parenthesis_depth);
      return static_cast<std::size_t>(
          std::count_if(outcomes.begin(), outcomes.end(), [](auto const& x) { return !x; }));
    }));

  auto const spaces = static_cast<long>(std::count(text.begin(), text.end(), ' '));
  out.push_back(bench::make_baseline(
      "scatter_gather", spaces, [] { return static_cast<long>(std::count(text.begin(), text.end(), ' ')); }, bytes));
  for (unsigned const w : o.workers)
    out.push_back(bench::make(
        "scatter_gather", "tartan par", w, spaces,
        [p = tartan::par.workers(w)] {
          long sum = 0;
          for (long const n : tartan::scatter_gather(p, text, [](std::span<char const> part, std::size_t) {
                 return static_cast<long>(std::count(part.begin(), part.end(), ' '));
               }))
            sum += n;
          return sum;
        },
        bytes));

  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (std::size_t i = 0; i + 1000 < text.size(); i += 1000) ranges.emplace_back(i, 1000);
  auto const hash = [](std::size_t from, std::size_t n) {
    return std::hash<std::string_view>{}(std::string_view(text).substr(from, n));
  };
  std::vector<std::size_t> hashes;
  for (auto const& [from, n] : ranges) hashes.push_back(hash(from, n));
  out.push_back(bench::make_baseline(
      "starmap", hashes,
      [ranges, hash] {
        std::vector<std::size_t> h;
        for (auto const& [from, n] : ranges) h.push_back(hash(from, n));
        return h;
      },
      bytes));
  for (unsigned const w : o.workers)
    out.push_back(bench::make(
        "starmap", "tartan par", w, hashes,
        [p = tartan::par.workers(w), ranges, hash] { return tartan::starmap(p, ranges, hash); }, bytes));
}

bench::registration const here("text", add);

}  // namespace
