#pragma once
// The shared memory of the process and its workers: one anonymous file, mapped before the first fork, so that it lies
// at the same address in all of them and a pointer into it means the same everywhere.

#include <fcntl.h>         // fallocate
#include <sys/mman.h>      // madvise, memfd_create, mmap, munmap
#include <sys/resource.h>  // getrlimit
#include <unistd.h>        // close, ftruncate, sysconf

#include <algorithm>        // max, min
#include <atomic>           // atomic
#include <cerrno>           // errno
#include <cstddef>          // byte, size_t
#include <cstdlib>          // getenv, strtoull
#include <cstring>          // strerror
#include <memory_resource>  // memory_resource
#include <new>              // placement new
#include <string>           // string, to_string

#include "tartan/core/config.hpp"         // TARTAN_ABI
#include "tartan/core/errors.hpp"         // bad_argument, error, raise
#include "tartan/core/process_state.hpp"  // process_state, slot_id
#include "tartan/ipc/heap.hpp"            // heap
#include "tartan/ipc/robust.hpp"          // robust_lock

namespace tartan::inline TARTAN_ABI {

/// The arena that processes share is exhausted, or the system has no memory left for it.
struct out_of_shared_memory : error {
  using error::error;
};

namespace detail {

/// The arena. The object lies in private memory and is inherited by every fork; what processes share begins at base().
///
/// Pages are committed by fallocate before they are handed out, so that a full machine or a full memory cgroup is an
/// exception in the process that asks, not a SIGBUS in the one that first touches the page.
class segment {
 public:
  /// `size` bytes of address space are reserved; 0 asks for the default. Memory is taken as it is allocated.
  explicit segment(std::size_t size) : size_{rounded(wanted(size))} {
    fd_ = ::memfd_create("tartan", MFD_CLOEXEC);
    if (fd_ < 0) raise<out_of_shared_memory>(because("no shared memory can be made", errno));
    while (!map())
      if ((size_ = rounded(size_ / 2)) < smallest) fail_mapping();
    ::madvise(base_, size_, MADV_DONTDUMP);
    if (!commit(0, first_commit)) {
      int const why = errno;
      ::munmap(base_, size_);
      ::close(fd_);
      raise<out_of_shared_memory>(because("no memory for the beginning of the shared arena", why));
    }
    shared_ = ::new (base_) contents;
    shared_->committed = first_commit;
    shared_->blocks.format(base_ + (sizeof(contents) + 63) / 64 * 64, base_ + first_commit);
  }
  segment(segment const&) = delete;
  segment& operator=(segment const&) = delete;

  /// `size` bytes aligned to `alignment`; throws out_of_shared_memory. `owner` marks what deallocate_owned() frees.
  void* allocate(std::size_t size, std::size_t alignment = 16, std::uint32_t owner = 0) {
    guard const hold(*shared_);
    void* p = shared_->blocks.allocate(size, alignment, owner);
    if (p == nullptr) {
      grow(size, alignment);
      p = shared_->blocks.allocate(size, alignment, owner);
    }
    if (p == nullptr) exhausted(size);
    return p;
  }

  void deallocate(void* p) {
    if (p == nullptr) return;
    guard const hold(*shared_);
    shared_->blocks.deallocate(p);
  }

  /// Frees what a dead process had allocated under its mark.
  std::size_t deallocate_owned(std::uint32_t owner) {
    guard const hold(*shared_);
    return shared_->blocks.deallocate_owned(owner);
  }

  /// Whether [p, p + size) is a block that `owner` allocated.
  [[nodiscard]] bool owns(void const* p, std::size_t size, std::uint32_t owner) {
    guard const hold(*shared_);
    return shared_->blocks.owns(p, size, owner);
  }

  /// Whether [p, p + size) lies in the arena.
  [[nodiscard]] bool contains(void const* p, std::size_t size = 0) const noexcept {
    auto const* const at = static_cast<std::byte const*>(p);
    return at >= base_ && at < base_ + size_ && size <= static_cast<std::size_t>(base_ + size_ - at);
  }

  [[nodiscard]] std::byte* base() const noexcept { return base_; }
  [[nodiscard]] std::size_t reserved() const noexcept { return size_; }
  [[nodiscard]] std::size_t committed() {
    guard const hold(*shared_);
    return shared_->committed;
  }
  [[nodiscard]] std::size_t in_use() {
    guard const hold(*shared_);
    return shared_->blocks.in_use();
  }
  [[nodiscard]] bool consistent() {
    guard const hold(*shared_);
    return shared_->blocks.consistent();
  }
  [[nodiscard]] robust_lock& lock_for_tests() noexcept { return shared_->lock; }

  /// Makes commits fail with this errno; 0 ends it. For tests of a machine without memory.
  static std::atomic<int>& injected_failure() noexcept {
    static std::atomic<int> failure{0};
    return failure;
  }

