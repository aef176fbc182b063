// Tests of `forked` start no thread and no pool before: a main of their own.

#include "tartan/backends/forked.hpp"

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "tartan/algorithms/for_each.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/exec/channel.hpp"
#include "tartan/patterns/map_reduce.hpp"

extern "C" char const* __asan_default_options();
extern "C" [[gnu::used]] char const* __asan_default_options() { return "handle_segv=0:handle_abort=0:detect_leaks=0"; }

int main(int argc, char** argv) { return tartan::test::run_catch(argc, argv); }

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

using tartan::test::numbers;

}  // namespace

TEST_CASE("forked: any function, with all that it captures, as it stood at the call") {
  std::map<int, std::string> table{{1, "one"}, {2, "two"}};
  std::function<std::string(int)> const look = [&](int k) { return table.at(k); };
  CHECK(tn::map(tn::forked, std::vector<int>{2, 1, 2}, [&](int k) { return look(k); }) ==
        std::vector<std::string>{"two", "one", "two"});
  table[1] = "uno";
  auto const changed = tn::map(tn::forked.workers(2), std::vector<int>{1}, [&](int k) {
    table[2] = "changed in the child";
    return table.at(k);
  });
  CHECK(changed[0] == "uno");
  CHECK(table[2] == "two");
}

TEST_CASE("forked: all sizes, ranges that cannot travel, reductions with the bits of a serial fold") {
  for (int const n : {0, 1, 2, 255, 10'000}) {
    auto const v = numbers(n);
    int k = 3;  // not const: a constant would need no capture
    auto const r = tn::map(tn::forked.workers(2), v, [&k](int x) { return k * x; });
    REQUIRE(r.size() == v.size());
    for (std::size_t i = 0; i != v.size(); ++i) REQUIRE(r[i] == 3 * v[i]);
  }
  int a = 1;
  int b = 2;
  std::vector<int*> const pointers{&a, &b};
  CHECK(tn::map(tn::forked, pointers, [](int const* p) { return *p; }) == std::vector<int>{1, 2});
  std::vector<double> v;
  for (int i = 0; i != 20'000; ++i) v.push_back(1.0 / (i + 1));
  auto const square = [](double x) { return x * x; };
  CHECK(tn::map_reduce(tn::forked.workers(2), v, square) == tn::map_reduce(tn::forked.workers(1), v, square));
}

TEST_CASE("forked: exceptions, crashes and timeouts are typed errors of their task") {
  std::string const text = "captured";
  auto const r = tn::try_map(tn::forked.workers(2).timeout(300ms).retries(3), numbers(20), [&](int x) {
    if (x == 3) throw std::out_of_range(text);
    if (x == 5) std::raise(SIGKILL);
    if (x == 7) ::pause();
    return text + std::to_string(x);
  });
  for (int i = 0; i != 20; ++i) {
    auto const& o = r[static_cast<std::size_t>(i)];
    if (i == 3)
      CHECK_THROWS_AS(o.value(), std::out_of_range);
    else if (i == 5)
      CHECK_THROWS_AS(o.value(), tn::worker_died);
    else if (i == 7)
      CHECK_THROWS_AS(o.value(), tn::task_timeout);
    else
      CHECK(o.value() == text + std::to_string(i));
  }
  CHECK_THROWS_AS(
      tn::map(tn::forked, numbers(10), [&](int x) -> int { throw std::domain_error(text + std::to_string(x)); }),
      std::domain_error);
}

TEST_CASE("forked: nothing is left behind") {
  (void)tn::map(tn::forked, numbers(3), [](int x) { return x; });
  auto& arena = *tn::detail::known_segment();
  auto const before = arena.in_use();
  int const descriptor = ::dup(0);
  ::close(descriptor);
  for (int i = 0; i != 30; ++i) (void)tn::map(tn::forked.workers(2), numbers(10), [&](int x) { return x + i; });
  CHECK(arena.in_use() == before);
  int const again = ::dup(0);
  CHECK(again == descriptor);
  ::close(again);
  CHECK(::wait(nullptr) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("forked: a channel") {
  std::string const text = "x";
  auto channel = tn::open_channel<std::string, int>(
      tn::forked.backend(), tn::forked.workers(2).props(), [&](int n) { return text + std::to_string(n); }, 4);
  std::size_t results = 0;
  int next = 0;
  while (next != 50 || channel.under_way() != 0) {
    while (next != 50 && channel.try_push(int{next})) ++next;
    channel.wait();
    channel.poll([&](std::size_t i, tn::outcome<std::string> o) {
      ++results;
      CHECK(o.value() == "x" + std::to_string(i));
    });
  }
  CHECK(results == 50);
}

TEST_CASE("forked: a process with threads is refused with a sentence that names the other policy") {
  std::jthread const other([](std::stop_token end) {
    while (!end.stop_requested()) std::this_thread::sleep_for(1ms);
  });
  try {
    (void)tn::map(tn::forked, numbers(3), [](int x) { return x; });
    FAIL("not refused");
  } catch (tn::process_start_error const& e) {
    CHECK_THAT(e.what(), tn::test::contains_text("tartan::processes"));
  }
}
