// A pool while the caller gets no memory.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include "support/catch.hpp"
#include "tartan/for_each.hpp"
#include "tartan/thread_pool.hpp"

#if !TARTAN_TSAN && !TARTAN_ASAN  // these have a heap of their own

namespace tn = tartan;

namespace {

/// This thread gets memory so many times; -1 for always.
thread_local int allowed = -1;

void* allocate(std::size_t bytes, std::size_t alignment) {
  if (allowed == 0) throw std::bad_alloc();
  if (allowed > 0) --allowed;
  if (void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment))
    return memory;
  throw std::bad_alloc();
}

}  // namespace

// Not inlined: g++ would compare what is inlined here with what is not, and warn.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return allocate(bytes == 0 ? 1 : bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

TEST_CASE("a team whose leader gets no memory does not begin, and nobody waits for it", "[thread_pool]") {
  tn::thread_pool pool{32};
  auto const p = tn::par.on(pool);
  std::atomic<int> ran{0};
  auto body = [&](std::size_t, std::size_t, auto&) { ++ran; };
  p.backend().team(p.props(), body);  // starts the threads
  int refused = 0;
  for (int times = 0; times != 12; ++times) {
    ran = 0;
    bool threw = false;
    allowed = times;
    try {
      p.backend().team(p.props(), body);
    } catch (std::bad_alloc const&) {
      threw = true;
    }
    allowed = -1;
    refused += threw ? 1 : 0;
    CHECK((ran == 0) == threw);
    std::vector<int> counts(100);
    tn::for_each(p, counts, [](int& c) { ++c; });
    CHECK(counts == std::vector<int>(100, 1));
  }
  CHECK(refused != 0);
}

#else

TEST_CASE("a team whose leader gets no memory is not tried: a sanitizer has its own heap", "[thread_pool]") {
  SUCCEED();
}

#endif
