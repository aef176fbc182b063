#pragma once
// The tokens that are under way in a pipeline: where they lie, and which of them go together.

#include <algorithm>  // min
#include <atomic>     // atomic, memory_order_*
#include <cstddef>    // byte, size_t
#include <memory>     // make_unique, unique_ptr
#include <mutex>      // lock_guard
#include <new>        // align_val_t

#include "tartan/core/padded.hpp"             // line_pair
#include "tartan/patterns/pipeline/gate.hpp"  // short_mutex, token_batch

namespace tartan::inline TARTAN_ABI::detail {

/// How large a ring is.
struct ring_shape {
  std::size_t batches;   // under way at most
  std::size_t capacity;  // tokens of a batch at most; batches * capacity are under way at most
  std::size_t token_size, token_align;
};

/// Token t lies in place t % places, batch n in slot n % batches: what is under way is bounded by both. Who has the
/// source makes one token after the other; what it has made is cut into the next batch, by itself when it has enough,
/// or by a worker that is idle while the source keeps it waiting.
///
/// [R1] `made_` (release) counts tokens that are there, with those who cut (acquire); only who has the source writes
///      it. `cut_`, the slots' headers and `oldest_` are changed under `cutting_`.
/// [R2] Who has the source can always cut: it began only when a slot was free, and nobody else takes the last one.
/// [R3] A place is used again when the batch that it was in has been left: `in_use`, release with acquire.
/// [R4] Between two turns at the source nothing is left to cut, so what is read by the next one who has the source, and
///      by looks from outside, does not change then.
class token_ring {
 public:
  explicit token_ring(ring_shape const& shape)
      : shape_(shape),
        places_(shape.batches * shape.capacity),
        batches_(std::make_unique<token_batch[]>(shape.batches)),
        tokens_(
            static_cast<std::byte*>(::operator new(places_* shape.token_size, std::align_val_t{shape.token_align}))) {}
  token_ring(token_ring const&) = delete;
  token_ring& operator=(token_ring const&) = delete;
  ~token_ring() { ::operator delete(tokens_, std::align_val_t{shape_.token_align}); }

  [[nodiscard]] std::size_t capacity() const noexcept { return shape_.capacity; }
  [[nodiscard]] std::size_t batches() const noexcept { return shape_.batches; }
  [[nodiscard]] std::size_t places() const noexcept { return places_; }

  // ---- for who has the source -----------------------------------------------------------------------------------

  /// How many tokens can be made side by side; 0 when there is no place or no slot.
  [[nodiscard]] std::size_t room() {
    std::lock_guard const hold(cutting_);
    std::size_t const oldest = drop_what_is_left();
    std::size_t const made = made_.load(std::memory_order_relaxed);                  // relaxed: ours
    if (next_.load(std::memory_order_relaxed) - oldest == shape_.batches) return 0;  // relaxed: under the mutex
    return (std::min)(places_ - (made - oldest_token_), places_ - made % places_);
  }

  /// Number of the token that is made next.
  [[nodiscard]] std::size_t made() const noexcept { return made_.load(std::memory_order_relaxed); }  // relaxed: ours

  /// One more is there, in place(made()).
  void make() noexcept { made_.store(made() + 1, std::memory_order_release); }  // [R1]

  /// All that is left to cut, as a batch, or null. The turn at the source is over.
  [[nodiscard]] token_batch* cut() {
    std::lock_guard const hold(cutting_);
    token_batch* const b = cut_here();
    bool const full = next_.load(std::memory_order_relaxed) - oldest_.load(std::memory_order_relaxed) ==
                          shape_.batches ||  // relaxed: under the mutex, as all here
                      made() - oldest_token_ == places_;
    full_.store(full, std::memory_order_relaxed);  // relaxed: with may_have_room(), which sees it by who asks it
    return b;
  }

  // ---- for all others -------------------------------------------------------------------------------------------

  /// A look between two turns at the source: whether room() might find some. Full, it is as long as the oldest batch
  /// is in use.
  [[nodiscard]] bool may_have_room() const noexcept {
    return !full_.load(std::memory_order_relaxed) ||  // relaxed: a hint, as all here
           !batches_[oldest_.load(std::memory_order_relaxed) % shape_.batches].in_use.load(std::memory_order_relaxed);
  }

  /// Another worker's look at how many tokens were made.
  [[nodiscard]] std::size_t seen() const noexcept { return made_.load(std::memory_order_acquire); }  // [R1]
  /// Whether there is something to cut, to the knowledge of who asks.
  [[nodiscard]] bool uncut() const noexcept { return seen() != cut_.load(std::memory_order_relaxed); }  // a look

  /// What is there is cut by somebody who has not the source; null when that is nothing, or no slot is free [R2].
  [[nodiscard]] token_batch* cut_for_another() {
    std::lock_guard const hold(cutting_);
    if (!uncut()) return nullptr;  // [R4]
    // Relaxed: under the mutex.
    if (next_.load(std::memory_order_relaxed) - drop_what_is_left() + 1 >= shape_.batches) return nullptr;
    return cut_here();
  }

  /// Where token t lies.
  [[nodiscard]] std::byte* place(std::size_t t) const noexcept { return tokens_ + t % places_ * shape_.token_size; }

 private:
  token_batch* cut_here() {
    std::size_t const first = cut_.load(std::memory_order_relaxed), count = seen() - first;  // relaxed: under the mutex
    if (count == 0) return nullptr;
    std::size_t const number = next_.load(std::memory_order_relaxed);  // relaxed: likewise
    token_batch& b = batches_[number % shape_.batches];
    b.tokens = place(first);
    b.number = number;
    b.first = first;
    b.count = b.filled = count;
    b.stage = 0;
    b.spent = 0;
    b.admitted = false;
    b.in_use.store(true, std::memory_order_relaxed);       // relaxed: read under the mutex, else a hint
    cut_.store(first + count, std::memory_order_relaxed);  // relaxed: under the mutex
    next_.store(number + 1, std::memory_order_relaxed);    // relaxed: likewise
    return &b;
  }

  /// Passes over the batches that have been left; the number of the oldest one that has not.
  std::size_t drop_what_is_left() noexcept {
    std::size_t oldest = oldest_.load(std::memory_order_relaxed);  // relaxed: under the mutex, as all here
    for (std::size_t const next = next_.load(std::memory_order_relaxed); oldest != next; ++oldest) {
      token_batch const& b = batches_[oldest % shape_.batches];
      if (b.in_use.load(std::memory_order_acquire)) break;  // [R3]
      oldest_token_ = b.first + b.filled;
    }
    oldest_.store(oldest, std::memory_order_relaxed);
    return oldest;
  }

  ring_shape const shape_;
  std::size_t const places_;
  std::unique_ptr<token_batch[]> const batches_;
  std::byte* const tokens_;

  alignas(line_pair) std::atomic<std::size_t> made_{0};  // [R1]
  alignas(line_pair) short_mutex cutting_;
  std::atomic<std::size_t> cut_{0};     // tokens that are in batches
  std::atomic<std::size_t> next_{0};    // number of the next batch
  std::atomic<std::size_t> oldest_{0};  // number of the oldest batch that may be in use
  std::size_t oldest_token_ = 0;        // its first token
  std::atomic<bool> full_{false};
};

}  // namespace tartan::inline TARTAN_ABI::detail
