#include "tartan/ipc/heap.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "support/catch.hpp"

int main(int argc, char** argv) { return tartan::test::run_catch(argc, argv); }

namespace {

using tartan::detail::heap;

struct region {
  explicit region(std::size_t n) : size(n), bytes(static_cast<std::byte*>(::operator new(n, std::align_val_t{4096}))) {}
  region(region const&) = delete;
  region& operator=(region const&) = delete;
  ~region() { ::operator delete(bytes, std::align_val_t{4096}); }
  std::size_t size;
  std::byte* bytes;
};

struct piece {
  unsigned char* at;
  std::size_t size;
  unsigned char mark;
};

bool intact(piece const& p) {
  for (std::size_t i = 0; i != p.size; ++i)
    if (p.at[i] != p.mark) return false;
  return true;
}

}  // namespace

TEST_CASE("heap: random allocations keep their bytes, their alignment and the invariants") {
  region memory(std::size_t{4} << 20);
  auto h = std::make_unique<heap>();
  h->format(memory.bytes, memory.bytes + memory.size / 2);
  bool grown = false;
  std::vector<piece> live;
  std::mt19937 random(7);
  for (int round = 0; round != 40'000; ++round) {
    if (live.empty() || random() % 100 < 55) {
      auto const size = random() % (random() % 20 == 0 ? 100'000 : 600);
      auto const alignment = std::size_t{1} << (random() % 13);
      auto* const p = static_cast<unsigned char*>(h->allocate(size, alignment));
      if (p == nullptr) {
        if (!grown) {
          grown = true;
          h->grow(memory.bytes + memory.size);
          REQUIRE(h->consistent());
        } else {
          while (live.size() > 20) {
            REQUIRE(intact(live.back()));
            h->deallocate(live.back().at);
            live.pop_back();
          }
        }
        continue;
      }
      REQUIRE(reinterpret_cast<std::uintptr_t>(p) % alignment == 0);
      auto const mark = static_cast<unsigned char>(random());
      std::memset(p, mark, size);
      live.push_back({p, size, mark});
    } else {
      auto const i = random() % live.size();
      REQUIRE(intact(live[i]));
      h->deallocate(live[i].at);
      live[i] = live.back();
      live.pop_back();
    }
    if (round % 512 == 0) REQUIRE(h->consistent());
    if (round % 4096 == 0) {
      h->rebuild();
      REQUIRE(h->consistent());
    }
  }
  CHECK(grown);
  for (auto const& p : live) h->deallocate(p.at);
  CHECK(h->consistent());
  CHECK(h->in_use() == 0);
  // All of it is one block again.
  CHECK(h->allocate(memory.size - 4096, 16) != nullptr);
}

TEST_CASE("heap: what one owner left is freed, nothing else") {
  region memory(1 << 20);
  auto h = std::make_unique<heap>();
  h->format(memory.bytes, memory.bytes + memory.size);
  void* const mine = h->allocate(100, 16, 1);
  for (int i = 0; i != 10; ++i) REQUIRE(h->allocate(1000, 64, 2) != nullptr);
  CHECK(h->owns(mine, 100, 1));
  CHECK_FALSE(h->owns(mine, 100, 2));
  CHECK_FALSE(h->owns(mine, 5000, 1));
  CHECK_FALSE(h->owns(static_cast<std::byte*>(mine) + 8, 1, 1));
  CHECK(h->deallocate_owned(2) == 10);
  CHECK(h->consistent());
  CHECK(h->owns(mine, 100, 1));
}

TEST_CASE("heap: too large a request is refused") {
  region memory(1 << 16);
  auto h = std::make_unique<heap>();
  h->format(memory.bytes, memory.bytes + memory.size);
  CHECK(h->allocate(1 << 16, 16) == nullptr);
  CHECK(h->allocate(~std::size_t{0}, 16) == nullptr);
  CHECK(h->allocate(~std::size_t{0} / 2, 16) == nullptr);
  CHECK(h->consistent());
}
