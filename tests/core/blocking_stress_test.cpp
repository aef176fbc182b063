// Tasks that block until later ones have run, on pools whose places callers from outside take and leave meanwhile:
// there is always a thread for what is submitted. TARTAN_STRESS scales the counts.
//
// ctest: LABELS "threads;stress" TIMEOUT 600
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/stress.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

using numbers = std::minstd_rand;

std::size_t below(numbers& draw, std::size_t n) { return draw() % n; }

/// Task i may wait for a task after it, never for one before: all of them can end.
class chain {
 public:
  chain(unsigned seed, std::size_t tasks) : draw_(seed), ran_(tasks), pool_(static_cast<int>(1 + below(draw_, 3))) {}

  bool comes_to_its_end() {
    std::vector<std::thread> callers;
    for (std::size_t i = below(draw_, 4); i != 0; --i) callers.emplace_back([this, seed = draw_()] { call(seed); });
    for (std::size_t i = 0; i != ran_.size(); ++i) submit(i);
    bool const came = tn::test::comes_true([this] { return done_ == ran_.size(); }, std::chrono::seconds(60));
    given_up_ = true;  // lets everybody go
    for (std::thread& c : callers) c.join();
    return came;
  }

 private:
  void await(std::size_t i) {
    while (!ran_[i] && !given_up_) std::this_thread::yield();
  }

  void submit(std::size_t i) {
    std::size_t const rest = ran_.size() - i - 1;
    std::size_t const next = rest == 0 ? i : i + 1 + below(draw_, rest < 4 ? rest : 4);
    std::size_t const kind = rest == 0 ? 0 : below(draw_, 4);
    if (below(draw_, 3) == 0) pause();
    tn::detach(par(), [this, i, next, kind] {
      if (kind == 1) tn::blocking([&] { await(next); });
      if (kind == 2)  // the half that blocks may be another thread's
        tn::fork_join(par(), [] {}, [&] { tn::blocking([&] { await(next); }); });
      ran_[i] = true;
      ++done_;
    });
  }

  /// Comes, works until some task has run, and leaves.
  void call(std::uint64_t seed) {
    numbers draw(static_cast<unsigned>(seed));
    while (!given_up_ && done_ != ran_.size()) {
      std::size_t const until = below(draw, ran_.size());
      bool const waits = below(draw, 2) == 0;
      tn::fork_join(
          par(),
          [&] {
            if (waits) await(until);
          },
          [] {});
      if (below(draw, 4) == 0) std::this_thread::yield();
    }
  }

  /// Long enough for threads to lie down, or not.
  void pause() {
    auto const end = std::chrono::steady_clock::now() + std::chrono::microseconds(below(draw_, 150));
    while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
  }

  decltype(tn::par.on(std::declval<tn::thread_pool&>())) par() { return tn::par.on(pool_); }

  numbers draw_;
  std::vector<std::atomic<bool>> ran_;
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> given_up_{false};
  tn::thread_pool pool_;  // the first to go: its tasks use the rest
};

}  // namespace

TEST_CASE("tasks that block for later ones all end, whoever calls meanwhile", "[stress]") {
  tn::test::rounds count("chains of twelve tasks that block");
  for (unsigned seed = 1; seed != 1 + 40 * tn::test::stress(); ++seed) {
    CAPTURE(seed);
    REQUIRE(std::make_unique<chain>(seed, 12)->comes_to_its_end());
    count.one();
  }
}
