#include "tartan/worker_local.hpp"

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "tartan/for_each.hpp"
#include "tartan/submit.hpp"
#include "tartan/this_worker.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

TEST_CASE("each worker has its own object, and together they have seen everything", "[worker_local]") {
  tn::thread_pool pool{4};
  tn::worker_local<long> sums;
  std::vector<int> v(100'000, 1);
  tn::for_each(tn::par.on(pool), v, [&](int x) { sums.local() += x; });
  CHECK(sums.combine(0L, [](long a, long b) { return a + b; }) == 100'000);
}

TEST_CASE("objects are combined in the order of the workers", "[worker_local]") {
  tn::thread_pool pool{8};
  tn::worker_local<std::string> names;
  std::latch all(8);
  for (int i = 0; i != 8; ++i)
    tn::detach(tn::par.on(pool), [&] {
      names.local() = std::to_string(tn::this_worker().index);
      all.arrive_and_wait();
    });
  pool.join();
  CHECK(names.combine(std::string(), [](std::string a, std::string const& b) { return a + b; }) == "12345678");
  int objects = 0;
  names.for_each([&](std::string&) { ++objects; });
  CHECK(objects == 8);
}

TEST_CASE("outside of tasks the object belongs to the thread", "[worker_local]") {
  int made = 0;
  tn::worker_local<std::unique_ptr<int>> mine([&] { return std::make_unique<int>(++made); });
  CHECK(*mine.local() == 1);
  CHECK(*mine.local() == 1);
  std::thread([&] { CHECK(*mine.local() == 2); }).join();
  CHECK(made == 2);
}
