#pragma once
// Frames from one producer to one consumer in shared memory; the protocol and its proof are in README.md.

#include <atomic>   // memory_order_*
#include <bit>      // has_single_bit
#include <cstddef>  // byte, size_t
#include <cstdint>  // uint16_t, uint32_t, uint64_t

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/core/frame.hpp"          // bad_frame
#include "tartan/core/padded.hpp"         // line_pair
#include "tartan/ipc/doorbell.hpp"        // doorbell
#include "tartan/ipc/shared_atomics.hpp"  // shared_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// What stands before each frame. Frames begin at multiples of 16 bytes.
struct frame_header {
  std::uint32_t size;  ///< bytes of the payload, without header and padding
  std::uint16_t kind;  ///< the users' own; 0 is the ring's filler at the end of the buffer
  std::uint16_t tag;   ///< the users' own
};
static_assert(sizeof(frame_header) == 8);

/// The two positions of a ring and the bell of each side. Positions count bytes since the beginning and never wrap.
///
/// head_ is written by the producer alone, tail_ by the consumer alone, so that a process that is killed at any
/// instruction has published a whole frame or nothing. Each side keeps its own position in private memory: what the
/// other process does to the shared words cannot lead it outside of the buffer.
template <class Atomics = shared_atomics>
struct ring_state {
  alignas(line_pair) typename Atomics::template atomic<std::uint64_t> head{0};
  doorbell<Atomics> filled;  ///< the consumer sleeps here
  alignas(line_pair) typename Atomics::template atomic<std::uint64_t> tail{0};
  doorbell<Atomics> drained;  ///< the producer sleeps here
};

inline constexpr std::size_t frame_alignment = 16;

constexpr std::size_t frame_extent(std::size_t payload) noexcept {
  return (sizeof(frame_header) + payload + frame_alignment - 1) & ~(frame_alignment - 1);
}

/// A payload that always fits once the ring has been drained, wherever the filler falls.
constexpr std::size_t largest_frame(std::size_t capacity) noexcept { return capacity / 2 - frame_alignment; }

/// The producer's side: lives in the private memory of the one process, and under the one lock, that writes.
template <class Atomics = shared_atomics>
class ring_producer {
 public:
  ring_producer() = default;
  ring_producer(ring_state<Atomics>& state, std::byte* buffer, std::size_t capacity) noexcept
      : state_{&state}, buffer_{buffer}, capacity_{capacity} {}

  /// Room for a payload of `size` bytes, or null while the ring is too full. Nothing is visible before publish().
  std::byte* reserve(std::size_t size, std::uint16_t kind, std::uint16_t tag = 0) noexcept {
    auto const at = static_cast<std::size_t>(head_) & (capacity_ - 1);
    auto const extent = frame_extent(size);
    auto const to_end = capacity_ - at;
    auto const filler = extent > to_end ? to_end : 0;
    if (!has_room(filler + extent)) return nullptr;
    if (filler != 0) *header_at(at) = {static_cast<std::uint32_t>(filler - sizeof(frame_header)), 0, 0};
    auto const start = filler != 0 ? std::size_t{0} : at;
    *header_at(start) = {static_cast<std::uint32_t>(size), kind, tag};
    reserved_ = filler + extent;
    return buffer_ + start + sizeof(frame_header);
  }

  /// Makes the reserved frame visible. Release, with the consumer's acquire in next(): it sees the frame's bytes.
  TARTAN_ALWAYS_INLINE void publish() noexcept {
    head_ += reserved_;
    reserved_ = 0;
    state_->head.store(head_, std::memory_order_release);  // with next()
  }

  /// Wakes the consumer if it sleeps; once after one or many frames.
  TARTAN_ALWAYS_INLINE void ring() noexcept { state_->filled.ring(); }

  /// Whether the consumer has taken everything (a guess that only grows true). Acquire: with the release of its
  /// tail, so that the places it has read may be written.
  [[nodiscard]] bool drained() const noexcept { return state_->tail.load(std::memory_order_acquire) == head_; }

  /// Sleeps until the consumer makes room, or for `limit`. Call in a loop with reserve().
  template <class Ready>
  void wait_for_room(Ready ready, std::chrono::nanoseconds limit) noexcept {
    auto const token = state_->drained.arm();
    if (!ready()) state_->drained.sleep(token, limit);
  }

 private:
  frame_header* header_at(std::size_t at) noexcept { return reinterpret_cast<frame_header*>(buffer_ + at); }

