// Streams that go on for long: memory stays where it is. 400,000 tokens; 10^8 each time with TARTAN_STRESS=large
// (tests/soak).
//
// ctest: LABELS "threads;stress" TIMEOUT 600
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <string>

#include "support/catch.hpp"
#include "support/stress.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/patterns/pipeline.hpp"

namespace tn = tartan;

namespace {

/// Bytes of memory that the process has in use.
double resident() {
  long pages = 0, in_use = 0;
  std::ifstream("/proc/self/statm") >> pages >> in_use;
  return static_cast<double>(in_use) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// Resident memory when a tenth, a half and all of the tokens are through.
class watched_memory {
 public:
  watched_memory(char const* what, std::uint64_t tokens) : what_(what), tokens_(tokens) {}

  void through(std::uint64_t n) {
    if (n == tokens_ / 10) at_[0] = resident();
    if (n == tokens_ / 2) at_[1] = resident();
    if (n == tokens_) at_[2] = resident();
  }
  [[nodiscard]] double growth() const { return at_[2] - at_[0]; }

  ~watched_memory() {
    if (tn::test::stress() == 1) return;
    std::fprintf(stderr, "tartan-rounds: %lu %s (resident at 1/10, 1/2, end: %.1f, %.1f, %.1f MB)\n",
                 static_cast<unsigned long>(tokens_), what_, at_[0] * 1e-6, at_[1] * 1e-6, at_[2] * 1e-6);
  }

 private:
  char const* what_;
  std::uint64_t tokens_;
  std::array<double, 3> at_{};
};

#if TARTAN_TSAN || TARTAN_ASAN
constexpr double allowed = 1e12;  // what has been freed is kept for a while
#else
constexpr double allowed = 8e6;
#endif

/// Some more than 10^8 where the factor is 60, that of "large".
std::uint64_t tokens() {
  unsigned const factor = tn::test::stress();
  return factor == 1 ? 200'000 : std::uint64_t{1'700'000} * factor;
}

/// Of the whole program.
[[maybe_unused]] std::atomic<std::size_t> mallocs{0};

}  // namespace

#if !TARTAN_TSAN && !TARTAN_ASAN  // these have a heap of their own
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++mallocs;
  if (void* const memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

TEST_CASE("memory stays constant while numbers pass from a function", "[pipeline][stress]") {
  std::uint64_t const n = tokens();
  watched_memory memory("numbers through a pipeline", n);
  auto source = [i = std::uint64_t{0}, n]() mutable -> std::optional<std::uint64_t> {
    if (i == n) return std::nullopt;
    return i++;
  };
  std::uint64_t next = 0;
  tn::pipeline(tn::par.workers(3), source, tn::parallel([](std::uint64_t x) { return x + 1; }),
               tn::serial([&](std::uint64_t x) {
                 next = x == next + 1 ? x : ~std::uint64_t{0} / 2;
                 memory.through(x);
               }));
  CHECK(next == n);
  CHECK(memory.growth() < allowed);
}

TEST_CASE("memory stays constant while texts from the heap pass, some of them late", "[pipeline][stress]") {
  std::uint64_t const n = tokens();
  watched_memory memory("texts of 100 characters through a pipeline", n);
  static std::atomic<long> alive{0}, most{0};
  struct text {
    std::unique_ptr<std::string> held;
    explicit text(std::uint64_t i) : held(std::make_unique<std::string>(100, static_cast<char>('a' + i % 26))) {
      long const now = ++alive;
      if (now > most.load(std::memory_order_relaxed)) most = now;
    }
    text(text&&) = default;
    text& operator=(text&&) = delete;
    ~text() {
      if (held != nullptr) --alive;
    }
  };
  alive = most = 0;
  constexpr std::ptrdiff_t in_flight = 500;
  std::uint64_t seen = 0;
  std::uint64_t const letters = tn::pipeline(tn::par.workers(3).in_flight(in_flight),
                                             std::views::iota(std::uint64_t{0}, n), tn::parallel([](std::uint64_t i) {
                                               for (volatile int k = 0; i % 1000 == 0 && k != 20'000;)
                                                 k = k + 1;  // the others overtake this one, but not far
                                               return text(i);
                                             }),
                                             tn::serial_any([](text t) { return t; }),
                                             tn::reduce_into(std::uint64_t{0}, [&](std::uint64_t sum, text const& t) {
                                               memory.through(++seen);
                                               return sum + static_cast<std::uint64_t>(t.held->front() - 'a');
                                             }));
  std::uint64_t expected = n / 26 * 325;
  for (std::uint64_t i = n / 26 * 26; i != n; ++i) expected += i % 26;
  CHECK(letters == expected);
  CHECK(alive == 0);
  CHECK(most <= in_flight);
  CHECK(memory.growth() < allowed);
}

#if !TARTAN_TSAN && !TARTAN_ASAN
TEST_CASE("no allocation a token", "[pipeline]") {
  auto const allocations = [](auto const& p, auto&& source) {
    std::size_t const before = mallocs;
    std::uint64_t sum = 0;
    tn::pipeline(p, source, tn::parallel([](std::uint64_t x) { return x + 1; }),
                 tn::serial([&](std::uint64_t x) { sum += x; }));
    CHECK(sum != 0);
    return mallocs - before;
  };
  for (int const workers : {1, 2, 3, 8}) {
    auto const p = tn::par.workers(workers);
    std::size_t const few = allocations(p, std::views::iota(std::uint64_t{0}, std::uint64_t{100}));
    CHECK(few < 1000);
    CHECK(allocations(p, std::views::iota(std::uint64_t{0}, std::uint64_t{100'000})) < few + 1000);
    auto source = [i = std::uint64_t{0}]() mutable -> std::optional<std::uint64_t> {
      if (i == 100'000) return std::nullopt;
      return i++;
    };
    CHECK(allocations(p, source) < few + 1000);
  }
}
#endif
