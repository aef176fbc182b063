#include "tartan/observe/progress.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <list>
#include <numeric>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "tartan/algorithms/for_each.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;

namespace {

tn::progress_report report(std::string const& what, std::string const& unit, std::size_t done, std::size_t total) {
  return {what, unit, done, total, 10s, false};
}

std::string text_of(std::FILE* file) {
  std::rewind(file);
  std::string text(10'000, ' ');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

}  // namespace

TEST_CASE("a report knows rate and remaining time", "[progress]") {
  std::string const what = "a", unit = "b";
  auto const r = report(what, unit, 20, 100);
  CHECK(r.rate() == Approx(2));
  CHECK(r.left().count() == Approx(40));
  CHECK(report(what, unit, 0, 100).left().count() < 0);
  CHECK(report(what, unit, 20, 0).left().count() < 0);
  CHECK(report(what, unit, 120, 100).left().count() == Approx(0));
}

TEST_CASE("a line tells everything, and fits into any width", "[progress]") {
  std::string const what = "Resizing", unit = "image";
  auto const r = report(what, unit, 250, 1000);
  CHECK(tn::detail::progress_line(r, 80) ==
        "Resizing: 25% |#####                  | 250/1000 image [00:10<00:30, 25 image/s]");
  CHECK(tn::detail::progress_line(report(what, unit, 4321, 0), 80) == "Resizing: 4321 image [00:10, 432 image/s]");
  for (std::size_t columns = 1; columns != 200; ++columns) {
    std::string const line = tn::detail::progress_line(r, columns);
    CHECK(line.size() <= columns);
    if (columns >= 18) CHECK(line.find("250/1000 image") != std::string::npos);
  }
  CHECK(tn::detail::clock_text(7384s) == "2:03:04");
  CHECK(tn::detail::clock_text(-1s) == "?");
  CHECK(tn::detail::rate_text(0.01234) == "0.0123");
  CHECK(tn::detail::rate_text(999.9) == "1k");
  CHECK(tn::detail::rate_text(45'600'000) == "45.6M");
}

TEST_CASE("policies count what has ended, and the callback hears of it", "[progress]") {
  tn::test::everywhere([](auto const& p) {
    std::size_t last = 0, reports = 0;
    bool grows = true, finished = false;
    {
      tn::progress bar{tn::progress_options{.description = "d",
                                            .total = 10'000,
                                            .output = tn::progress_output::never,
                                            .interval = 0ms,
                                            .callback = [&](tn::progress_report const& r) {
                                              grows = grows && r.done >= last && r.total == 10'000;
                                              last = r.done;
                                              finished = r.finished;
                                              ++reports;
                                            }}};
      tn::for_each(p.progress(bar), std::views::iota(0, 10'000), [](int) {});
      CHECK(bar.done() == 10'000);
      CHECK(!finished);
    }
    CHECK(grows);
    CHECK(finished);
    CHECK(last == 10'000);
    CHECK(reports >= 2);
  });
}

TEST_CASE("what a counter or a callback throws goes to the handler, and the call comes to its end", "[progress]") {
  static std::atomic<int> handled{0};
  auto const before = tn::set_unhandled([](std::exception_ptr) { ++handled; });
  struct throwing {
    void advance(std::size_t) { throw std::domain_error("counter"); }
  } counter;
  tn::test::everywhere([&](auto const& p) {
    handled = 0;
    std::atomic<int> calls{0};
    tn::for_each(p.progress(counter), std::views::iota(0, 1000), [&](int) { ++calls; });
    CHECK(calls == 1000);
    CHECK(handled > 0);
    handled = 0;
    {
      tn::progress bar{tn::progress_options{
          .output = tn::progress_output::never, .interval = 0ms, .callback = [](tn::progress_report const&) {
            throw std::domain_error("callback");
          }}};
      tn::for_each(p.progress(bar), std::views::iota(0, 1000), [&](int) { ++calls; });
      CHECK(bar.done() == 1000);
    }
    CHECK(calls == 2000);
    CHECK(handled > 0);
  });
  tn::set_unhandled(before);
}

TEST_CASE("reports come no more often than the interval says", "[progress]") {
  int reports = 0;
  {
    tn::progress bar{tn::progress_options{.output = tn::progress_output::never,
                                          .interval = 1h,
                                          .callback = [&](tn::progress_report const&) { ++reports; }}};
    for (int i = 0; i != 1000; ++i) bar.advance();
  }
  CHECK(reports == 1);  // the last
}

TEST_CASE("a loop is counted by its range", "[progress]") {
  std::size_t done = 0, total = 0;
  auto const options = [&] {
    return tn::progress_options{.output = tn::progress_output::never, .callback = [&](tn::progress_report const& r) {
                                  done = r.done;
                                  total = r.total;
                                }};
  };
  std::vector<int> v{1, 2, 3};
  for (auto&& x : tn::progress(v, options())) x *= 2;
  CHECK(v == std::vector<int>{2, 4, 6});
  CHECK(done == 3);
  CHECK(total == 3);
  std::istringstream words("a b c d");
  std::string all;
  for (auto&& w : tn::progress(std::views::istream<std::string>(words), options())) all += w;
  CHECK(all == "abcd");
  CHECK(done == 4);
  CHECK(total == 0);
  for (auto&& x : tn::progress(std::list<int>{1, 2}, options())) static_cast<void>(x);
  CHECK(total == 2);
  int sum = 0;
  for (auto&& x : tn::progress(v, "Processing", "item")) sum += x;
  CHECK(sum == 12);
}

TEST_CASE("a loop that is left early has counted what it did", "[progress]") {
  for (int const end : {0, 1, 2, 63, 64, 65, 500, 999, 1000}) {
    std::size_t done = 0, reports = 0;
    bool grows = true;
    auto const options = [&](auto interval) {
      return tn::progress_options{
          .output = tn::progress_output::never, .interval = interval, .callback = [&](tn::progress_report const& r) {
            grows = grows && r.done >= done;
            done = r.done;
            ++reports;
          }};
    };
    for (auto const interval : {0ms, 100'000ms}) {
      done = 0;
      for (int x : tn::progress(std::views::iota(0, 1000), options(interval)))
        if (x == end) break;
      CHECK(done == static_cast<std::size_t>(end));
      done = 0;
      auto const throws = [&] {
        for (int x : tn::progress(std::views::iota(0, 1000), options(interval)))
          if (x == end) throw std::domain_error("left");
      };
      if (end != 1000) CHECK_THROWS_WITH(throws(), "left");
      if (end != 1000) CHECK(done == static_cast<std::size_t>(end));
    }
    CHECK(grows);
    CHECK(reports >= 2);
  }
  tn::progress range(std::views::iota(0, 10), tn::progress_options{.output = tn::progress_output::never});
  auto first = range.begin();
  auto moved = std::move(first);
  first = std::move(moved);
  CHECK(*first == 0);
  STATIC_REQUIRE(std::ranges::input_range<decltype(range)>);
}

TEST_CASE("many threads count on one bar", "[progress]") {
  std::size_t last = 0;
  bool grows = true;
  {
    tn::progress bar{tn::progress_options{
        .output = tn::progress_output::never, .interval = 0ms, .callback = [&](tn::progress_report const& r) {
          grows = grows && r.done >= last;
          last = r.done;
        }}};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t != 12; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i != 1000; ++i) bar.advance(t);
      });
    for (std::thread& t : threads) t.join();
    CHECK(bar.done() == 66'000);
  }
  CHECK(grows);
  CHECK(last == 66'000);
}

TEST_CASE("a stream that is no terminal stays empty unless told otherwise", "[progress]") {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  {
    tn::progress bar{tn::progress_options{.description = "Quiet", .total = 2, .stream = file}};
    bar.advance(2);
  }
  CHECK(text_of(file).empty());
  {
    tn::progress bar{
        tn::progress_options{.description = "Loud", .total = 2, .output = tn::progress_output::always, .stream = file}};
    bar.advance(2);
  }
  std::string const text = text_of(file);
  CHECK(text.find("Loud: 100% |") == 0);
  CHECK(text.find("2/2 item") != std::string::npos);
  CHECK(text.back() == '\n');
  CHECK(text.find('\r') == std::string::npos);
  std::fclose(file);
}