  bool has_room(std::size_t extent) noexcept {
    if (capacity_ - static_cast<std::size_t>(head_ - tail_seen_) >= extent) return true;
    auto const tail = state_->tail.load(std::memory_order_acquire);  // with consume(): its reads are done
    if (tail - tail_seen_ > head_ - tail_seen_) return false;        // nonsense from a damaged process: no room
    tail_seen_ = tail;
    return capacity_ - static_cast<std::size_t>(head_ - tail_seen_) >= extent;
  }

  ring_state<Atomics>* state_ = nullptr;
  std::byte* buffer_ = nullptr;
  std::size_t capacity_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t tail_seen_ = 0;
  std::size_t reserved_ = 0;
};

/// A frame in place, valid until consume().
struct frame_view {
  std::byte const* data = nullptr;
  std::uint32_t size = 0;
  std::uint16_t kind = 0;
  std::uint16_t tag = 0;
  explicit operator bool() const noexcept { return data != nullptr; }
};

/// The consumer's side, likewise in private memory.
template <class Atomics = shared_atomics>
class ring_consumer {
 public:
  ring_consumer() = default;
  ring_consumer(ring_state<Atomics>& state, std::byte const* buffer, std::size_t capacity) noexcept
      : state_{&state}, buffer_{buffer}, capacity_{capacity} {}

  /// The oldest frame, or an empty view. Malformed positions or headers throw bad_frame.
  frame_view next() {
    for (;;) {
      if (tail_ == head_seen_ && !look()) return {};
      auto const at = static_cast<std::size_t>(tail_) & (capacity_ - 1);
      auto const header = *reinterpret_cast<frame_header const*>(buffer_ + at);
      auto const extent = frame_extent(header.size);
      if (extent > capacity_ - at || extent > head_seen_ - tail_) malformed();
      extent_ = extent;
      if (header.kind != 0) return {buffer_ + at + sizeof(frame_header), header.size, header.kind, header.tag};
      consume();
    }
  }

  /// Gives the bytes of the last frame back. Release, with the producer's acquire in has_room(): we have read them.
  TARTAN_ALWAYS_INLINE void consume() noexcept {
    tail_ += extent_;
    extent_ = 0;
    state_->tail.store(tail_, std::memory_order_release);  // with has_room()
  }

  /// Wakes a producer that waits for room; once after one or many frames.
  TARTAN_ALWAYS_INLINE void ring() noexcept { state_->drained.ring(); }

  /// Whether a frame is there, without taking it.
  [[nodiscard]] bool ready() noexcept {
    return tail_ != head_seen_ || state_->head.load(std::memory_order_acquire) != tail_;  // with publish()
  }

  /// Whether another frame is there behind the one that next() gave and that is not consumed yet.
  [[nodiscard]] bool more() noexcept {
    return tail_ + extent_ != head_seen_ || state_->head.load(std::memory_order_relaxed) != head_seen_;  // a look
  }

  /// Sleeps until a frame is there, or for `limit`; may return without one.
  void wait(std::chrono::nanoseconds limit = std::chrono::nanoseconds{-1}) noexcept {
    auto const token = state_->filled.arm();
    if (!ready()) state_->filled.sleep(token, limit);
  }

 private:
  bool look() {
    auto const head = state_->head.load(std::memory_order_acquire);  // with publish(): the frames' bytes
    if (head - tail_ > capacity_ || head % frame_alignment != 0) malformed();
    head_seen_ = head;
    return head != tail_;
  }

  [[noreturn]] static void malformed() {
    raise<bad_frame>(
        "tartan: a ring between processes holds a malformed frame; the process at its other end has overwritten "
        "shared memory");
  }

  ring_state<Atomics>* state_ = nullptr;
  std::byte const* buffer_ = nullptr;
  std::size_t capacity_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t head_seen_ = 0;
  std::size_t extent_ = 0;
};

/// A ring with its buffer, for a place in shared memory.
template <std::size_t Capacity, class Atomics = shared_atomics>
struct ring_storage {
  static_assert(std::has_single_bit(Capacity) && Capacity >= 256);

  ring_state<Atomics> state;
  alignas(line_pair) std::byte buffer[Capacity];

  [[nodiscard]] ring_producer<Atomics> producer() noexcept { return {state, buffer, Capacity}; }
  [[nodiscard]] ring_consumer<Atomics> consumer() noexcept { return {state, buffer, Capacity}; }
};

}  // namespace tartan::inline TARTAN_ABI::detail
