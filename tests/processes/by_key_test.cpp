// By-key operations on worker processes: the maps are those of one process, in whichever order blocks come back.

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "support/process_main.hpp"
#include "tartan/by_key.hpp"
#include "tartan/histogram.hpp"
#include "tartan/processes.hpp"
#include "tartan/top_k.hpp"

namespace {

namespace tn = tartan;

std::vector<std::string> some_lines(std::size_t n) {
  std::vector<std::string> lines;
  for (std::uint64_t i = 0; i != n; ++i) {
    std::uint64_t const r = i * 0x9e3779b97f4a7c15ULL >> 40;
    lines.push_back("w" + std::to_string(r % 50) + " a longer word: " + std::to_string(r % 1000) + " w" +
                    std::to_string(i));
  }
  return lines;
}

constexpr auto emit_words = [](std::string const& line, auto& emit) {
  std::istringstream in(line);
  for (std::string w; in >> w;) emit(w, 1L);
};
constexpr auto emit_halves = [](double x, auto& emit) { emit(static_cast<int>(x) % 7, x * 0.1); };
constexpr auto first_word = [](std::string const& line) { return std::string_view(line).substr(0, line.find(' ')); };

}  // namespace

TEST_CASE("words counted by worker processes are those counted by one") {
  for (std::size_t const n : {0U, 1U, 3000U}) {
    auto const lines = some_lines(n);
    auto const expected = tn::map_reduce_by_key<std::string, long>(tn::seq, lines, emit_words);
    for (auto const& p : {tn::processes.workers(1), tn::processes.workers(3)})
      CHECK(tn::map_reduce_by_key<std::string, long>(p, lines, emit_words) == expected);
  }
}

TEST_CASE("floating sums by key have the same bits on worker processes") {
  std::vector<double> v(10'007);
  for (std::size_t i = 0; i != v.size(); ++i) v[i] = static_cast<double>(i) * 1.7;
  auto const once = tn::map_reduce_by_key<int, double>(tn::seq, v, emit_halves);
  CHECK(tn::map_reduce_by_key<int, double>(tn::processes.workers(2), v, emit_halves) == once);
}

TEST_CASE("groups and counts of worker processes, also sorted") {
  auto const lines = some_lines(2000);
  auto const p = tn::processes.workers(2);
  CHECK(tn::group_by(p, lines, first_word) == tn::group_by(tn::seq, lines, first_word));
  CHECK(tn::count_by(p, lines, first_word) == tn::count_by(tn::seq, lines, first_word));
  CHECK(tn::group_by(p, lines, first_word, tn::sorted_by_key) ==
        tn::group_by(tn::seq, lines, first_word, tn::sorted_by_key));
  auto const down = tn::count_by(p, lines, first_word, tn::sorted_by_key(std::greater<>{}));
  CHECK(down.size() == 50);
  CHECK(down.begin()->first == "w9");

  std::vector<int> const numbers{3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  CHECK(tn::histogram(p, numbers, 3, 0.0, 9.0) == tn::histogram(tn::seq, numbers, 3, 0.0, 9.0));
  CHECK(tn::top_k(p, numbers, 3) == std::vector<int>{9, 6, 5});
}

TEST_CASE("what f throws, and a worker that dies, reach the caller of a by-key operation") {
  std::vector<int> v(1000);
  for (std::size_t i = 0; i != v.size(); ++i) v[i] = static_cast<int>(i);
  auto const p = tn::processes.workers(2);
  auto const throws = [](int i) {
    if (i == 500 || i == 900) throw std::out_of_range(std::to_string(i));
    return i % 10;
  };
  CHECK_THROWS_WITH(tn::group_by(p, v, throws), "500");
  CHECK_THROWS_AS(tn::count_by(p, v, throws), std::out_of_range);
  auto const dies = [](int i) {
    if (i == 500) ::_exit(3);
    return i % 10;
  };
  CHECK_THROWS_AS(tn::count_by(p, v, dies), tn::worker_died);
  CHECK(tn::count_by(p, v, [](int i) { return i % 10; }).at(7) == 100);  // the pool still works
}
