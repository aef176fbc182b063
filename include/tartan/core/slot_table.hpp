#pragma once
// The slots of a pool: a table that grows while others read it.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <cstring>  // memcpy

#include "tartan/core/owned_array.hpp"  // owned_array
#include "tartan/core/worker.hpp"       // worker

namespace tartan::inline TARTAN_ABI::detail {

/// All slots of a pool at one time, of which the last one lies here. Old tables stay until the pool dies: their slots
/// are used, and a thief may be reading them.
class slot_table {
 public:
  slot_table(slot_table* the_older, pool& home, bool is_alone, bool asymmetric)
      : older_(the_older),
        count_(the_older != nullptr ? the_older->count_ + 1 : 1),
        slots_(count_),
        last_(home, static_cast<unsigned>(count_ - 1), is_alone, asymmetric) {
    if (older_ != nullptr) std::memcpy(slots_.get(), older_->slots_.get(), older_->count_ * sizeof(worker*));
    slots_.get()[count_ - 1] = &last_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] worker* operator[](std::size_t i) const noexcept { return slots_.get()[i]; }
  [[nodiscard]] worker* const* begin() const noexcept { return slots_.get(); }
  [[nodiscard]] worker* const* end() const noexcept { return slots_.get() + count_; }

 private:
  friend class growing_slots;
  slot_table* const older_;
  std::size_t const count_;
  owned_array<worker*> const slots_;
  worker last_;
};

class growing_slots {
 public:
  growing_slots() = default;
  growing_slots(growing_slots const&) = delete;
  growing_slots& operator=(growing_slots const&) = delete;
  ~growing_slots() {
    for (slot_table* table = latest_.load(std::memory_order_relaxed); table != nullptr;) {  // relaxed: the end
      slot_table* const older = table->older_;
      delete table;
      table = older;
    }
  }

  /// One thread at a time.
  worker* add(pool& home, bool is_alone, bool asymmetric) {
    slot_table* const older = latest_.load(std::memory_order_relaxed);  // relaxed: nobody else writes
    auto* const fresh = new slot_table(older, home, is_alone, asymmetric);
    latest_.store(fresh, std::memory_order_release);  // with latest()
    return &fresh->last_;
  }

  /// After the first add(). Any thread.
  [[nodiscard]] slot_table const& latest() const noexcept {
    return *latest_.load(std::memory_order_acquire);  // with add()
  }

 private:
  std::atomic<slot_table*> latest_{nullptr};
};

}  // namespace tartan::inline TARTAN_ABI::detail
