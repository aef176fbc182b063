// The shipped ring and doorbell between processes under the C++20 model: every frame arrives once, in order, with its
// bytes; no byte is overwritten before it was read; nobody sleeps while there is something for him to do.

#include <cstddef>  // byte
#include <cstring>  // memcpy

#include "atomics.hpp"          // model::atomics, data
#include "check.hpp"            // run_checks, mutation_table
#include "tartan/ipc/ring.hpp"  // ring_state, ring_producer, ring_consumer

namespace {

using model::parallel;
using model::require;
using real = model::atomics;

constexpr std::size_t payload = 8, extent = 16;  // a header of 8 bytes before each

struct fixture {
  explicit fixture(std::size_t its_frames)
      : frames(its_frames), in(state, buffer, extent * frames), out(state, buffer, extent * frames) {}

  std::size_t const frames;  // that fit
  tartan::detail::ring_state<real> state;
  alignas(16) std::byte buffer[4 * extent]{};
  model::data<int> shadow[4];  // of the bytes of each place: the checker does not see plain memory
  tartan::detail::ring_producer<real> in;
  tartan::detail::ring_consumer<real> out;

  model::data<int>& shadow_of(void const* at) {
    return shadow[static_cast<std::size_t>(static_cast<std::byte const*>(at) - buffer) / extent];
  }

  void send(int value) {
    std::byte* room = in.reserve(payload, 1);
    while (room == nullptr)
      in.wait_for_room([&] { return (room = in.reserve(payload, 1)) != nullptr; }, std::chrono::nanoseconds{-1});
    shadow_of(room).set(value);
    std::memcpy(room, &value, sizeof value);
    in.publish();
    in.ring();
  }
  void receive(int value) {
    tartan::detail::frame_view frame = out.next();
    while (!frame) {
      out.wait();
      frame = out.next();
    }
    int got = 0;
    std::memcpy(&got, frame.data, sizeof got);
    require(shadow_of(frame.data).get() == value && got == value, "a frame is lost, doubled or overwritten");
    out.consume();
    out.ring();
  }
};

std::function<void()> traffic(std::size_t frames, int count) {
  return [=] {
    fixture f(frames);
    parallel({[&] {
                for (int k = 1; k <= count; ++k) f.send(k);
              },
              [&] {
                for (int k = 1; k <= count; ++k) f.receive(k);
              }});
  };
}

/// Two sleepers of one bell, of whom either may arm it anew while the other is on its way to sleep.
void two_sleepers() {
  tartan::detail::doorbell<real> bell;
  real::atomic<int> published{0};
  auto const sleeper = [&] {
    while (published.load(std::memory_order_acquire) == 0) {
      auto const token = bell.arm();
      if (published.load(std::memory_order_acquire) != 0) return;
      bell.sleep(token);
    }
  };
  parallel({sleeper, sleeper, [&] {
              published.store(1, std::memory_order_release);
              bell.ring();
            }});
}

std::vector<model::check> checks() {
  return {
      {"two sleepers of one bell", two_sleepers},
      {"one frame", traffic(1, 1)},
      {"two frames through a ring that holds one", traffic(1, 2)},
      {"two frames through a ring that holds two", traffic(2, 2)},
  };
}

/// Too many executions to repeat them for every weakening.
std::vector<model::check> large_checks() {
  return {
      {"three frames through a ring that holds one", traffic(1, 3)},
      {"three frames through a ring that holds two", traffic(2, 3)},
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("ring", checks());
  failures += model::run_checks("ring, larger", large_checks());
  failures += model::mutation_table(
      "ring.hpp", checks(), {{"ready", "load", 1, "acquire -> relaxed", false, "next() acquires what it finds"}});
  failures += model::mutation_table("doorbell.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
