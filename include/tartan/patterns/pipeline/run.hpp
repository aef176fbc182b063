#pragma once
// One call of pipeline(), and what each of its workers does.

#include <algorithm>  // max, min
#include <array>      // array
#include <atomic>     // atomic, memory_order_*
#include <chrono>     // nanoseconds
#include <cstddef>    // byte, size_t
#include <cstdint>    // uint32_t, uint64_t
#include <tuple>      // get, tuple, tuple_element_t
#include <utility>    // index_sequence, index_sequence_for

#include "tartan/core/atomics.hpp"                    // cpu_pause, real_atomics
#include "tartan/core/errors.hpp"                     // cancelled, raise
#include "tartan/core/padded.hpp"                     // line_pair
#include "tartan/core/range.hpp"                      // first_error
#include "tartan/core/ticks.hpp"                      // ticks, ticks_per_us
#include "tartan/core/worker.hpp"                     // current_worker, worker
#include "tartan/exec/properties.hpp"                 // properties
#include "tartan/patterns/pipeline/batch_length.hpp"  // batch_length
#include "tartan/patterns/pipeline/gate.hpp"          // stage_gate, token_batch
#include "tartan/patterns/pipeline/ready_list.hpp"    // ready_list
#include "tartan/patterns/pipeline/rest.hpp"          // worker_rest
#include "tartan/patterns/pipeline/ring.hpp"          // ring_shape, token_ring
#include "tartan/patterns/pipeline/stages.hpp"        // stage_kind
#include "tartan/patterns/pipeline/watch.hpp"         // source_watch
#include "tartan/patterns/pipeline/work.hpp"          // stage_work

namespace tartan::inline TARTAN_ABI::detail {

/// Runs the stages over batches of tokens. Each worker calls attend(), which returns when every token has come through.
///
/// [P1] The source is a try-lock, `source_taken_`: who has it makes tokens in the ring, cuts them into a batch and lets
///      go. The ring bounds what is under way.
/// [P2] A batch belongs to one worker at a time. It changes hands in a gate (under the gate's mutex), in the list of
///      the ready (under that mutex), or by `in_use` (release by who finishes it, acquire by the ring).
/// [P3] No worker waits for a gate: a batch that must not go in stays there, and whoever leaves the gate takes care of
///      the one that is next. A worker without a batch takes a ready one, else goes to the source, else sleeps.
/// [P4] It sleeps by worker_rest; whoever makes something available announces it there.
template <class Source, class... Stages>
class pipeline_run {
  static constexpr std::size_t stages = sizeof...(Stages);
  using work = stage_work<typename Source::token, Stages...>;
  using token_room = typename work::token_room;
  using stage_tuple = std::tuple<Stages...>;

 public:
  pipeline_run(Source& source, stage_tuple& its_stages, properties const& props, std::size_t width)
      : source_(source),
        stages_(its_stages),
        props_(props),
        ring_(shape(props, width)),
        enough_((std::max)(width, ring_.batches() / 2)),
        length_(props.grain != 0, ring_.capacity()) {
    prepare_gates(std::index_sequence_for<Stages...>());
  }
  pipeline_run(pipeline_run const&) = delete;
  pipeline_run& operator=(pipeline_run const&) = delete;

  /// One worker. Any number of calls, at any time, in any order.
  void attend() {
    watch_.come();
    slow_source slow;
    std::uint64_t since = 0;
    bool woken = false;
    unsigned naps = 0;  // in a row
    while (!finished()) {
      token_batch* b = ready_.take();
      if (b == nullptr) b = fetch();
      if (b == nullptr) b = take_over(slow);
      if (b != nullptr) {
        if (woken) announce();  // there may be more for the next one
        woken = false;
        since = 0, naps = 0;
        while (b != nullptr) b = advance(b);
      } else if (since == 0) {
        since = ticks();
      } else if (ticks() - since < patience()) {
        for (int i = 0; i != 8; ++i) cpu_pause();  // the others need the lines that this one looks at
      } else {
        woken = true;
        if (sleep(naps))
          since = 0, naps = 0;
        else
          ++naps;
      }
    }
    watch_.go();
  }

  /// After the last attend().
  void conclude() {
    error_.rethrow();
    if (skipped_.load(std::memory_order_relaxed)) raise<cancelled>();  // relaxed: after the join
  }

