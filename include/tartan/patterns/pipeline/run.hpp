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
#include <memory>       // addressof, destroy_at, make_unique, unique_ptr
#include <mutex>        // lock_guard
#include <new>          // align_val_t, launder
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
#include "tartan/patterns/pipeline/stages.hpp"  // argument_of, as_argument, stage_kind

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
/// [P1] The source is a try-lock, `source_taken_`: who has it fills a batch, gives it the next number and lets go.
/// Batch
///      n lies in slot n % slots, which must have been left by batch n - slots: that bounds what is under way.
/// [P2] A batch belongs to one worker at a time. It changes hands in a gate (under the gate's mutex), in the list of
/// the
///      ready (under that mutex), or by `in_use` (release by who finishes it, acquire by the source).
/// [P3] No worker waits for a gate: a batch that must not go in stays there, and whoever leaves the gate takes care of
///      the one that is next. A worker without a batch takes a ready one, else goes to the source, else sleeps.
/// [P4] It sleeps only after it has counted itself in `sleepers_` and looked again; whoever makes something available
///      looks at `sleepers_` behind a fence and rings. The fence is a read-modify-write of its own.
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
  /// `batch` tokens at most go together; 0: as many as are cheap. A source that may wait gives one at a time by itself.
  pipeline_run(Source& source, stage_tuple& its_stages, properties const& props, std::size_t width)
      : source_(source), stages_(its_stages), props_(props), fixed_batch_(props.grain) {
    // Many batches rather than long ones: when a thread loses its core in the middle of one, the others have room to go
    // on until it is back.
    std::size_t const most = Source::may_wait && props.grain == 0 ? 1 : 64;
    std::size_t const in_flight = props.in_flight != 0 ? props.in_flight : (most == 1 ? 32 : 16 * most) * width;
    std::size_t const by_share = (std::max)(in_flight / (8 * width), std::size_t{1});
    std::size_t const by_size = (std::max)(std::size_t{65536} / token_room::size, std::size_t{1});
    capacity_ = props.grain != 0 ? (std::min)(props.grain, in_flight) : (std::min)({most, by_share, by_size});
    slots_ = in_flight / capacity_;
    enough_ = (std::max)(width, slots_ / 2);
    batches_ = std::make_unique<token_batch[]>(slots_);
    tokens_ = static_cast<std::byte*>(
        ::operator new(slots_ * capacity_ * token_room::size, std::align_val_t{token_room::align}));
    for (std::size_t i = 0; i != slots_; ++i) batches_[i].tokens = tokens_ + i * capacity_ * token_room::size;
    prepare_gates(std::make_index_sequence<stages>());
    batch_.store((std::min)(fixed_batch_ != 0 ? fixed_batch_ : 1, capacity_),
                 std::memory_order_relaxed);  // not shared yet
  }
  pipeline_run(pipeline_run const&) = delete;
  pipeline_run& operator=(pipeline_run const&) = delete;
  ~pipeline_run() { ::operator delete(tokens_, std::align_val_t{token_room::align}); }

  /// One worker. Any number of calls, at any time, in any order.
  void attend() {
    std::uint64_t since = 0;
    while (!finished()) {
      token_batch* b = take_ready();
      if (b == nullptr) b = fetch();
      if (b != nullptr) {
        since = 0;
        while (b != nullptr) b = advance(b);
      } else if (since == 0) {
        since = ticks();
      } else if (ticks() - since < patience()) {
        for (int i = 0; i != 8; ++i) cpu_pause();  // the others need the lines that this one looks at
      } else {
        sleep();
        since = 0;
      }
    }
  }

  /// After the last attend().
  void conclude() {
    error_.rethrow();
    if (skipped_.load(std::memory_order_relaxed)) raise<cancelled>();  // relaxed: after the join
  }

 private:
  template <std::size_t... J>
  void prepare_gates(std::index_sequence<J...>) {
    (prepare_gate<J>(), ...);
  }
  template <std::size_t J>
  void prepare_gate() {
    auto const& stage = std::get<J>(stages_);
    constexpr stage_kind kind = std::tuple_element_t<J, stage_tuple>::kind;
    if (kind == stage_kind::serial || kind == stage_kind::fold)
      gates_[J].keep_order(slots_ + 1);
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
    std::size_t const number = next_number_.load(std::memory_order_relaxed);         // relaxed: likewise
    return !batches_[number % slots_].in_use.load(std::memory_order_relaxed);        // relaxed: likewise
  }

  [[nodiscard]] token_batch* fetch() {
    if (!source_is_free() || source_taken_.exchange(true, std::memory_order_acquire)) return nullptr;  // [P1]
    std::size_t const number = next_number_.load(std::memory_order_relaxed);  // relaxed: ours now
    token_batch& b = batches_[number % slots_];
    token_batch* filled = nullptr;
    if (!exhausted() && !b.in_use.load(std::memory_order_acquire)) {  // [P2]
      if (props_.stop.requested()) {
        skipped_.store(true, std::memory_order_relaxed);  // relaxed: read after the join
        exhausted_.store(true, std::memory_order_release);
      } else {
        filled = fill(b, number);
      }
    }
    source_taken_.store(false, std::memory_order_release);  // [P1]
    announce();
    return filled;
  }

  token_batch* fill(token_batch& b, std::size_t number) {
    b.number = number;
    b.first = next_token_;
    b.count = 0;
    b.stage = 0;
    b.admitted = false;
    std::uint64_t const began = now();
    std::size_t const wanted = batch_.load(std::memory_order_relaxed);  // relaxed: a wish
    bool over = error_.skips(next_token_);
#if TARTAN_EXCEPTIONS
    try {
      over = over || !fill_with(b, wanted);
    } catch (...) {
      over = true;
      fail(b.first + b.count);
    }
#else
    over = over || !fill_with(b, wanted);
#endif
    next_token_ += b.count;
    b.filled = b.count;
    b.spent = now() - began;
    if (b.count != 0) {
      b.in_use.store(true, std::memory_order_relaxed);            // relaxed: read by who has the source
      next_number_.store(number + 1, std::memory_order_relaxed);  // relaxed: likewise
      under_way_.fetch_add(1, std::memory_order_relaxed);         // relaxed: exhausted_ comes behind it
    }
    if (over) exhausted_.store(true, std::memory_order_release);  // with exhausted()
    return b.count != 0 ? &b : nullptr;
  }

  /// False when the source has no more.
  bool fill_with(token_batch& b, std::size_t wanted) {
    using token = token_at<0>;
    while (b.count != wanted) {
      bool const more = source_.next([&](auto&& make) {
        ::new (static_cast<void*>(place(b, b.count))) token(make());
        ++b.count;
      });
      if (!more) return false;
    }
    return true;
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
    props_.progress.finished(b->count);
    adapt(*b);
    b->in_use.store(false, std::memory_order_release);   // [P2]
    under_way_.fetch_sub(1, std::memory_order_acq_rel);  // with finished()
    announce();
  }

  /// A batch shall cost some tens of microseconds: then handing it on costs little, and no token waits long for
  /// another.
  void adapt(token_batch const& b) noexcept {
    if (fixed_batch_ != 0 || capacity_ == 1) return;
    std::size_t const length = batch_.load(std::memory_order_relaxed);  // relaxed: a wish, as all here
    if (b.filled != length) return;
    if (b.spent < 16 * ticks_per_us() && length != capacity_)
      batch_.store((std::min)(2 * length, capacity_), std::memory_order_relaxed);
    else if (b.spent > 64 * ticks_per_us() && length != 1)
      batch_.store(length / 2, std::memory_order_relaxed);
  }

  /// Costs nothing where adapt() has no choice.
  [[nodiscard]] std::uint64_t now() const noexcept { return capacity_ == 1 ? 0 : ticks(); }

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
    real_atomics::full_fence();                                         // [P4]
    if (sleepers_.load(std::memory_order_relaxed) != 0) [[unlikely]] {  // relaxed: behind the fence
      if (ready_count_.load(std::memory_order_relaxed) == 0 && !room_for_another() && !finished())
        return;                                       // relaxed: ditto
      bell_.fetch_add(1, std::memory_order_release);  // with sleep()
      real_atomics::wake(bell_, finished() ? INT_MAX : 1);
    }
  }

  /// If it takes long, another thread may work in this pool meanwhile.
  TARTAN_COLD void sleep() {
    constexpr std::chrono::nanoseconds not_long{1'000'000};
    worker* const w = current_worker();
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    real_atomics::full_fence();                                        // [P4]
    std::uint32_t const bell = bell_.load(std::memory_order_acquire);  // with announce()
    if (!something_to_do()) {
      outer_blocking const counted(w);
      real_atomics::wait(bell_, bell, not_long);
      if (!something_to_do() && bell_.load(std::memory_order_relaxed) == bell) {  // relaxed: a hint
        bool const blocks = w != nullptr && w->home.begin_blocking();
        real_atomics::wait(bell_, bell);
        if (blocks) w->home.end_blocking();
      }
    }
    sleepers_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: only costs a ring for nothing
  }

  Source& source_;
  stage_tuple& stages_;
  properties const& props_;
  std::size_t const fixed_batch_;
  std::size_t capacity_, slots_;  // tokens of a batch at most, batches at most
  std::size_t enough_;            // batches under way that keep all workers busy
  std::unique_ptr<token_batch[]> batches_;
  std::byte* tokens_ = nullptr;
  std::array<stage_gate, stages> gates_;
  first_error error_;
  std::atomic<bool> skipped_{false};

  alignas(line_pair) std::atomic<bool> source_taken_{false};  // [P1]
  std::atomic<bool> exhausted_{false};
  std::atomic<std::size_t> next_number_{0};  // of the next batch; written by who has the source
  std::size_t next_token_ = 0;               // only who has the source
  std::atomic<std::size_t> batch_{1};        // tokens that shall go together

  alignas(line_pair) std::atomic<std::size_t> under_way_{0};  // batches
  std::atomic<unsigned> sleepers_{0};                         // [P4]
  std::atomic<std::uint32_t> bell_{0};
  std::atomic<std::size_t> ready_count_{0};
  short_mutex ready_mutex_;
  batch_queue ready_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
