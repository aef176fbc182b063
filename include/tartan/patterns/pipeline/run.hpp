#pragma once
// One call of pipeline(), and what each of its workers does.

#include <algorithm>    // max, min
#include <array>        // array
#include <atomic>       // atomic, memory_order_*
#include <chrono>       // nanoseconds
#include <climits>      // INT_MAX
#include <cstddef>      // byte, size_t
#include <cstdint>      // uint32_t, uint64_t
#include <functional>   // invoke
#include <memory>       // addressof, destroy_at
#include <mutex>        // lock_guard
#include <new>          // launder
#include <tuple>        // get, tuple, tuple_element_t
#include <type_traits>  // decay_t, invoke_result_t, is_void_v
#include <utility>      // forward, index_sequence, make_index_sequence, move

#include "tartan/core/atomics.hpp"              // cpu_pause, real_atomics
#include "tartan/core/await.hpp"                // outer_blocking
#include "tartan/core/errors.hpp"               // cancelled, raise
#include "tartan/core/padded.hpp"               // line_pair
#include "tartan/core/range.hpp"                // first_error
#include "tartan/core/ticks.hpp"                // ticks, ticks_per_us
#include "tartan/core/worker.hpp"               // current_worker, worker
#include "tartan/exec/properties.hpp"           // properties
#include "tartan/patterns/pipeline/gate.hpp"    // batch_queue, stage_gate, token_batch
#include "tartan/patterns/pipeline/ring.hpp"    // ring_shape, token_ring
#include "tartan/patterns/pipeline/stages.hpp"  // argument_of, as_argument, stage_kind
#include "tartan/patterns/pipeline/watch.hpp"   // source_watch

namespace tartan::inline TARTAN_ABI::detail {

/// The type of the tokens before stage J, and void behind a last stage that returns nothing.
template <std::size_t J, class Token, class... Stages>
struct token_before;
template <class Token, class... Stages>
struct token_before<0, Token, Stages...> {
  using type = Token;
};
template <std::size_t J, class Token, class Stage, class... Stages>
  requires(J != 0)
struct token_before<J, Token, Stage, Stages...> {
  using result = std::invoke_result_t<decltype(Stage::f)&, argument_of<Token>>;
  using type = typename token_before<J - 1, std::decay_t<result>, Stages...>::type;
};

/// Runs the stages over batches of tokens. Each worker calls attend(), which returns when every token has come through.
///
/// [P1] The source is a try-lock, `source_taken_`: who has it makes tokens in the ring, cuts them into a batch and lets
///      go. The ring bounds what is under way.
/// [P2] A batch belongs to one worker at a time. It changes hands in a gate (under the gate's mutex), in the list of
///      the ready (under that mutex), or by `in_use` (release by who finishes it, acquire by the ring).
/// [P3] No worker waits for a gate: a batch that must not go in stays there, and whoever leaves the gate takes care of
///      the one that is next. A worker without a batch takes a ready one, else goes to the source, else sleeps.
/// [P4] It sleeps only after it has counted itself in `sleepers_` and looked again; whoever makes something available
///      looks at `sleepers_` behind a fence and rings. The fence is a read-modify-write of its own.
/// [P6] `rung_`: one of those who slept is on its way, so nobody need ring for another one yet. It is lowered behind
///      the look at the bell and before the look at what there is, by who lies down and by who gets up: if it was
///      raised after that, the bell has changed and somebody gets up. Who gets up rings for the next one when it has
///      found something.
/// [P5] Tokens at and behind the lowest one that failed are destroyed before the next stage. Those before it go on, for
///      they may fail too; a serial stage sees batches in order, so it sees none behind a token that has failed.
template <class Source, class... Stages>
class pipeline_run {
  static constexpr std::size_t stages = sizeof...(Stages);
  template <std::size_t J>
  using token_at = typename token_before<J, typename Source::token, Stages...>::type;
  using stage_tuple = std::tuple<Stages...>;

  template <class Sequence>
  struct room;
  template <std::size_t... J>
  struct room<std::index_sequence<J...>> {
    static constexpr std::size_t align = (std::max)({alignof(token_at<J>)...});
    static constexpr std::size_t size = ((std::max)({sizeof(token_at<J>)...}) + align - 1) / align * align;
  };
  using token_room = room<std::make_index_sequence<stages>>;

 public:
  pipeline_run(Source& source, stage_tuple& its_stages, properties const& props, std::size_t width)
      : source_(source),
        stages_(its_stages),
        props_(props),
        fixed_batch_(props.grain != 0),
        ring_(shape(props, width)),
        enough_((std::max)(width, ring_.batches() / 2)) {
    prepare_gates(std::make_index_sequence<stages>());
    batch_.store(fixed_batch_ ? ring_.capacity() : 1, std::memory_order_relaxed);  // not shared yet
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
      token_batch* b = take_ready();
      if (b == nullptr) b = fetch();
      if (b == nullptr) b = take_over(slow);
      if (b != nullptr) {
        if (woken) announce();  // [P6]
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
      skipped_.store(true, std::memory_order_relaxed);  // relaxed: read after the join
      exhausted_.store(true, std::memory_order_release);
    } else if (std::size_t const places = exhausted() ? 0 : ring_.room(); places != 0) {
      filled = fill(places);
    }
    source_taken_.store(false, std::memory_order_release);  // [P1]
    announce();
    return filled;
  }

