#pragma once
// Threads of the operating system: how they start, and what the runtime asks about the calling one.

#include <fcntl.h>        // O_CLOEXEC, O_RDONLY, open
#include <limits.h>       // PTHREAD_STACK_MIN
#include <linux/futex.h>  // FUTEX_*
#include <pthread.h>  // pthread_attr_*, pthread_create, pthread_detach, pthread_join, pthread_setname_np, pthread_sigmask
#include <sched.h>    // CPU_*, sched_getaffinity, sched_getcpu, sched_setaffinity, sched_yield
#include <signal.h>       // sigfillset, sigdelset
#include <sys/syscall.h>  // SYS_futex, SYS_gettid
#include <sys/types.h>    // ssize_t
#include <unistd.h>       // close, read, syscall

#include <cstddef>           // size_t
#include <cstdio>            // snprintf, sscanf
#include <initializer_list>  // initializer_list

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_COLD

namespace tartan::inline TARTAN_ABI::detail {

/// Signals that are sent to the process go to the program's own threads; those that a thread causes itself stay.
inline void block_asynchronous_signals() noexcept {
  sigset_t mask;
  sigfillset(&mask);
  for (int const own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) sigdelset(&mask, own);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

/// Visible in ps -L, top -H and gdb; the system keeps 15 characters.
inline void name_this_thread_for(char const* pool_name, char const* role) noexcept {
  char ending[12], name[28];
  int const length = std::snprintf(ending, sizeof ending, "/%s", role);
  std::snprintf(name, sizeof name, "%.*s%s", 15 - length, pool_name, ending);
  pthread_setname_np(pthread_self(), name);
}
inline void name_this_thread(char const* pool_name, unsigned index) noexcept {
  char number[11];
  std::snprintf(number, sizeof number, "%u", index);
  name_this_thread_for(pool_name, number);
}

/// Keeps the calling thread on the (rank modulo n)-th of the n processors that it may use now.
inline void pin_this_thread(unsigned rank) noexcept {
  cpu_set_t granted, one;
  if (::sched_getaffinity(0, sizeof granted, &granted) != 0) return;  // more than 1024 processors: left unpinned
  int const n = CPU_COUNT(&granted);
  if (n == 0) return;
  int left = static_cast<int>(rank % static_cast<unsigned>(n));
  for (std::size_t i = 0; i != CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &granted) && left-- == 0) {
      CPU_ZERO(&one);
      CPU_SET(i, &one);
      ::sched_setaffinity(0, sizeof one, &one);
      return;
    }
}

/// The processor on which the calling thread runs, just now.
inline int this_processor() noexcept { return ::sched_getcpu(); }

inline void yield_processor() noexcept { ::sched_yield(); }

/// Narrows the processors that the calling thread may use, until the end of the scope. If somebody else changes them
/// meanwhile (taskset), that stays.
class narrowed_affinity {
 public:
  enum class to { this_one, the_others };

  explicit narrowed_affinity(to which) noexcept {
    int const here = this_processor();
    if (here < 0 || here >= CPU_SETSIZE || ::sched_getaffinity(0, sizeof granted_, &granted_) != 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(here), &one);
    if (which == to::this_one)
      CPU_AND(&narrow_, &granted_, &one);
    else
      CPU_XOR(&narrow_, &granted_, &one);
    if (CPU_COUNT(&narrow_) != 0) done_ = ::sched_setaffinity(0, sizeof narrow_, &narrow_) == 0;
  }
  narrowed_affinity(narrowed_affinity const&) = delete;
  narrowed_affinity& operator=(narrowed_affinity const&) = delete;
  ~narrowed_affinity() {
    cpu_set_t now;
    if (done_ && ::sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&now, &narrow_))
      ::sched_setaffinity(0, sizeof granted_, &granted_);
  }

 private:
  cpu_set_t granted_, narrow_;
  bool done_ = false;
};

/// The system's number of the calling thread.
inline int this_thread_number() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

/// Whether the thread of that number, which is one of this process, sleeps as at a mutex or at a condition variable,
/// without limit of time. False where the system does not tell.
TARTAN_COLD inline bool sleeps_at_futex(int thread) noexcept {
  char path[48], text[128];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/syscall", thread);
  int const file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t const read = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (read <= 0) return false;
  text[read] = '\0';
  // The call and its arguments: the futex, what to do, a value, the limit; a word where the thread runs.
  int call = -1;
  unsigned long futex = 0, what = 0, value = 0, limit = 0;
  if (std::sscanf(text, "%d %lx %lx %lx %lx", &call, &futex, &what, &value, &limit) != 5) return false;
  what &= ~static_cast<unsigned long>(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
  return call == SYS_futex && limit == 0 && (what == FUTEX_WAIT || what == FUTEX_WAIT_BITSET || what == FUTEX_LOCK_PI);
}

/// Moves the calling thread to another processor that it may use, if there is one.
TARTAN_COLD inline void leave_processor() noexcept { narrowed_affinity const moves(narrowed_affinity::to::the_others); }

/// A thread with a stack of a chosen size, which std::thread cannot have. It stays where it is as long as the thread
/// runs; its owner calls join() or lets it run for ever.
class os_thread {
 public:
  os_thread() = default;
  os_thread(os_thread const&) = delete;
  os_thread& operator=(os_thread const&) = delete;

  /// Starts body(data), which must not throw. `stack_size` 0 is the system's default. False when the system refuses.
  [[nodiscard]] bool start(std::size_t stack_size, void (*body)(void*), void* data) noexcept {
    body_ = body;
    data_ = data;
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0) return false;
    if (stack_size != 0) {
      auto const least = static_cast<std::size_t>(PTHREAD_STACK_MIN);
      ::pthread_attr_setstacksize(&attributes, stack_size < least ? least : stack_size);
    }
    bool const started = ::pthread_create(&id_, &attributes, &run, this) == 0;
    ::pthread_attr_destroy(&attributes);
    return started;
  }

  void join() noexcept { ::pthread_join(id_, nullptr); }
  void detach() noexcept { ::pthread_detach(id_); }

  [[nodiscard]] bool is_this_thread() const noexcept { return ::pthread_equal(id_, ::pthread_self()) != 0; }

 private:
  static void* run(void* started) {
    auto const& self = *static_cast<os_thread*>(started);
    self.body_(self.data_);
    return nullptr;
  }

  pthread_t id_{};
  void (*body_)(void*) = nullptr;
  void* data_ = nullptr;
};

}  // namespace tartan::inline TARTAN_ABI::detail
