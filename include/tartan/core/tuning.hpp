#pragma once
// Numbers that the model checker chooses otherwise: most were chosen by measurement.

#include <cstddef>  // size_t
#include <cstdint>  // uint64_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// What a thief's fence costs itself and each running thread of the process where fences are asymmetric: it interrupts
/// them all. 1 us on bare metal, 12 us on a virtual machine. Who might steal waits as long first, as skiers rent who do
/// not know how long the winter is: work that ends earlier is cheaper where it is.
inline constexpr std::uint64_t steal_patience_us = 16;

/// How long a forker waits for its stolen half at least before it asks the thief for work.
inline constexpr std::uint64_t ask_patience_us = 1;

/// What is left of a range is shared with one who waits if it takes as long as so many hand-overs: he fetches the job,
/// the call, the body and the data from another core, one after the other, and the end is told on the same way back.
/// A hand-over takes 50 to 70 ns between neighbours, and 200 to 500 on large or virtual machines.
inline constexpr std::uint64_t worth_giving_handovers = 12;

/// A shared range tells what its elements cost if it takes so long: that their data lay in another core's cache is then
/// little of it.
inline constexpr std::uint64_t shared_counts_us = 16;

/// How often a giver tries a mailbox before nobody but the forker can run the job any more: for a microsecond, in which
/// a worker that still looks for work opens it again.
inline constexpr int offer_tries = 48;

/// A hand-over that takes longer was interrupted, and says nothing of others. 0: none is measured.
inline constexpr std::uint64_t longest_handover_us = 20;

/// How much of a range must be left, as far as its runner knows, before it wakes a worker for it. A wake-up takes 7 us
/// of the waker's time; the woken worker begins 20 to 50 us later, and finds the data in another core's cache.
inline constexpr std::uint64_t worth_waking_us = 40;

/// How long a worker that finds nothing spins before it sleeps, where each worker has a core.
inline constexpr std::uint64_t search_patience_us = 60;

/// After so much work of ranges that woke nobody, one is woken for less: ranges that follow each other share the price.
inline constexpr std::uint64_t unshared_limit_us = 100;

/// A range of so many elements for each worker wakes nobody before an element has run: that delays the others by a
/// 32nd of their time at most.
inline constexpr std::size_t enough_to_wait = 32;

/// Entries that a deque holds before it grows for the first time: 2 KB a worker.
inline constexpr std::size_t first_ring = 256;

/// By which worker::errand grows; the bits below hold the worker's index.
inline constexpr std::uint64_t errand_step = std::uint64_t{1} << 16;

}  // namespace tartan::inline TARTAN_ABI::detail
