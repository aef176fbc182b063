#include "tartan/core/task_memory.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "tartan/submit.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using memory = tn::detail::task_memory;

namespace {

/// Something of a given size that knows whether anybody else has written to it.
struct piece {
  unsigned char* at;
  std::size_t bytes;
  unsigned char mark;
  piece(std::size_t n, unsigned char m) : at(static_cast<unsigned char*>(memory::take(n))), bytes(n), mark(m) {
    std::memset(at, mark, bytes);
  }
  [[nodiscard]] bool whole() const {
    for (std::size_t i = 0; i != bytes; ++i)
      if (at[i] != mark) return false;
    return true;
  }
  void end() const { memory::give_back(at, bytes); }
};

}  // namespace

TEST_CASE("pieces of task memory are aligned, do not overlap, and come back in any order", "[task_memory]") {
  std::vector<piece> all;
  for (int round = 0; round != 20; ++round) {
    for (std::size_t n : {1U, 16U, 17U, 48U, 64U, 100U, 500U, 1007U, 1008U, 1009U, 5000U, 20000U})
      for (int i = 0; i != 10; ++i) all.emplace_back(n, static_cast<unsigned char>(all.size()));
    for (auto const& p : all) {
      CHECK(p.whole());
      CHECK(reinterpret_cast<std::uintptr_t>(p.at) % 16 == 0);
    }
    for (std::size_t i = 0; i < all.size(); i += 3) {  // every third, and not where it was made last
      std::swap(all[i], all.back());
      all.back().end();
      all.pop_back();
    }
  }
  for (auto const& p : all) p.end();
}

TEST_CASE("pieces of task memory made by some threads are whole when others bring them back", "[task_memory]") {
  constexpr int makers = 4, each = 2000;
  for (int round = 0; round != 5; ++round) {
    std::vector<std::vector<piece>> made(makers);
    {
      std::vector<std::jthread> threads;
      for (int m = 0; m != makers; ++m)
        threads.emplace_back([&, m] {
          for (int i = 0; i != each; ++i)
            made[static_cast<std::size_t>(m)].emplace_back(16 + static_cast<std::size_t>(i % 200),
                                                           static_cast<unsigned char>(m + i));
        });
    }  // the makers have ended before their pieces
    std::atomic<int> spoilt{0};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t != 3; ++t)
        threads.emplace_back([&, t] {
          for (auto const& some : made)
            for (std::size_t i = static_cast<std::size_t>(t); i < some.size(); i += 3) {
              if (!some[i].whole()) ++spoilt;
              some[i].end();
            }
        });
    }
    CHECK(spoilt == 0);
  }
}

#if !TARTAN_ASAN && !TARTAN_TSAN && defined(__GLIBC__)
TEST_CASE("task memory is freed when its tasks have gone, whoever they end with", "[task_memory]") {
  auto const in_use = [] { return ::mallinfo2().uordblks; };
  auto const wave = [] {
    std::vector<piece> all;
    all.reserve(10'000);
    std::thread([&] {
      for (int i = 0; i != 10'000; ++i) all.emplace_back(100, static_cast<unsigned char>(i));
    }).join();
    std::thread([&] {
      for (auto const& p : all) p.end();
    }).join();
  };
  wave();
  auto const before = in_use();
  for (int i = 0; i != 20; ++i) wave();
  CHECK(in_use() < before + 200'000);  // one wave takes a million
}
#endif

TEST_CASE("a task that needs a wide alignment gets it", "[task_memory]") {
  struct alignas(128) wide {
    int value;
  };
  tn::thread_pool pool{2};
  for (int i = 0; i != 100; ++i) {
    wide const w{i};
    auto f = tn::submit(tn::par.on(pool), [w] {
      bool const aligned = reinterpret_cast<std::uintptr_t>(&w) % 128 == 0;
      return aligned ? w.value : -1;
    });
    CHECK(f.get() == i);
  }
}