 private:
  /// Many batches rather than long ones: when a thread loses its core in the middle of one, the others have room to go
  /// on until it is back. Tokens are dear if the user lets few of them in, or may be large.
  static ring_shape shape(properties const& props, std::size_t width) {
    constexpr std::size_t most = 64;  // tokens of a batch
    std::size_t const in_flight = props.in_flight != 0 ? props.in_flight : 16 * most * width;
    std::size_t const by_share = (std::max)(in_flight / (8 * width), std::size_t{1});
    std::size_t const by_size = (std::max)(std::size_t{65536} / token_room::size, std::size_t{1});
    std::size_t const capacity =
        props.grain != 0 ? (std::min)(props.grain, in_flight) : (std::min)({most, by_share, by_size});
    std::size_t const all = in_flight / capacity;
    bool const chosen = props.in_flight != 0 || props.grain != 0;
    return {chosen ? all : (std::min)(all, 32 * width), capacity, token_room::size, token_room::align};
  }

  template <std::size_t... J>
  void prepare_gates(std::index_sequence<J...>) {
    (prepare_gate<J>(), ...);
  }
  template <std::size_t J>
  void prepare_gate() {
    auto const& stage = std::get<J>(stages_);
    constexpr stage_kind kind = std::tuple_element_t<J, stage_tuple>::kind;
    if (kind == stage_kind::serial || kind == stage_kind::fold)
      gates_[J].keep_order(ring_.batches() + 1);
    else if (stage.limit != 0)
      gates_[J].keep_limit(stage.limit);
  }

  // ---- source ---------------------------------------------------------------------------------------------------

  [[nodiscard]] bool exhausted() const noexcept { return exhausted_.load(std::memory_order_acquire); }  // with fetch()

  [[nodiscard]] bool finished() const noexcept {
    return exhausted() && under_way_.load(std::memory_order_acquire) == 0;  // with finish()
  }

  /// A look: whether fetch() might give something.
  [[nodiscard]] bool source_is_free() const noexcept {
    if (exhausted() || source_taken_.load(std::memory_order_relaxed)) return false;  // relaxed: fetch() decides
    return ring_.may_have_room();
  }

  [[nodiscard]] token_batch* fetch() {
    if (!source_is_free() || source_taken_.exchange(true, std::memory_order_acquire)) return nullptr;  // [P1]
    token_batch* filled = nullptr;
    if (!exhausted() && props_.stop.requested()) {
      skipped_.store(true, std::memory_order_relaxed);    // relaxed: read after the join
      exhausted_.store(true, std::memory_order_release);  // with exhausted()
    } else if (std::size_t const places = exhausted() ? 0 : ring_.room(); places != 0) {
      filled = fill(places);
    }
    source_taken_.store(false, std::memory_order_release);  // [P1]
    announce();
    return filled;
  }

  /// A turn at the source. Null when nothing came, or others have taken over what did.
  token_batch* fill(std::size_t places) {
    std::uint64_t const began = length_.now();
    std::size_t const wanted = (std::min)(length_.wanted(), places);
    bool over = error_.skips(ring_.made());
#if TARTAN_EXCEPTIONS
    try {
      over = over || !make_tokens(wanted);
    } catch (...) {
      over = true;
      fail(ring_.made());
    }
#else
    over = over || !make_tokens(wanted);
#endif
    if constexpr (Source::may_wait) watch_.end();
    token_batch* const b = ring_.cut();
    if (b != nullptr) {
      b->spent = length_.now() - began;
      under_way_.fetch_add(1, std::memory_order_relaxed);  // relaxed: exhausted_ comes behind it
    }
    if (over) exhausted_.store(true, std::memory_order_release);  // with exhausted()
    return b;
  }

  /// False when the source has no more.
  bool make_tokens(std::size_t wanted) {
    using token = typename Source::token;
    if constexpr (Source::may_wait)
      if (wanted != 1 && !watch_.begin() && !length_.fixed()) wanted = 1;
    std::byte* at = ring_.place(ring_.made());
    for (;;) {
      bool const more = source_.next([&](auto&& make) {
        ::new (static_cast<void*>(at)) token(make());
        ring_.make();
      });
      if (!more) return false;
      if (--wanted == 0) return true;
      at += token_room::size;
      if constexpr (Source::may_wait)
        if (!watch_.more() && !length_.fixed()) return true;
    }
  }

  /// What an idle worker knows of a source that keeps another one waiting.
  struct slow_source {
    std::size_t made = 0;
    std::uint64_t since = 0, looked = 0;  // ticks
  };