  /// A turn at the source. Null when nothing came, or others have taken over what did.
  token_batch* fill(std::size_t places) {
    std::uint64_t const began = now();
    std::size_t const wanted = (std::min)(batch_.load(std::memory_order_relaxed), places);  // relaxed: a wish
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
      b->spent = now() - began;
      under_way_.fetch_add(1, std::memory_order_relaxed);  // relaxed: exhausted_ comes behind it
    }
    if (over) exhausted_.store(true, std::memory_order_release);  // with exhausted()
    return b;
  }

  /// False when the source has no more.
  bool make_tokens(std::size_t wanted) {
    using token = token_at<0>;
    if constexpr (Source::may_wait)
      if (wanted != 1 && !watch_.begin() && !fixed_batch_) wanted = 1;
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
        if (!watch_.more() && !fixed_batch_) return true;
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
        shorten();
      }
      token_batch* const b = ring_.cut_for_another();
      if (b != nullptr) under_way_.fetch_add(1, std::memory_order_relaxed);  // relaxed: ends after it, by this worker
      return b;
    }
    return nullptr;
  }

  // ---- stages ---------------------------------------------------------------------------------------------------

  static std::byte* place(token_batch& b, std::size_t i) noexcept { return b.tokens + i * token_room::size; }
  template <std::size_t J>
  static token_at<J>& token(token_batch& b, std::size_t i) noexcept {
    return *std::launder(reinterpret_cast<token_at<J>*>(place(b, i)));
  }

  /// Takes a batch as far as it goes; returns another one that this worker can go on with, or null.
  [[nodiscard]] token_batch* advance(token_batch* b) {
    while (b->stage != stages) {
      stage_gate& gate = gates_[b->stage];
      if (gate.guarded() && !b->admitted && !gate.enter(b)) return nullptr;  // [P3]
      b->admitted = false;
      std::uint64_t const began = now();
      run_stage(*b, std::make_index_sequence<stages>());
      b->spent += now() - began;
      ++b->stage;
      if (!gate.guarded()) continue;
      token_batch* const next = gate.leave();
      if (next == nullptr) continue;
      next->admitted = true;
      if (b->stage != stages) {
        make_ready(next);  // this worker keeps the tokens that it has just touched
      } else {
        finish(b);
        return next;
      }
    }
    finish(b);
    return nullptr;
  }

  template <std::size_t... J>
  void run_stage(token_batch& b, std::index_sequence<J...>) {
    static_cast<void>(((b.stage == J && (run_stage<J>(b), true)) || ...));
  }

  template <std::size_t J>
  void run_stage(token_batch& b) {
    while (b.count != 0 && error_.skips(b.first + b.count - 1)) {  // [P5]
      --b.count;
      std::destroy_at(std::addressof(token<J>(b, b.count)));
    }
    std::size_t i = 0;
    bool emptied = false;
#if TARTAN_EXCEPTIONS
    try {
      for (; i != b.count; ++i) run_token<J>(b, i, emptied);
    } catch (...) {
      fail(b.first + i);
      for (std::size_t k = emptied ? i + 1 : i; k != b.count; ++k) std::destroy_at(std::addressof(token<J>(b, k)));
      b.count = i;
    }
#else
    for (; i != b.count; ++i) run_token<J>(b, i, emptied);
#endif
  }

  /// Leaves `emptied` set if it throws when the place of the token holds none.
  template <std::size_t J>
  void run_token(token_batch& b, std::size_t i, bool& emptied) {
    auto& f = std::get<J>(stages_).f;
    token_at<J>& t = token<J>(b, i);
    if constexpr (J + 1 == stages) {
      static_cast<void>(std::invoke(f, as_argument(t)));
      std::destroy_at(std::addressof(t));
    } else {
      token_at<J + 1> made = std::invoke(f, as_argument(t));
      std::destroy_at(std::addressof(t));
      emptied = true;
      ::new (static_cast<void*>(place(b, i))) token_at<J + 1>(std::move(made));
      emptied = false;
    }
  }

#if TARTAN_EXCEPTIONS
  void fail(std::size_t token_number) noexcept {
    error_.record(token_number);
    exhausted_.store(true, std::memory_order_release);  // with exhausted()
  }
