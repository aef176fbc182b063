#pragma once
// What host and worker say to each other, and the shared memory in which they say it.

#include <atomic>   // atomic
#include <cstddef>  // byte, size_t
#include <cstdint>  // int64_t, uint16_t, uint32_t, uint64_t

#include "tartan/core/config.hpp"   // TARTAN_ABI
#include "tartan/core/padded.hpp"   // line_pair
#include "tartan/ipc/doorbell.hpp"  // doorbell
#include "tartan/ipc/ring.hpp"      // ring_storage
#include "tartan/ipc/zygote.hpp"    // child_record

namespace tartan::inline TARTAN_ABI::detail {

inline constexpr std::size_t ring_capacity = std::size_t{256} << 10;

/// Larger payloads go through the arena; what is smaller is copied through the ring, which the caches hold.
inline constexpr std::size_t inline_limit = std::size_t{32} << 10;

enum class request_kind : std::uint16_t { filler, run, run_elsewhere, quit };
enum class reply_kind : std::uint16_t { filler, value, value_elsewhere, error, handed_back, ready };

/// Where a payload in the arena is: the body of a run_elsewhere, or of a value_elsewhere.
struct elsewhere {
  std::byte* at;
  std::uint64_t size;
};

/// Begins the payload of a `run`: some units of one job. Then: the file name of the module if it is not the program,
/// the work itself unless it lies elsewhere, and each unit as its size (8 bytes) and its bytes.
struct run_header {
  std::uint64_t first_number;  ///< of the slot's units, counted from 0 since the worker began
  std::uint64_t job;           ///< the same number: the same work, which a worker need not decode again
  std::uint64_t code;          ///< of the trampoline: offset in its module
  std::uint32_t module_size;   ///< bytes of the module's file name
  std::uint32_t count;         ///< units
  elsewhere work;              ///< at == nullptr: `size` bytes of it follow here
  std::uint32_t timed;         ///< whether somebody watches how long a unit takes
  std::uint32_t unused;
};

/// The host writes what a worker shall be before it begins.
struct worker_setup {
  std::uint64_t memory_limit = 0;
  std::uint32_t threads = 1;  ///< that its own pools should use
  std::uint32_t spin_us = 0;
  std::uint32_t index = 0;
  void (*initializer)() = nullptr;
};

/// One worker in shared memory. Who writes what is in the comments; nobody else does.
struct worker_slot : child_record {
  // the host
  worker_setup setup;
  doorbell<> host_bell;  ///< used when nobody gives another: pools have one for all of their slots
  alignas(line_pair) std::atomic<std::uint64_t> recall{0};  ///< units with lower numbers that have not begun go back
  // the worker
  alignas(line_pair) std::atomic<std::uint64_t> running{0};  ///< 1 + number of the unit that runs or ran last
  std::atomic<std::int64_t> since{0};                        ///< when it began: ns of CLOCK_MONOTONIC, if timed
  std::atomic<std::uint32_t> spilled{0};                     ///< whether it ever allocated in the arena under its mark
  // both, as the rings say
  ring_storage<ring_capacity> requests;
  ring_storage<ring_capacity> replies;

  /// The mark of what this worker allocates for results, so that its death gives it back. Never 0.
  [[nodiscard]] std::uint32_t mark(std::byte const* arena) const noexcept {
    return static_cast<std::uint32_t>((reinterpret_cast<std::byte const*>(this) - arena) / 64 + 1);
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
