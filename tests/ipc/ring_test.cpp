#include "tartan/ipc/ring.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/stress.hpp"

int main(int argc, char** argv) { return tartan::test::run_catch(argc, argv); }

namespace {

namespace tn = tartan;
using tn::detail::ring_storage;
using namespace std::chrono_literals;

using small_ring = ring_storage<1024>;

template <class T>
struct shared {
  shared() : object(::new(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) T) {}
  shared(shared const&) = delete;
  shared& operator=(shared const&) = delete;
  ~shared() { ::munmap(object, sizeof(T)); }
  T* operator->() { return object; }
  T* object;
};

// Frame i has a size that depends on i, and bytes that depend on both.
std::size_t size_of_frame(std::uint64_t i) { return 8 + (i * 37) % 300; }

void fill(std::byte* at, std::uint64_t i) {
  std::memcpy(at, &i, 8);
  std::memset(at + 8, static_cast<int>(i & 0xff), size_of_frame(i) - 8);
}

bool holds(tn::detail::frame_view const& f, std::uint64_t i) {
  if (f.size != size_of_frame(i) || f.kind != 1 + i % 5) return false;
  std::uint64_t number;
  std::memcpy(&number, f.data, 8);
  for (std::size_t k = 8; k != f.size; ++k)
    if (f.data[k] != static_cast<std::byte>(i & 0xff)) return false;
  return number == i;
}

// Blocking, without any spinning: every frame may mean a sleep on either side.
template <class Producer>
void push_blocking(Producer& out, std::uint64_t i) {
  auto const kind = static_cast<std::uint16_t>(1 + i % 5);
  std::byte* at;
  while ((at = out.reserve(size_of_frame(i), kind)) == nullptr)
    out.wait_for_room([&] { return out.reserve(size_of_frame(i), kind) != nullptr; }, -1ns);
  fill(at, i);
  out.publish();
  out.ring();
}

}  // namespace

TEST_CASE("ring: frames of all sizes keep their order and their bytes, round and round") {
  auto memory = std::make_unique<small_ring>();
  auto out = memory->producer();
  auto in = memory->consumer();
  std::uint64_t pushed = 0;
  std::uint64_t popped = 0;
  std::mt19937 random(3);
  while (popped != 20'000) {
    if (random() % 2 == 0) {
      if (auto* const at = out.reserve(size_of_frame(pushed), static_cast<std::uint16_t>(1 + pushed % 5))) {
        fill(at, pushed++);
        out.publish();
      }
    } else if (auto const f = in.next()) {
      REQUIRE(holds(f, popped));
      ++popped;
      in.consume();
    }
  }
}

TEST_CASE("ring: the largest frame fits wherever the positions stand") {
  auto memory = std::make_unique<small_ring>();
  auto out = memory->producer();
  auto in = memory->consumer();
  for (int i = 0; i != 200; ++i) {
    REQUIRE(out.reserve(static_cast<std::size_t>(i) % 48, 1) != nullptr);
    out.publish();
    REQUIRE(in.next());
    in.consume();
    REQUIRE(out.reserve(tn::detail::largest_frame(1024), 2) != nullptr);
    out.publish();
    REQUIRE(in.next().size == tn::detail::largest_frame(1024));
    in.consume();
  }
}

TEST_CASE("ring: two processes that sleep after every look lose no wake-up") {
  shared<small_ring> memory;
  std::uint64_t const frames = 100'000ULL * tartan::test::stress();
  pid_t const child = ::fork();
  if (child == 0) {
    ::alarm(300);
    auto out = memory->producer();
    for (std::uint64_t i = 0; i != frames; ++i) push_blocking(out, i);
    ::_exit(0);
  }
  auto in = memory->consumer();
  for (std::uint64_t i = 0; i != frames;) {
    auto const f = in.next();
    if (!f) {
      in.wait();
      continue;
    }
    if (!holds(f, i)) FAIL("frame " << i << " is damaged");
    ++i;
    in.consume();
    in.ring();
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("ring: a producer that is killed anywhere leaves whole frames, in order") {
  unsigned const rounds = 300 * tartan::test::stress();
  std::mt19937 random(11);
  std::uint64_t total = 0;
  for (unsigned round = 0; round != rounds; ++round) {
    shared<small_ring> memory;
    pid_t const child = ::fork();
    if (child == 0) {
      auto out = memory->producer();
      for (std::uint64_t i = 0;; ++i) push_blocking(out, i);
    }
    auto in = memory->consumer();
    std::uint64_t seen = 0;
    auto const drain = [&] {
      while (auto const f = in.next()) {
        if (!holds(f, seen)) FAIL("frame " << seen << " of round " << round << " is damaged");
        ++seen;
        in.consume();
        in.ring();
      }
    };
    while (seen == 0) drain();  // a fork may take longer than all that follows
    auto const end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 800);
    while (std::chrono::steady_clock::now() < end) drain();
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    drain();
    total += seen;
  }
  CHECK(total > 0);
}

TEST_CASE("ring: a consumer that is killed anywhere leaves the producer whole") {
  unsigned const rounds = 300 * tartan::test::stress();
  std::mt19937 random(13);
  for (unsigned round = 0; round != rounds; ++round) {
    shared<small_ring> memory;
    pid_t const child = ::fork();
    if (child == 0) {
      auto in = memory->consumer();
      for (;;) {
        if (!in.next()) {
          in.wait();
          continue;
        }
        in.consume();
        in.ring();
      }
    }
    auto out = memory->producer();
    std::uint64_t i = 0;
    auto const end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 800);
    while (std::chrono::steady_clock::now() < end) {
      auto* const at = out.reserve(size_of_frame(i), 1);
      if (at == nullptr) continue;
      fill(at, i++);
      out.publish();
      out.ring();
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    // The producer may fill the room that is left, and no more.
    int more = 0;
    while (out.reserve(16, 2) != nullptr && more < 100) {
      out.publish();
      ++more;
    }
    CHECK(more <= 1024 / 32);
  }
}

TEST_CASE("ring: whatever stands in shared memory, the consumer stays inside of the buffer") {
  std::mt19937_64 random(17);
  int refused = 0;
  for (int round = 0; round != 20'000; ++round) {
    auto memory = std::make_unique<small_ring>();
    auto out = memory->producer();
    auto in = memory->consumer();
    for (std::uint64_t i = 0; i != 3; ++i) {
      fill(out.reserve(size_of_frame(i), 1), i);
      out.publish();
    }
    for (int k = 0; k != 4; ++k) memory->buffer[random() % 400] = static_cast<std::byte>(random());
    if (round % 3 == 0) memory->state.head.store(random() % 4 == 0 ? random() : random() % 2048);
    if (round % 5 == 0) memory->state.tail.store(random());
    try {
      for (int i = 0; i != 200; ++i) {
        auto const f = in.next();
        if (!f) break;
        auto const* const end = memory->buffer + sizeof memory->buffer;
        if (f.data < memory->buffer || f.data + f.size > end) FAIL("a frame leads outside of the buffer");
        in.consume();
      }
    } catch (tn::bad_frame const&) {
      ++refused;
    }
    if (auto* const at = out.reserve(300, 1)) {
      if (at < memory->buffer || at + 300 > memory->buffer + sizeof memory->buffer) FAIL("a reservation leads outside");
    }
  }
  CHECK(refused > 0);
}
