#pragma once
// The worker's side: takes units from its ring, calls what the host named, answers one frame a unit.

#include <malloc.h>        // mallopt
#include <sys/resource.h>  // setrlimit
#include <time.h>          // clock_gettime

#include <chrono>       // microseconds
#include <cstddef>      // byte, size_t
#include <cstdint>      // int64_t, uint64_t
#include <cstdlib>      // setenv
#include <string>       // string, to_string
#include <type_traits>  // is_void_v
#include <utility>      // forward, move

#include "tartan/core/code_address.hpp"  // resolve_code
#include "tartan/core/codec.hpp"         // decode_from, encode_to, encoded_size
#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/frame.hpp"         // frame_reader, frame_writer
#include "tartan/core/ticks.hpp"         // ticks, ticks_per_us
#include "tartan/ipc/child.hpp"          // end_child, flush_output, limit_library_threads
#include "tartan/ipc/exceptions.hpp"     // describe_current_exception
#include "tartan/ipc/segment.hpp"        // known_segment
#include "tartan/ipc/wire.hpp"           // run_header, worker_slot

namespace tartan::inline TARTAN_ABI::detail {

/// Nanoseconds of the clock that all processes share.
inline std::int64_t monotonic_ns() noexcept {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class worker_context;

/// What a run names: decodes the units and calls the user's function for each.
using trampoline = void (*)(worker_context& worker, run_header const& header, frame_reader& work, frame_reader& units);

/// One worker process. Every unit is answered by exactly one frame, in order, unless the process dies.
class worker_context {
 public:
  explicit worker_context(worker_slot& slot) noexcept
      : slot_(slot),
        in_(slot.requests.consumer()),
        out_(slot.replies.producer()),
        arena_(*known_segment()),
        mark_(slot.mark(arena_.base())) {}
  worker_context(worker_context const&) = delete;
  worker_context& operator=(worker_context const&) = delete;

  [[noreturn]] void run() {
    answer(reply_kind::ready, 0);
    for (;;) {
      frame_view const frame = wait_for_frame();
      switch (static_cast<request_kind>(frame.kind)) {
        case request_kind::run:
          run_units(frame.data, frame.size);
          break;
        case request_kind::run_elsewhere: {
          frame_reader in(frame.data, frame.size);
          auto const body = in.raw<elsewhere>();
          run_units(body.at, static_cast<std::size_t>(body.size));
          break;
        }
        default:
          forget_work();
          end_child(0);
      }
      in_.consume();
      in_.ring();
    }
  }

  /// Announces unit `number`; false if the host wants it back, and then nothing of the frame may run any more.
  bool begin(std::uint64_t number, bool timed) noexcept {
    if (number < slot_.recall.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: a wish, now or a little later
      return false;
    if (timed) slot_.since.store(monotonic_ns(), std::memory_order_relaxed);  // relaxed: published by running
    slot_.running.store(number + 1, std::memory_order_release);               // with the host's watch on timeouts
    number_ = number;
    return true;
  }

  /// Answers with a value. What its codec throws goes to the caller, and nothing has been said then.
  template <class R>
  void answer_value(R const& value) {
    auto const size = encoded_size(value);
    if (size <= inline_limit) {
      frame_writer out(reserve(size, reply_kind::value), size);
      encode_to(out, value);
      return publish();
    }
    slot_.spilled.store(1, std::memory_order_relaxed);  // relaxed: read after our death
    auto* const at = static_cast<std::byte*>(arena_.allocate(size, 64, mark_));
    struct cleanup {
      segment& arena;
      void* block;
      ~cleanup() {
        if (block != nullptr) arena.deallocate(block);
      }
    } guard{arena_, at};
    frame_writer out(at, size);
    encode_to(out, value);
    guard.block = nullptr;
    elsewhere const where{at, size};
    frame_writer note(reserve(sizeof where, reply_kind::value_elsewhere), sizeof where);
    note.raw(where);
    publish();
  }

  /// Answers with the exception that is being handled.
  void answer_exception() {
    auto e = describe_current_exception();
    if (e.what.size() > longest_text) e.what.resize(longest_text);
    if (e.type.size() > longest_text) e.type.resize(longest_text);
    auto const size = encoded_size(e);
    frame_writer out(reserve(size, reply_kind::error), size);
    encode_to(out, e);
    publish();
  }

  /// Gives `count` units back that have not begun.
  void hand_back(std::uint32_t count) {
    number_ = last_number_;
    answer(reply_kind::handed_back, count);
  }

  /// The work of this job: decoded once, as long as no other job comes between.
  template <class Work>
  Work& work_of(std::uint64_t job, frame_reader& in) {
    if (cached_ == nullptr || cached_job_ != job || drop_ != &drop<Work>) {
      forget_work();
      cached_ = new Work(decode_from<Work>(in));
      drop_ = &drop<Work>;
      cached_job_ = job;
    }
    return *static_cast<Work*>(cached_);
  }

 private:
  static constexpr std::size_t longest_text = 8 << 10;

  template <class Work>
  static void drop(void* p) {
    delete static_cast<Work*>(p);
  }

  void forget_work() {
    if (cached_ != nullptr) drop_(cached_);
    cached_ = nullptr;
  }

  frame_view wait_for_frame() {
    if (auto const frame = in_.next()) return frame;
    if (slot_.setup.spin_us != 0) {
      auto const until = ticks() + slot_.setup.spin_us * ticks_per_us();
      while (ticks() < until) {
        if (auto const frame = in_.next()) return frame;
        cpu_pause();
      }
    }
    flush_output();
    for (;;) {
      if (auto const frame = in_.next()) return frame;
      in_.wait();
    }
  }

  void run_units(std::byte const* data, std::size_t size) {
    frame_reader in(data, size);
    auto const header = in.raw<run_header>();
    last_number_ = header.first_number + header.count - 1;
    std::string module(reinterpret_cast<char const*>(in.take(header.module_size)), header.module_size);
    frame_reader work(header.work.at != nullptr ? header.work.at : in.take(header.work.size), header.work.size);
#if TARTAN_EXCEPTIONS
    trampoline call = nullptr;
    try {
      call = reinterpret_cast<trampoline>(resolve_code({std::move(module), header.code}));
    } catch (...) {  // the library is gone: each unit says so
      for (std::uint32_t i = 0; i != header.count; ++i) {
        if (!begin(header.first_number + i, false)) return hand_back(header.count - i);
        answer_exception();
      }
      return;
    }
    call(*this, header, work, in);
#else
    reinterpret_cast<trampoline>(resolve_code({std::move(module), header.code}))(*this, header, work, in);
#endif
  }

  std::byte* reserve(std::size_t size, reply_kind kind, std::uint16_t tag = 0) noexcept {
    for (;;) {
      auto const k = static_cast<std::uint16_t>(kind);
      if (auto* const at = out_.reserve(size, k, tag)) return at;
      out_.wait_for_room([&] { return out_.reserve(size, k, tag) != nullptr; }, std::chrono::nanoseconds{-1});
    }
  }

  // A host that sleeps is not woken for each of many answers: the last one before this worker idles wakes it, and
  // every sixteenth. (A host that waits while more is to come looks by itself every millisecond.)
  void publish() noexcept {
    out_.publish();
    if (++unannounced_ % 16 != 0 && (number_ < last_number_ || in_.more())) return;
    slot_.bell->ring();
  }

  void answer(reply_kind kind, std::uint32_t number) noexcept {
    frame_writer out(reserve(sizeof number, kind), sizeof number);
    out.raw(number);
    publish();
  }

  worker_slot& slot_;
  ring_consumer<> in_;
  ring_producer<> out_;
  segment& arena_;
  std::uint32_t mark_;
  std::uint64_t number_ = 0;       // of the unit that runs
  std::uint64_t last_number_ = 0;  // of its message
  unsigned unannounced_ = 0;
  void* cached_ = nullptr;
  void (*drop_)(void*) = nullptr;
  std::uint64_t cached_job_ = 0;
};

/// The trampoline of units whose arguments are `Argument`s: answers each with work(argument).
template <class Work, class Argument>
void run_each(worker_context& worker, run_header const& header, frame_reader& work_bytes, frame_reader& units) {
  Work* work = nullptr;
  for (std::uint32_t i = 0; i != header.count; ++i) {
    auto const size = units.count();
    frame_reader in(units.take(size), size);
    if (!worker.begin(header.first_number + i, header.timed != 0)) return worker.hand_back(header.count - i);
#if TARTAN_EXCEPTIONS
    try {
#endif
      if (work == nullptr) {
        frame_reader again = work_bytes;  // if it cannot be decoded, each unit says so
        work = &worker.template work_of<Work>(header.job, again);
      }
      Argument argument = decode_from<Argument>(in);
      worker.answer_value((*work)(argument));
#if TARTAN_EXCEPTIONS
    } catch (...) {
      worker.answer_exception();
    }
#endif
  }
}

/// A task's large buffers come from the heap and stay with the worker, up to a point: each page that is given back to
/// the system costs the next task a fault.
inline void keep_large_buffers() noexcept {
#if defined(__GLIBC__)
  constexpr int kept = 256 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kept);
  ::mallopt(M_TRIM_THRESHOLD, kept);
#endif
}

inline void limit_memory(std::uint64_t bytes) noexcept {
  if (bytes == 0) return;
  rlimit const limit{bytes, bytes};
  ::setrlimit(RLIMIT_DATA, &limit);  // private writable memory: the arena is not counted
}

/// What the zygote calls in a fresh worker.
inline void worker_main(child_record& record) {
  auto& slot = static_cast<worker_slot&>(record);
  limit_library_threads(slot.setup.threads);
  if (slot.setup.memory_limit == 0) keep_large_buffers();
  ::setenv("TARTAN_WORKERS", std::to_string(slot.setup.threads).c_str(), 1);
  limit_memory(slot.setup.memory_limit);
  if (slot.setup.initializer != nullptr) slot.setup.initializer();
  worker_context(slot).run();
}

}  // namespace tartan::inline TARTAN_ABI::detail
