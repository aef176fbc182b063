#pragma once
// Memory of tasks that outlive the frame that made them.

#include <cstddef>  // size_t
#include <cstdint>  // uint16_t, uintptr_t
#include <cstdlib>  // free, posix_memalign
#include <new>      // align_val_t, bad_alloc, operator delete, operator new

#include "tartan/core/block_count.hpp"    // block_count
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_ASAN
#include "tartan/core/errors.hpp"         // raise
#include "tartan/core/process_state.hpp"  // pin_this_module, this_thread_cell, thread_cell

namespace tartan::inline TARTAN_ABI::detail {

/// Tasks are made on one thread and destroyed on another, a million times a second; general allocators take 50 ns for
/// such a pair. Here the maker cuts tasks from a block, without any shared write, and who destroys them counts how many
/// of one block came in a row, and tells the block (block_count.hpp) when the next task is another block's. Whoever
/// brings the last one back frees the block.
///
/// A thread holds back the count of one block at most, until its next task or its end: so many blocks may stay. One
/// task that lives long keeps its whole block, so blocks are small.
class task_memory {
 public:
  /// Exceptions: std::bad_alloc.
  [[nodiscard]] static void* take(std::size_t bytes) {
    if (by_the_system(bytes)) return ::operator new(bytes);
    std::size_t const wanted = (bytes + granule - 1) / granule * granule;
    thread_cell& cell = this_thread_cell();
    if (cell.room < wanted) [[unlikely]]
      next_block(cell);
    cell.room = static_cast<std::uint16_t>(cell.room - wanted);
    ++cell.cut;
    return static_cast<char*>(cell.making) + sizeof(block) + cell.room;
  }

  /// Any thread. `bytes` as in take().
  static void give_back(void* task, std::size_t bytes) noexcept {
    if (by_the_system(bytes)) return ::operator delete(task);
    auto* const from = reinterpret_cast<block*>(reinterpret_cast<std::uintptr_t>(task) & ~(block_bytes - 1));
    thread_cell& cell = this_thread_cell();
    if (cell.returning != from) [[unlikely]] {
      settle(cell);
      cell.returning = from;
      ends_well(cell);
    }
    ++cell.returned;
  }

 private:
  static constexpr std::size_t block_bytes = 8192, granule = 16;

  struct alignas(64) block {
    block_count<> count;
  };
  /// Leaves room for the words that an allocator keeps between two blocks, which would else lie two steps apart; for
  /// the same reason not from operator new, which rounds up to the alignment.
  static constexpr std::size_t used_bytes = block_bytes - 64;
  static constexpr std::size_t most_room = used_bytes - sizeof(block);

  /// The address sanitizer shall see each task come and go.
  static constexpr bool by_the_system(std::size_t bytes) noexcept { return TARTAN_ASAN || bytes > most_room / 8; }

  static void settle(thread_cell& cell) noexcept {
    auto* const b = static_cast<block*>(cell.returning);
    if (b != nullptr && b->count.back(cell.returned)) std::free(b);
    cell.returning = nullptr;
    cell.returned = 0;
  }

  static void stop_making(thread_cell& cell) noexcept {
    auto* const b = static_cast<block*>(cell.making);
    if (b != nullptr && b->count.leave(cell.cut)) std::free(b);
    cell.making = nullptr;
    cell.room = cell.cut = 0;
  }

  TARTAN_COLD static void next_block(thread_cell& cell) {
    auto* b = static_cast<block*>(cell.making);
    if (b != nullptr && cell.returning == b) settle(cell);
    if (b == nullptr || !b->count.restart(cell.cut)) {
      void* memory = nullptr;
      if (::posix_memalign(&memory, block_bytes, used_bytes) != 0) raise<std::bad_alloc>();
      stop_making(cell);
      cell.making = ::new (memory) block;
      ends_well(cell);
    }
    cell.room = most_room;
    cell.cut = 0;
  }

  static void ends_well(thread_cell& cell) noexcept {
    if (cell.memory_at_exit != nullptr) return;
    pin_this_module();  // the thread may outlive a dlclose
    cell.memory_at_exit = [](thread_cell& c) noexcept {
      settle(c);
      stop_making(c);
    };
  }
};

/// Base of what lives in task memory. A derived class is deleted as what it is, for its size is needed.
struct in_task_memory {
  static void* operator new(std::size_t bytes) { return task_memory::take(bytes); }
  static void operator delete(void* task, std::size_t bytes) noexcept { task_memory::give_back(task, bytes); }
  static void* operator new(std::size_t bytes, std::align_val_t alignment) { return ::operator new(bytes, alignment); }
  static void operator delete(void* task, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(task, alignment);
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
