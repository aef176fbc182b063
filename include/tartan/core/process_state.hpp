#pragma once
// What exists once a process, and once a thread, whatever the flags, the compiler and the visibility of the parts that
// use it: a block of slots that is never freed, the objects that hang in it, and each thread's cell.
//
// All of it is found by the rendezvous in core/loaded_object.hpp. Parts with another standard library, with debug
// containers or with ThreadSanitizer have a block of their own (TARTAN_SHARED_ABI), because the objects in the slots
// differ in layout. The structures contain no code and depend on no instruction set; what the slots point to must not
// either.

#include <pthread.h>  // pthread_atfork, pthread_key_create, pthread_key_delete, pthread_{get,set}specific

#include <atomic>   // atomic
#include <climits>  // PTHREAD_DESTRUCTOR_ITERATIONS
#include <cstdint>  // uint16_t
#include <cstdio>   // fputs, stderr
#include <cstdlib>  // abort, aligned_alloc, free
#include <new>      // placement new

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_SHARED_ABI, TARTAN_ALWAYS_INLINE, TARTAN_COLD
#include "tartan/core/loaded_object.hpp"  // meet, meeting_point, pin_this_module, TARTAN_LIBRARY_CODE

namespace tartan::inline TARTAN_SHARED_ABI::detail_shared {

/// Names the slots. A number is never given another meaning within one ABI version.
enum class slot_id : unsigned {
  default_pool,
  hooks,
  zygote,
  lent_pools,
  pool_table,
  arena,
  settings,
  unhandled,
  timer,
  count = 16
};

/// Names the small counters and settings, likewise.
enum class number_id : unsigned { default_workers, count = 6 };

/// The block that exists once a process.
struct process_slots {
  void (*fork_handler)() = nullptr;  ///< counts `forks`; tells the creating object's handler from others
  pthread_key_t thread_key{};        ///< each thread's thread_cell
  std::atomic<unsigned> forks{0};    ///< how many forks lie between the block's making and this process
  std::atomic<unsigned> number[static_cast<unsigned>(number_id::count)]{};
  std::atomic<void*> slot[static_cast<unsigned>(slot_id::count)]{};
};

/// What exists once a thread. Only the thread itself touches it.
struct alignas(64) thread_cell {
  void* current = nullptr;  ///< the worker that this thread is at the moment, if any
  void* home = nullptr;     ///< what this thread keeps of the pool between calls, if anything
  /// Called once at the thread's end (and unset before), to give back what `home` holds. It must lie in an object that
  /// has called pin_this_module(). May be set again meanwhile: it is then called again.
  void (*at_exit)(thread_cell& cell) noexcept = nullptr;
  unsigned rounds = 0;  ///< how often the thread's end has come by here
  unsigned depth = 0;   ///< how many ends of tasks follow from each other on its stack now

  // Of task_memory.hpp.
  void* making = nullptr;                                        ///< the block from which this thread cuts tasks
  void* returning = nullptr;                                     ///< the block of which `returned` tasks are back
  std::uint16_t room = 0, cut = 0;                               ///< bytes left in `making`, tasks cut from it
  unsigned returned = 0;                                         ///< see returning
  void (*memory_at_exit)(thread_cell& cell) noexcept = nullptr;  ///< as at_exit

  void const* groups = nullptr;  ///< the innermost group_frame of this thread
};

static_assert(sizeof(thread_cell) == 128);

}  // namespace tartan::inline TARTAN_SHARED_ABI::detail_shared

