#pragma once
// Calls from any process of the program to one that serves them, one after the other.

#include <atomic>     // atomic, memory_order_*
#include <chrono>     // milliseconds
#include <cstddef>    // byte, size_t
#include <cstdint>    // uint32_t, uint64_t
#include <exception>  // rethrow_exception
#include <string>     // string
#include <utility>    // exchange

#include "tartan/core/await.hpp"          // blocking_scope
#include "tartan/core/code_address.hpp"   // code_address, resolve_code
#include "tartan/core/codec.hpp"          // decode_from, encode_to, encoded_size
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"         // raise
#include "tartan/core/frame.hpp"          // frame_reader, frame_writer
#include "tartan/core/ticks.hpp"          // cpu_pause, ticks, ticks_per_us
#include "tartan/core/topology.hpp"       // hardware_cores
#include "tartan/ipc/exceptions.hpp"      // describe_current_exception, remake_exception, shipped_exception
#include "tartan/ipc/handle.hpp"          // shared_handle
#include "tartan/ipc/process_errors.hpp"  // manager_gone
#include "tartan/ipc/robust.hpp"          // lock_state, robust_lock
#include "tartan/ipc/segment.hpp"         // known_segment
#include "tartan/ipc/waiting.hpp"         // waiting_word

namespace tartan::inline TARTAN_ABI::detail {

/// Bytes that one process hands to another: in the place itself where they are few, else in the arena.
struct parcel {
  static constexpr std::size_t few = 448;

  std::byte* elsewhere = nullptr;
  std::uint64_t size = 0;
  alignas(16) std::byte here[few];

  /// Room for n bytes; frees what was in it.
  std::byte* make_room(std::size_t n) {
    clear();
    if (n > few) elsewhere = static_cast<std::byte*>(known_segment()->allocate(n, 64));
    size = n;
    return elsewhere != nullptr ? elsewhere : here;
  }

  /// In this order: a process that dies in between loses the block to the arena, but nobody frees it twice.
  void clear() noexcept {
    auto* const block = std::exchange(elsewhere, nullptr);
    size = 0;
    if (block != nullptr) known_segment()->deallocate(block);
  }

  /// What is in it; throws bad_frame where the words that say so were overwritten.
  [[nodiscard]] frame_reader contents() const {
    bool const valid = elsewhere == nullptr ? size <= few : known_segment()->contains(elsewhere, size);
    if (!valid) frame_reader::wrong_value();
    return {elsewhere != nullptr ? elsewhere : here, static_cast<std::size_t>(size)};
  }
};

enum class call_phase : std::uint32_t { idle, asked, answered };

/// Where one caller at a time stands. Its fields belong to
///     the holder of `taken`   in idle and answered
///     the server              in asked
/// and each hands them over by a release store of the phase, which the other acquires.
struct alignas(64) call_place {
  robust_lock taken;
  waiting_word phase;
  bool failed = false;  ///< the answer is an exception
  parcel text;          ///< the call, then its answer
};

/// What server and callers share.
///
///     caller (C)                                       server (S)
///     C1  takes a place (its robust lock)              S1  ticket = bell
///     C2  writes the call; phase = asked               S2  answers every place in phase asked
///     C3  ++bell, wakes                                S3  sleeps while bell == ticket, if there was none
///     C4  sleeps while phase == asked                  S4  phase = answered, wakes (once a place of S2)
///     C5  reads the answer; phase = idle
///     C6  gives the place back
///
/// *No call is overlooked*: bell is read before the places (S1), so a call that S2 did not see changes bell after S1
/// and S3 returns (waiting_word). *A caller that dies* before C2's store has asked nothing; after it, the call is
/// carried out once and the answer lies there. Whoever takes the place next is told by the lock (C1): it waits for that
/// answer, drops it, and goes on. *A server that dies* is seen by its own robust lock `life`, which callers try every
/// few milliseconds in C4.
struct service_state {
  static constexpr std::size_t places = 32;  // more callers than that wait for a place

  robust_lock life;                     ///< held by the server as long as it lives
  std::atomic<std::uint32_t> begun{0};  ///< the server has taken `life`
  std::atomic<std::uint32_t> gone{0};   ///< it is dead
  std::atomic<std::uint32_t> closed{0};
  waiting_word bell;
  call_place place[places];