#endif

  void finish(token_batch* b) {
    if (b->count != 0) props_.progress.finished(b->count);  // others have failed
    adapt(*b);
    b->in_use.store(false, std::memory_order_release);   // [P2]
    under_way_.fetch_sub(1, std::memory_order_acq_rel);  // with finished()
    announce();
  }

  /// A batch shall cost some tens of microseconds: then handing it on costs little, and no token waits long for
  /// another.
  void adapt(token_batch const& b) noexcept {
    if (fixed_batch_ || ring_.capacity() == 1) return;
    std::size_t const length = batch_.load(std::memory_order_relaxed);  // relaxed: a wish, as all here
    if (b.filled != length) return;
    if (b.spent < 16 * ticks_per_us() && length != ring_.capacity())
      batch_.store((std::min)(2 * length, ring_.capacity()), std::memory_order_relaxed);
    else if (b.spent > 64 * ticks_per_us())
      shorten();
  }
  void shorten() noexcept {
    std::size_t const length = batch_.load(std::memory_order_relaxed);  // relaxed: a wish
    if (!fixed_batch_ && length != 1) batch_.store(length / 2, std::memory_order_relaxed);
  }

  /// Costs nothing where adapt() has no choice.
  [[nodiscard]] std::uint64_t now() const noexcept { return ring_.capacity() == 1 ? 0 : ticks(); }

  // ---- workers --------------------------------------------------------------------------------------------------

  void make_ready(token_batch* b) {
    {
      std::lock_guard const hold(ready_mutex_);
      ready_.push(b);
      ready_count_.fetch_add(1, std::memory_order_relaxed);  // relaxed: changed under the mutex, else a hint
    }
    announce();
  }

  [[nodiscard]] token_batch* take_ready() {
    if (ready_count_.load(std::memory_order_relaxed) == 0) return nullptr;  // relaxed: a hint
    std::lock_guard const hold(ready_mutex_);
    token_batch* const b = ready_.pop();
    if (b != nullptr) ready_count_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: under the mutex
    return b;
  }

  [[nodiscard]] bool something_to_do() const noexcept {
    return finished() || ready_count_.load(std::memory_order_relaxed) != 0 || source_is_free();  // relaxed: a hint
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
    real_atomics::full_fence();                                       // [P4]
    if (sleepers_.load(std::memory_order_relaxed) != 0) [[unlikely]]  // relaxed: behind the fence
      ring();
  }

  TARTAN_COLD void ring() noexcept {
    bool const over = finished();
    if (!over) {
      if (rung_.load(std::memory_order_relaxed)) return;  // [P6]; relaxed: behind the fence, as the next one
      if (ready_count_.load(std::memory_order_relaxed) == 0 && !room_for_another()) return;
      rung_.store(true, std::memory_order_relaxed);  // [P6]; relaxed: before the next line
    }
    bell_.fetch_add(1, std::memory_order_release);  // with sleep()
    real_atomics::wake(bell_, over ? INT_MAX : 1);
  }

  /// If it takes long, another thread may work in this pool meanwhile. False after a nap that nobody has ended: the
  /// first few times, and as long as somebody must watch the source.
  TARTAN_COLD bool sleep(unsigned naps) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    std::uint32_t const bell = bell_.load(std::memory_order_acquire);  // with ring()
    bool rung = true;
    answer();
    if (!something_to_do()) {
      outer_blocking const counted(current_worker());
      if (must_watch(naps)) {
        constexpr std::chrono::nanoseconds nap{250'000};
        real_atomics::wait(bell_, bell, nap);
        rung = bell_.load(std::memory_order_relaxed) != bell;  // relaxed: a hint
      } else {
        sleep_long(bell);
        if constexpr (Source::may_wait) watch_.come();
      }
    }
    sleepers_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: only costs a ring for nothing
    answer();
    return rung;
  }

  /// This worker looks at everything now.
  void answer() noexcept {
    rung_.store(false, std::memory_order_relaxed);  // [P6]; relaxed: before the fence
    real_atomics::full_fence();                     // [P4]
  }

  void sleep_long(std::uint32_t bell) {
    constexpr std::chrono::nanoseconds not_long{1'000'000};
    worker* const w = current_worker();
    real_atomics::wait(bell_, bell, not_long);
    if (something_to_do() || bell_.load(std::memory_order_relaxed) != bell) return;  // relaxed: a hint
    bool const blocks = w != nullptr && w->home.begin_blocking();
    real_atomics::wait(bell_, bell);
    if (blocks) w->home.end_blocking();
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
  bool const fixed_batch_;  // the user has said how long one is
  token_ring ring_;
  std::size_t const enough_;  // batches under way that keep all workers busy
  source_watch<real_atomics> watch_{Source::may_wait && real_atomics::asymmetric_available()};
  std::array<stage_gate, stages> gates_;
  first_error error_;
  std::atomic<bool> skipped_{false};

  alignas(line_pair) std::atomic<bool> source_taken_{false};  // [P1]
  std::atomic<bool> exhausted_{false};
  std::atomic<std::size_t> batch_{1};  // tokens that shall go together

  alignas(line_pair) std::atomic<std::size_t> under_way_{0};  // batches
  std::atomic<unsigned> sleepers_{0};                         // [P4]
  std::atomic<std::uint32_t> bell_{0};
  std::atomic<bool> rung_{false};  // [P6]
  std::atomic<std::size_t> ready_count_{0};
  short_mutex ready_mutex_;
  batch_queue ready_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