namespace tartan::inline TARTAN_ABI::detail {

using detail_shared::number_id;
using detail_shared::process_slots;
using detail_shared::slot_id;
using detail_shared::thread_cell;

/// Prints the sentence and ends the process: for what cannot be reported any other way.
[[noreturn]] TARTAN_COLD inline void give_up(char const* sentence) noexcept {
  std::fputs(sentence, stderr);
  std::abort();
}

/// The block, if this object has met the others already. Acquire: with the release of meet(), the block is complete.
TARTAN_ALWAYS_INLINE process_slots* known_process_state() noexcept {
  return static_cast<process_slots*>(detail_shared::meeting_point.load(std::memory_order_acquire));
}

/// Runs when a thread ends. Other keys' destructors and later rounds may still use tartan on this thread, and its
/// objects' cached pointers cannot be reset from here, so the cell is kept for as many rounds as can be: in the last
/// one ThreadSanitizer's own destructor may have run before, and no instrumented code may follow it.
inline void end_of_thread(void* data) noexcept {
  auto& cell = *static_cast<thread_cell*>(data);
  if (auto const call = cell.at_exit; call != nullptr) {
    cell.at_exit = nullptr;
    call(cell);
  }
  if (auto const call = cell.memory_at_exit; call != nullptr) {
    cell.memory_at_exit = nullptr;
    call(cell);
  }
  if (++cell.rounds < PTHREAD_DESTRUCTOR_ITERATIONS - 1 &&
      ::pthread_setspecific(known_process_state()->thread_key, &cell) == 0)
    return;
  std::free(data);
}

/// Runs in a forked child. Every object that tried to make the block has one; only the one that made it counts.
/// Relaxed: the child has one thread.
[[gnu::visibility("hidden")]] inline void count_fork() noexcept {
  process_slots* const state = known_process_state();
  if (state != nullptr && state->fork_handler == &count_fork) state->forks.fetch_add(1, std::memory_order_relaxed);
}

/// Meets the other objects of the process; makes the block if there is none.
[[gnu::visibility("hidden")]] TARTAN_COLD inline process_slots& join_process() noexcept {
  if (void* const found = meet(nullptr); found != nullptr) return *static_cast<process_slots*>(found);

  void* const memory = std::aligned_alloc(64, (sizeof(process_slots) + 63) / 64 * 64);
  if (memory == nullptr) give_up("tartan: out of memory at first use; 256 bytes were asked for\n");
  auto* const made = ::new (memory) process_slots;
  made->fork_handler = &count_fork;
  if (::pthread_key_create(&made->thread_key, &end_of_thread) != 0)
    give_up("tartan: no thread-specific key is left at first use; use tartan before they are used up\n");
  // Before the block can be seen, so that no fork after that is missed.
  if (::pthread_atfork(nullptr, nullptr, &count_fork) != 0)
    give_up("tartan: out of memory at first use (pthread_atfork)\n");

  void* const chosen = meet(made);
  if (chosen == made) {
    pin_this_module();  // end_of_thread and count_fork lie here
  } else {
    ::pthread_key_delete(made->thread_key);
    std::free(memory);
  }
  return *static_cast<process_slots*>(chosen);
}

/// The block that exists once a process.
///
/// Complexity: the first call in each loaded object costs 10 us (45 us with 200 libraries), every later one a load and
/// a branch. Thread safety: any thread, at any time, also in a forked child.
TARTAN_ALWAYS_INLINE process_slots& process_state() noexcept {
  if (process_slots* const known = known_process_state(); known != nullptr) [[likely]]
    return *known;
  return join_process();
}

/// Tells a forked child from its parent: what was made before the fork knows another number.
inline unsigned forks_now() noexcept {
  return process_state().forks.load(std::memory_order_relaxed);  // relaxed: changes only in a new process
}

/// The object in the slot. If there is none, `make()` gives a `T*` that was made by new; the first to be done wins,
/// others delete theirs, so that all see one object. It is never destroyed.
///
///     auto& table = process_object<pool_table>(slot_id::pool_table, [] { return new pool_table; });
///
/// `T` must have the same layout in every part of the program: no member may depend on the instruction set, on
/// exceptions, or on NDEBUG. What it calls later must lie in an object that has called pin_this_module().
/// Exceptions: what `make` throws; the slot is then as it was.
template <class T, class Make>
T& process_object(slot_id id, Make&& make) {
  std::atomic<void*>& slot = process_state().slot[static_cast<unsigned>(id)];
  // Acquire pairs with the release of the exchange below: the object is complete.
  if (void* const known = slot.load(std::memory_order_acquire); known != nullptr) [[likely]]
    return *static_cast<T*>(known);
  T* const made = make();
  void* present = nullptr;  // acq_rel: with the acquire load above, and with the winner's release
  if (slot.compare_exchange_strong(present, made, std::memory_order_acq_rel, std::memory_order_acquire)) return *made;
  delete made;
  return *static_cast<T*>(present);
}

// In a shared library the initial-exec model makes it one load without a call, at the price of 8 bytes of the static
// thread area for each object (there is room for more than a hundred); in an executable the compiler does better still.
#if TARTAN_LIBRARY_CODE
#define TARTAN_CELL_MODEL [[gnu::tls_model("initial-exec")]]
#else
#define TARTAN_CELL_MODEL
#endif

/// Stands for the cell of a thread that is not known here yet. Never written, so whoever wants a member that is null
/// there need not ask which cell it has.
[[gnu::visibility("hidden")]] inline constinit thread_cell no_cell{};

/// This object's short way to the thread's cell.
[[gnu::visibility("hidden")]] TARTAN_CELL_MODEL inline constinit thread_local thread_cell* cached_cell = &no_cell;

/// Finds the cell that other objects use on this thread, or makes it.
[[gnu::visibility("hidden")]] TARTAN_COLD inline thread_cell& find_thread_cell() noexcept {
  pthread_key_t const key = process_state().thread_key;
  void* cell = ::pthread_getspecific(key);
  if (cell == nullptr) {
    cell = std::aligned_alloc(alignof(thread_cell), sizeof(thread_cell));
    if (cell == nullptr || ::pthread_setspecific(key, ::new (cell) thread_cell) != 0)
      give_up("tartan: out of memory for a thread's cell; 128 bytes were asked for\n");
  }
  cached_cell = static_cast<thread_cell*>(cell);
  return *cached_cell;
}

/// The cell of the calling thread, the same one in every object of the process.
TARTAN_ALWAYS_INLINE thread_cell& this_thread_cell() noexcept {
  if (thread_cell* const known = cached_cell; known != &no_cell) [[likely]]
    return *known;
  return find_thread_cell();
}

}  // namespace tartan::inline TARTAN_ABI::detail