  ~service_state() {
    for (call_place& p : place) p.text.clear();
  }
};

/// The shared state as it travels.
class service_handle : public shared_handle<service_state> {
 public:
  service_handle() : shared_handle(made{}) {}
  explicit service_handle(borrowed b) : shared_handle(b) {}
};

/// Begins a call. Then: the file name of the module if it is not the program, and the encoded call.
struct call_header {
  std::uint64_t code;  ///< of the trampoline: offset in its module
  std::uint64_t object;
  std::uint32_t module_size;
  std::uint32_t unused;
};

/// Spinning is for machines that have a core to spare.
inline std::uint64_t service_spin_ticks() noexcept { return hardware_cores() > 2 ? 20 * ticks_per_us() : 0; }

// ---- the caller's side
// ------------------------------------------------------------------------------------------------

/// One call of a service, from C1 to C6.
class service_call {
 public:
  /// Throws manager_gone, too_many_blocked.
  explicit service_call(service_state& service) : service_(service), place_(take_place(service)) {}
  service_call(service_call const&) = delete;
  service_call& operator=(service_call const&) = delete;
  ~service_call() {
    place_.text.clear();
    place_.taken.unlock();
  }

  /// What `code` makes of the object and of the call.
  template <class R, class Call>
  R ask(code_address const& code, std::uint64_t object, Call const& call) {
    std::size_t const bytes = sizeof(call_header) + code.module.size() + encoded_size(call);
    frame_writer out(place_.text.make_room(bytes), bytes);
    out.raw(call_header{code.offset, object, static_cast<std::uint32_t>(code.module.size()), 0});
    out.bytes(code.module.data(), code.module.size());
    encode_to(out, call);
    set_phase(place_, call_phase::asked);
    service_.bell.value().fetch_add(1, std::memory_order_seq_cst);  // with the ticket of run()
    service_.bell.changed();
    wait_for_answer(service_, place_);
    place_.phase.value().store(static_cast<std::uint32_t>(call_phase::idle),
                               std::memory_order_relaxed);  // relaxed: the next to look holds the lock
    auto in = place_.text.contents();
    if (place_.failed) rethrow(decode_from<shipped_exception>(in));
    return decode_from<R>(in);
  }

 private:
  friend class service_server;

  static void set_phase(call_place& place, call_phase phase) noexcept {
    place.phase.value().store(static_cast<std::uint32_t>(phase), std::memory_order_seq_cst);  // release, with the other
    place.phase.changed();                                                                    // side; for changed()
  }

  /// Acquire, with set_phase(): what the other side wrote before it.
  static call_phase phase_of(call_place& place) noexcept {
    return static_cast<call_phase>(place.phase.value().load(std::memory_order_acquire));
  }

  static call_place& take_place(service_state& service) {
    if (service.gone.load(std::memory_order_relaxed) != 0) raise<manager_gone>();  // relaxed: it will not come back
    // A thread begins where it stood last, so that callers seldom meet.
    thread_local std::size_t last = static_cast<std::size_t>(ticks() >> 4);
    for (std::size_t i = 0; i != service_state::places; ++i) {
      auto& place = service.place[(last + i) % service_state::places];
      auto const got = place.taken.try_lock();
      if (got == lock_state::busy) continue;
      last += i;
      return put_in_order(service, place, got);
    }
    auto& place = service.place[last % service_state::places];
    return put_in_order(service, place, place.taken.lock());
  }

  /// The last who stood here may have died at any line.
  static call_place& put_in_order(service_state& service, call_place& place, lock_state got) {
    if (got == lock_state::held) return place;
    struct on_error {
      call_place* place;
      ~on_error() {
        if (place != nullptr) place->taken.unlock();
      }
    } guard{&place};
    if (phase_of(place) == call_phase::asked) {
      service.bell.value().fetch_add(1, std::memory_order_seq_cst);  // it may have died before it did this
      service.bell.changed();
      wait_for_answer(service, place);
    }
    place.phase.value().store(static_cast<std::uint32_t>(call_phase::idle), std::memory_order_relaxed);  // as above
    place.text.clear();
    guard.place = nullptr;
    return place;
  }