 private:
  struct contents {
    robust_lock lock;
    std::size_t committed = 0;  ///< bytes from base() that have memory behind them
    heap blocks;
  };

  struct guard {
    explicit guard(contents& c) : shared(c) {
      if (shared.lock.lock() == lock_state::held_after_death) shared.blocks.rebuild();
    }
    guard(guard const&) = delete;
    guard& operator=(guard const&) = delete;
    ~guard() { shared.lock.unlock(); }
    contents& shared;
  };

  static constexpr std::size_t page = 4096;
  static constexpr std::size_t default_size = std::size_t{64} << 30;
  static constexpr std::size_t smallest = std::size_t{1} << 20;
  static constexpr std::size_t first_commit = std::size_t{256} << 10;
  static constexpr std::size_t growth = std::size_t{1} << 20;

  static std::size_t rounded(std::size_t n) noexcept { return (n + page - 1) & ~(page - 1); }

  static std::size_t wanted(std::size_t asked) {
    char const* const text = std::getenv("TARTAN_SHARED_MEMORY");
    if (text != nullptr && *text != '\0') {
      char* end = nullptr;
      auto const value = std::strtoull(text, &end, 10);
      if (*end != '\0')
        raise<bad_argument>("tartan: TARTAN_SHARED_MEMORY must be a number of bytes, not '" + std::string(text) + "'");
      asked = value;
    }
    if (asked == 0) asked = default_size;
    rlimit files{};  // the limit of file sizes holds for anonymous files too, and going beyond it is a signal
    if (::getrlimit(RLIMIT_FSIZE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
      asked = (std::min)(asked, static_cast<std::size_t>(files.rlim_cur) & ~(page - 1));
    return (std::max)(asked, smallest);
  }

  bool map() noexcept {
    if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return false;
    void* const at = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd_, 0);
    if (at == MAP_FAILED) return false;
    base_ = static_cast<std::byte*>(at);
    return true;
  }

  [[noreturn]] void fail_mapping() const {
    int const why = errno;
    ::close(fd_);
    raise<out_of_shared_memory>(because("no address space for the shared arena (see ulimit -v, ulimit -f)", why));
  }

  bool commit(std::size_t from, std::size_t to) const noexcept {
    // Relaxed: tests inject it before they call.
    if (int const failure = injected_failure().load(std::memory_order_relaxed); failure != 0) {
      errno = failure;
      return false;
    }
    int result;
    do result = ::fallocate(fd_, 0, static_cast<off_t>(from), static_cast<off_t>(to - from));
    while (result != 0 && errno == EINTR);
    return result == 0;
  }

  // Commits enough for the request, or throws; the lock is held.
  void grow(std::size_t size, std::size_t alignment) {
    auto const from = shared_->committed;
    if (size > size_ || alignment > size_) exhausted(size);
    auto const need = rounded(heap::min_growth(size, alignment));
    if (need > size_ - from) exhausted(size);
    auto const to = from + (std::min)((std::max)(need, growth), size_ - from);
    if (!commit(from, to))
      raise<out_of_shared_memory>(because("the system has no memory left for " + std::to_string(size) +
                                              " bytes of shared memory: free some, or raise the limit of the container",
                                          errno));
    shared_->blocks.grow(base_ + to);
    shared_->committed = to;
  }

  [[noreturn]] void exhausted(std::size_t size) const {
    raise<out_of_shared_memory>("tartan: the shared arena of " + std::to_string(size_) +
                                " bytes is full: no room for " + std::to_string(size) +
                                " more; free shared arrays, or reserve a larger one by "
                                "start_processes({.shared_memory = bytes}) or TARTAN_SHARED_MEMORY");
  }

  static std::string because(std::string what, int error_number) {
    return "tartan: " + std::move(what) + " (" + std::strerror(error_number) + ")";
  }

  std::size_t size_;
  int fd_ = -1;
  std::byte* base_ = nullptr;
  contents* shared_ = nullptr;
};

/// The arena of this process, or null before start_processes().
inline segment* known_segment() noexcept {
  auto& slot = process_state().slot[static_cast<unsigned>(slot_id::arena)];
  return static_cast<segment*>(slot.load(std::memory_order_acquire));  // with the start: the arena is complete
}

/// Containers of <memory_resource> in the arena. It lies in the arena itself, at one address in every process.
class segment_resource final : public std::pmr::memory_resource {
 public:
  explicit segment_resource(segment& s) noexcept : segment_(&s) {}

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override { return segment_->allocate(size, alignment); }
  void do_deallocate(void* p, std::size_t, std::size_t) override { segment_->deallocate(p); }
  [[nodiscard]] bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override {
    return this == &other;
  }

  segment* segment_;
};

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