  /// Tokens that were made by who waits for the source; not before it has waited for a while, since a look costs it the
  /// cache line that it writes to.
  [[nodiscard]] token_batch* take_over([[maybe_unused]] slow_source& slow) {
    if constexpr (Source::may_wait) {
      if (!source_taken_.load(std::memory_order_relaxed)) return nullptr;  // relaxed: a hint
      std::uint64_t const t = ticks();
      if (t - slow.looked < 4 * ticks_per_us()) return nullptr;
      slow.looked = t;
      std::size_t const made = ring_.seen();
      if (made != slow.made) slow.since = t, slow.made = made;
      if (t - slow.since < 16 * ticks_per_us()) return nullptr;
      if (watch_.eager()) {
        watch_.stop_asking();
        length_.shorten();
      }
      token_batch* const b = ring_.cut_for_another();
      if (b != nullptr) under_way_.fetch_add(1, std::memory_order_relaxed);  // relaxed: ends after it, by this worker
      return b;
    }
    return nullptr;
  }

  // ---- stages ---------------------------------------------------------------------------------------------------

  /// Takes a batch as far as it goes; returns another one that this worker can go on with, or null.
  [[nodiscard]] token_batch* advance(token_batch* b) {
    while (b->stage != stages) {
      stage_gate& gate = gates_[b->stage];
      if (gate.guarded() && !b->admitted && !gate.enter(b)) return nullptr;  // [P3]
      b->admitted = false;
      std::uint64_t const began = length_.now();
      work_.run(*b, [this](std::size_t token) { fail(token); });
      b->spent += length_.now() - began;
      ++b->stage;
      if (!gate.guarded()) continue;
      token_batch* const next = gate.leave();
      if (next == nullptr) continue;
      next->admitted = true;
      if (b->stage != stages) {
        ready_.put(next);  // this worker keeps the tokens that it has just touched
        announce();
      } else {
        finish(b);
        return next;
      }
    }
    finish(b);
    return nullptr;
  }

  void fail([[maybe_unused]] std::size_t token_number) noexcept {
#if TARTAN_EXCEPTIONS
    error_.record(token_number);
    exhausted_.store(true, std::memory_order_release);  // with exhausted()
#endif
  }

  void finish(token_batch* b) {
    if (b->count != 0) props_.progress.finished(b->count);  // others have failed
    length_.adapt(*b);
    b->in_use.store(false, std::memory_order_release);   // [P2]
    under_way_.fetch_sub(1, std::memory_order_acq_rel);  // with finished()
    announce();
  }

  // ---- workers --------------------------------------------------------------------------------------------------

  [[nodiscard]] bool something_to_do() const noexcept {
    return finished() || !ready_.seems_empty() || source_is_free();
  }

  static std::uint64_t patience() noexcept {
    worker const* const w = current_worker();
    return (w != nullptr && w->home.oversubscribed() ? 2 : 20) * ticks_per_us();
  }

  /// Whether it is worth a call of the kernel to have another worker at the source: this one is awake and comes to it.
  [[nodiscard]] bool room_for_another() const noexcept {
    return under_way_.load(std::memory_order_relaxed) < enough_;  // relaxed: a hint
  }

  /// After something has become available.
  void announce() noexcept {
    if (rest_.somebody_sleeps()) [[unlikely]]
      ring();
  }

  TARTAN_COLD void ring() noexcept {
    if (finished()) return rest_.ring_for_all();
    rest_.ring_for_one([this] { return !ready_.seems_empty() || room_for_another(); });
  }

  /// False after a nap that nobody has ended: the first few times, and as long as somebody must watch the source.
  TARTAN_COLD bool sleep(unsigned naps) {
    bool rung = true;
    auto const awake = [this] { return something_to_do(); };
    rest_.lie_down(awake, [&](std::uint32_t bell) {
      if (must_watch(naps)) {
        rung = rest_.nap(bell, std::chrono::nanoseconds{250'000});
      } else {
        rest_.sleep(bell, awake);
        if constexpr (Source::may_wait) watch_.come();
      }
    });
    return rung;
  }

  /// False when this worker may sleep as long as it likes: it does not count as a watcher then.
  [[nodiscard]] bool must_watch([[maybe_unused]] unsigned naps) noexcept {
    if constexpr (Source::may_wait) {
      if (naps < 8 || !watch_.stop_watching()) return true;
      if (!ring_.uncut()) return false;
      watch_.come();
      return true;
    }
    return false;
  }

  Source& source_;
  stage_tuple& stages_;
  properties const& props_;
  token_ring ring_;
  std::size_t const enough_;  // batches under way that keep all workers busy
  source_watch<real_atomics> watch_{Source::may_wait && real_atomics::asymmetric_available()};
  std::array<stage_gate, stages> gates_;
  first_error error_;
  work work_{stages_, error_};
  std::atomic<bool> skipped_{false};

  alignas(line_pair) std::atomic<bool> source_taken_{false};  // [P1]
  std::atomic<bool> exhausted_{false};
  batch_length length_;

  alignas(line_pair) std::atomic<std::size_t> under_way_{0};  // batches
  worker_rest rest_;
  ready_list ready_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
