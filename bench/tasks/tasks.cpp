// What a coroutine costs: awaiting one, sending one through a pool, joining many, against a plain call and a future;
// and what lazy maps cost, against calls of std::async some way ahead of the loop.
#include <tartan/as_completed.hpp>
#include <tartan/imap.hpp>
#include <tartan/submit.hpp>
#include <tartan/task.hpp>

#include <cstddef>
#include <deque>
#include <future>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "harness.hpp"

namespace tn = tartan;

namespace {

[[gnu::noinline]] long plain(long n) { return n; }
tn::task<long> one(long n) { co_return n; }
tn::task<long> row(long n) {
  long sum = 0;
  for (long i = 0; i != n; ++i) sum += co_await one(i);
  co_return sum;
}
tn::task<long> scheduled(long n) {
  long sum = 0;
  for (long i = 0; i != n; ++i) {
    co_await tn::schedule(tn::par);
    sum += i;
  }
  co_return sum;
}
tn::task<long> awaits_futures(long n) {
  co_await tn::schedule(tn::par);
  long sum = 0;
  for (long i = 0; i != n; ++i) sum += co_await tn::submit(tn::par, [i] { return plain(i); });
  co_return sum;
}
tn::task<long> joins(long n) {
  co_await tn::schedule(tn::par);
  std::vector<tn::task<long>> tasks;
  for (long i = 0; i != n; ++i) tasks.push_back(one(i));
  long sum = 0;
  for (long x : co_await tn::when_all(std::move(tasks))) sum += x;
  co_return sum;
}
long spawns(long n) {
  std::vector<tn::future<long>> futures;
  for (long i = 0; i != n; ++i) futures.push_back(tn::spawn(tn::par, one(i)));
  long sum = 0;
  for (auto& f : futures) sum += f.get();
  return sum;
}
long std_futures(long n) {  // no pool: only the packaged_task and its future
  long sum = 0;
  for (long i = 0; i != n; ++i) {
    std::packaged_task<long()> task([i] { return plain(i); });
    auto f = task.get_future();
    task();
    sum += f.get();
  }
  return sum;
}
long imaps(long n) {
  long sum = 0;
  for (long x : tn::imap(tn::par, std::views::iota(0L, n), [](long i) { return plain(i); })) sum += x;
  return sum;
}
long imaps_unordered(long n) {
  long sum = 0;
  for (long x : tn::imap_unordered(tn::par, std::views::iota(0L, n), [](long i) { return plain(i); })) sum += x;
  return sum;
}
long async_window(long n) {  // what imap does, by the standard library: some calls ahead of the loop, a thread each
  std::deque<std::future<long>> ahead;
  long sum = 0;
  for (long next = 0; next != n || !ahead.empty();) {
    while (next != n && ahead.size() != 32) ahead.push_back(std::async(std::launch::async, plain, next++));
    sum += ahead.front().get();
    ahead.pop_front();
  }
  return sum;
}
long async_maps(long n) {
  long sum = 0;
  for (long x : tn::map_async(tn::par, std::views::iota(0L, n), [](long i) { return plain(i); }).get()) sum += x;
  return sum;
}
long calls(long n) {
  long sum = 0;
  for (long i = 0; i != n; ++i) sum += plain(i);
  return sum;
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  auto const n = static_cast<long>(o.scaled(200'000));
  auto const put = [&](std::string name, auto f, bool baseline = false) {
    auto c = bench::make("tasks", std::move(name), 2, n * (n - 1) / 2, [f, n] { return f(n); });
    c.items = static_cast<double>(n);
    c.baseline = baseline;
    out.push_back(std::move(c));
  };
  put("plain call", calls, true);
  put("packaged_task, run here", std_futures);
  put("co_await a task", [](long k) { return tn::sync_wait(row(k)); });
  put("co_await schedule(par)", [](long k) { return tn::sync_wait(scheduled(k)); });
  put("co_await submit(par)", [](long k) { return tn::sync_wait(awaits_futures(k)); });
  put("when_all of tasks", [](long k) { return tn::sync_wait(joins(k)); });
  put("spawn(par) and get", spawns);
  put("imap(par)", imaps);
  put("imap_unordered(par)", imaps_unordered);
  put("map_async(par) and get", async_maps);
  long const few = n / 100;  // a hundredth of the calls, since each costs some ten microseconds
  auto c = bench::make("tasks", "std::async, 32 at once", 2, few * (few - 1) / 2, [few] { return async_window(few); });
  c.items = static_cast<double>(few);
  out.push_back(std::move(c));
}

bench::registration const registered("tasks", add);

}  // namespace