  static void wait_for_answer(service_state& service, call_place& place) {
    if (auto const patience = service_spin_ticks(); patience != 0)
      for (auto const until = ticks() + patience; ticks() < until; cpu_pause())
        if (phase_of(place) == call_phase::answered) return;
    while (phase_of(place) != call_phase::answered) {
      place.phase.sleep(static_cast<std::uint32_t>(call_phase::asked), std::chrono::milliseconds(5));
      if (phase_of(place) != call_phase::answered && server_died(service)) raise<manager_gone>();
    }
  }

  static bool server_died(service_state& service) {
    if (service.gone.load(std::memory_order_relaxed) != 0) return true;    // relaxed: it will not come back
    if (service.begun.load(std::memory_order_acquire) == 0) return false;  // with the server: it holds its lock
    if (service.life.try_lock() == lock_state::busy) return false;
    service.gone.store(1, std::memory_order_relaxed);  // relaxed: whoever sees it later asks the lock, as this one
    service.life.unlock();
    return true;
  }

  [[noreturn]] static void rethrow(shipped_exception const& e) {
#if TARTAN_EXCEPTIONS
    if (auto const p = remake_exception(e)) std::rethrow_exception(p);
#endif
    raise<remote_error>(e.type, e.what);
  }

  blocking_scope const blocking_;  // before anything is asked: it may throw
  service_state& service_;
  call_place& place_;
};

// ---- the server's side
// ------------------------------------------------------------------------------------------------

/// Where a served call puts its result.
class service_answer {
 public:
  explicit service_answer(call_place& place) noexcept : place_(place) {}

  /// What the codec throws goes to the caller as the answer.
  template <class R>
  void value(R const& result, bool is_exception = false) {
    auto const size = encoded_size(result);
    frame_writer out(place_.text.make_room(size), size);
    encode_to(out, result);
    place_.failed = is_exception;
  }

 private:
  call_place& place_;
};

/// Answers calls until the service is closed. Objects is what the trampolines work on.
class service_server {
 public:
  template <class Objects>
  using trampoline = void (*)(Objects& objects, std::uint64_t object, frame_reader& call, service_answer& answer);

  explicit service_server(service_state& service) : service_(service) {
    static_cast<void>(service_.life.lock());
    service_.begun.store(1, std::memory_order_release);  // with server_died() and the maker: the lock is held
  }
  service_server(service_server const&) = delete;
  service_server& operator=(service_server const&) = delete;
  ~service_server() { service_.life.unlock(); }

  template <class Objects>
  void run(Objects& objects) {
    auto const patience = service_spin_ticks();
    auto since = ticks();
    for (;;) {
      auto const ticket = service_.bell.value().load(std::memory_order_seq_cst);  // with ask() and with the closer
      bool any = false;
      for (call_place& place : service_.place) {
        if (service_call::phase_of(place) != call_phase::asked) continue;
        answer(objects, place);
        any = true;
      }
      if (service_.closed.load(std::memory_order_acquire) != 0) return;  // with the closer's release
      if (any)
        since = ticks();
      else if (ticks() - since < patience)
        cpu_pause();
      else
        service_.bell.sleep(ticket);
    }
  }

 private:
  template <class Objects>
  static void answer(Objects& objects, call_place& place) {
    service_answer out(place);
#if TARTAN_EXCEPTIONS
    try {
      perform(objects, place, out);
    } catch (...) {
      refuse(out);
    }
#else
    perform(objects, place, out);
#endif
    service_call::set_phase(place, call_phase::answered);
  }

  template <class Objects>
  static void perform(Objects& objects, call_place& place, service_answer& out) {
    auto in = place.text.contents();
    auto const header = in.raw<call_header>();
    std::string module(reinterpret_cast<char const*>(in.take(header.module_size)), header.module_size);
    auto* const code = resolve_code({std::move(module), header.code});
    reinterpret_cast<trampoline<Objects>>(code)(objects, header.object, in, out);
  }

#if TARTAN_EXCEPTIONS
  /// With as much of the exception as there is memory for.
  static void refuse(service_answer& out) {
    auto e = describe_current_exception();
    try {
      out.value(shortened(e, 8 << 10), true);
    } catch (out_of_shared_memory const&) {
      out.value(shortened(e, parcel::few / 4), true);
    }
  }

  static shipped_exception& shortened(shipped_exception& e, std::size_t longest) {
    if (e.what.size() > longest) e.what.resize(longest);
    if (e.type.size() > longest) e.type.resize(longest);
    return e;
  }
#endif

  service_state& service_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
