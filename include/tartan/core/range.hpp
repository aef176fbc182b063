#pragma once
// The split of an index range: halves are forked, and run whole when they are too short to be worth a fork.

#include <atomic>   // memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // uint64_t
#include <utility>  // exchange

#include "tartan/core/first_error.hpp"  // first_error
#include "tartan/core/fork.hpp"         // fork_two
#include "tartan/core/join.hpp"         // await_helper
#include "tartan/core/padded.hpp"       // cache_line, line_pair
#include "tartan/core/piece_size.hpp"   // piece_count, piece_size
#include "tartan/core/pool.hpp"         // pool, worker
#include "tartan/core/range_body.hpp"   // range_body
#include "tartan/core/run_control.hpp"  // run_control
#include "tartan/core/smaller.hpp"      // larger, smaller
#include "tartan/core/ticks.hpp"        // ticks, ticks_per_us
#include "tartan/core/tuning.hpp"       // enough_to_wait, search_patience_us, shared_counts_us, ...

namespace tartan::inline TARTAN_ABI::detail {

/// What all participants of one split share; lives in the frame of the caller, apart from what the caller writes while
/// others read this before each piece.
struct alignas(line_pair) range_call {
  range_body body;
  std::size_t grain;      // elements that run in one piece; 0: found out while running
  std::size_t alignment;  // cuts fall on multiples of this
  run_control& control;
  bool tries_alone;  // unless it is long, no part is handed over before some has run
  first_error error{};
};

/// How many ticks a range may take that nobody should help with: a second thread could save a quarter of half a
/// microsecond, and hears of it about as late; where hand-overs are dear, nobody is given half of twice as much.
inline std::uint64_t half_us() noexcept { return ticks_per_us() / 2; }
inline std::uint64_t short_ticks(worker const& w) noexcept {
  return larger(half_us(), static_cast<std::uint64_t>(w.home.handovers().dear_enough() / 2));
}

/// Whether that is so for a range of so many ticks. Most are so short that no line of the pool need be fetched to say
/// it.
inline bool is_short(worker const& w, std::uint64_t ticks) noexcept {
  return ticks <= half_us() || ticks <= short_ticks(w);
}

/// Whether a range that takes so many ticks is so short that it may take them only because it is shared: who is helped
/// fetches what others have written, and so does the helper.
inline bool may_be_dear_by_sharing(double ticks) noexcept {
  return ticks < static_cast<double>(shared_counts_us * ticks_per_us());
}

/// Where a piece ends that begins at `begin` and should end at `at`: somewhat before, for long ones, so that whatever
/// the elements are, the next piece begins as many bytes behind a cache line as the whole range does. Vector loads that
/// cross a line in each iteration take twice as long.
inline std::size_t on_a_line(std::size_t begin, std::size_t at) noexcept {
  return at - begin < 8 * cache_line ? at : at - at % cache_line;
}

class range_split {
 public:
  range_split(worker& w, range_call& call, std::size_t begin, std::size_t end) noexcept
      : range_split(w, call, call.body, begin, end) {}
  range_split(worker& w, range_call& call, range_body body, std::size_t begin, std::size_t end) noexcept
      : w_(w), call_(call), body_(body), begin_(begin), end_(end), size_(end - begin, call.grain) {}

  /// Returns when the range has run, here or elsewhere.
  void run() {
    run(begin_, end_);
    if (!woken_) remember_unshared();
    counted_.tell(call_.control);
  }

  /// Remembers what the range has cost; it began at `begun`, in ticks, or at 0 if that was not looked up. Short ranges
  /// that were shared for what sharing them costs would look worth it for ever, so of these only those count that ran
  /// alone. From time to time two in turn do: the first one brings the data back.
  void learn(std::uint64_t begun) const noexcept {
    std::size_t const n = end_ - begin_;
    if (begun != 0) {
      std::uint64_t const end = ticks();
      if (n <= range_body::most_at_once) body_.took(n, begun, end, short_ticks(w_));
      if (!helped_ || n <= piece_size::too_few_for_clock) {
        body_.learn(n, end - begun);
        if (tries_alone_) body_.note_trial(body_.ticks_of(n) >= w_.home.handovers().dear_enough());
        return;
      }
    }
    if (size_.clockless()) return;
    double const known = body_.ticks_of(n);
    bool const is_long = !may_be_dear_by_sharing(larger(known, static_cast<double>(size_.elapsed())));
    if (known == 0 || (helped_ && is_long)) body_.learn(size_.looked_over(), size_.elapsed());
  }

 private:
  void run(std::size_t begin, std::size_t end) {
    while (end - begin > size_.limit() && w_.tasks.has_room()) {
      std::size_t const middle = cut(begin, end, announced_ ? 0 : head_start(end - begin));
      if (middle == end) break;
      half right(call_, body_, middle, end);
      w_.tasks.push(&right);
      if (!announced_) announce(end - begin);
      if (size_.guesses() && !cuts_first_) begin = guess(begin, middle);
      if (begin != middle) run(begin, middle);
      if (!w_.tasks.take_back() && await_helper(w_, right)) return void(helped_ = true);
      begin = middle;
    }
    if (std::exchange(cuts_first_, false)) w_.home.published_at_last(w_);
    piece(begin, end);
  }

  /// Runs pieces from the front until their cost is known; one half of the range is on offer meanwhile.
  std::size_t guess(std::size_t begin, std::size_t end) {
    while (size_.guesses() && begin != end) {
      std::size_t const length = rounded_up(size_.limit());
      std::size_t const next = length >= end - begin  ? end
                               : call_.alignment == 1 ? on_a_line(begin, begin + length)
                                                      : begin + length;
      piece(begin, next);
      begin = next;
    }
    return begin;
  }

  /// One cache line, which tells whoever runs it from where to fetch the others: all at once, since each takes as long
  /// as a thousand instructions.
  struct alignas(cache_line) half : job {
    half(range_call& its_call, range_body its_body, std::size_t from, std::size_t to) noexcept
        : job(&run_it), call(its_call), body(its_body), begin(from), end(to) {}
    static void run_it(job* base, worker& w) {
      half const& self = *static_cast<half*>(base);
      __builtin_prefetch(&self.call);
      self.body.prefetch();
      range_split(w, self.call, self.body, self.begin, self.end).run();
    }
    range_call& call;
    range_body const body;
    std::size_t begin, end;
  };
  static_assert(sizeof(half) == cache_line);

  /// The first half that is pushed is the largest. One who waits gets it at once if the range is long, as far as is
  /// known of its kind, or has very many elements; one who sleeps is woken for it at once if it is known to be worth
  /// it, or if elements are few and unknown, for they may take seconds. Else those that have run will show
  /// (worth_waking()): later halves are found by those who look, and offered about once in a microsecond.
  void announce(std::size_t n) noexcept {
    announced_ = true;
    double const known = body_.ticks_of(n);
    bool const is_long = known == 0 ? n >= worth_handing_over : known >= w_.home.handovers().dear_enough();
    tries_alone_ = is_long && call_.tries_alone && !size_.clockless() && may_be_dear_by_sharing(known);
    cuts_first_ = size_.clockless() || (has_few_pieces(n) && may_have_long_pieces(n, known));
    // What is offered to one who goes is left to us: long, where workers often lose their core before they look.
    bool const offers = is_long && !tries_alone_ && !(cuts_first_ && w_.home.oversubscribed());
    if (offers && w_.home.hand_over_soon(w_)) return;
    if (size_.clockless()) return;
    owed_ = is_long;
    if (known == 0 ? has_few_pieces(n) : known >= static_cast<double>(worth_waking_us * ticks_per_us()))
      w_.home.published_quietly(w_);
  }

  [[nodiscard]] bool has_few_pieces(std::size_t n) const noexcept {
    return n / larger<std::size_t>(call_.grain, 1) < enough_to_wait * w_.home.size();
  }

  /// Whether one piece may keep a worker so long that the others shall find all of the rest meanwhile, not only the
  /// half that is on offer while pieces are looked at: of 24 elements that took seconds, 6 of 8 workers would get one.
  [[nodiscard]] bool may_have_long_pieces(std::size_t n, double known) const noexcept {
    double const pieces = static_cast<double>(n) / static_cast<double>(size_.limit());
    return known == 0 || known >= pieces * static_cast<double>(ticks_per_us());
  }
  static constexpr std::size_t worth_handing_over = 2048;

  /// Whether one who waits should be given the oldest entry: if it is older than this range, or if what is left here
  /// takes long enough (see worth_giving_handovers); that ends where the oldest entry ends.
  [[nodiscard]] bool worth_giving(std::size_t end) const noexcept {
    auto const [oldest, is_older] = w_.tasks.oldest(first_place_);
    if (oldest == nullptr || is_older) return is_older;
    return size_.ticks_of(static_cast<half const*>(oldest)->end - end) >= w_.home.handovers().dear_enough();
  }

  /// Whether one who sleeps should be woken for `elements` more: not before this thread has worked for a while, since
  /// what is cold looks dearer than it is. One who is needed by ranges that follow each other, each too short for it,
  /// is woken by the sum of them.
  [[nodiscard]] bool worth_waking(std::size_t elements) noexcept {
    std::uint64_t const alone = size_.elapsed();
    if (alone < worth_waking_us / 5 * ticks_per_us()) return false;
    bool const overdue = unshared_before() + alone >= unshared_limit_us * ticks_per_us();
    std::uint64_t const enough = (overdue ? worth_waking_us / 5 : worth_waking_us) * ticks_per_us();
    if (size_.ticks_of(elements) < static_cast<double>(enough)) return false;
    w_.unshared = 0;
    woken_ = true;
    return true;
  }

  /// Ticks of the ranges before this one that woke nobody, if they went before it so closely that one whom they had
  /// woken would still be awake.
  [[nodiscard]] std::uint64_t unshared_before() const noexcept {
    return size_.begun() - w_.unshared_until < search_patience_us * ticks_per_us() ? w_.unshared : 0;
  }
  void remember_unshared() noexcept {
    if (size_.clockless()) return;
    w_.unshared = unshared_before() + size_.elapsed();
    w_.unshared_until = size_.last_look();
  }

  /// How many of n elements more than half of them run here while the rest is on its way to another worker, and its end
  /// on the way back; that takes half as long as a range that is just worth it.
  [[nodiscard]] std::size_t head_start(std::size_t n) const noexcept {
    double const known = body_.ticks_of(n), dear = w_.home.handovers().dear_enough();
    return known == 0 || known < dear || size_.clockless()
               ? 0
               : static_cast<std::size_t>(static_cast<double>(n) * dear / (4 * known));
  }

  /// The middle and so many elements, moved to a multiple of the alignment; the end if none lies inside.
  [[nodiscard]] std::size_t cut(std::size_t begin, std::size_t end, std::size_t beyond) const noexcept {
    std::size_t const middle = begin + (end - begin) / 2 + beyond;
    if (call_.alignment == 1) [[likely]]  // a division costs more than a fork
      return on_a_line(begin, middle);
    std::size_t const over = middle % call_.alignment;
    if (over == 0) return middle;
    std::size_t const up = call_.alignment - over;
    return up < end - middle ? middle + up : over < middle - begin ? middle - over : end;
  }

  [[nodiscard]] std::size_t rounded_up(std::size_t n) const noexcept {
    if (call_.alignment == 1) [[likely]]  // as above
      return n;
    return (n + call_.alignment - 1) / call_.alignment * call_.alignment;
  }

  /// Out of line, so that the registers and the stack frame that the body needs cost run() nothing.
  TARTAN_NOINLINE void piece(std::size_t begin, std::size_t end) {
    if (!call_.error.skips(begin) && !call_.control.skips()) [[likely]] {
#if TARTAN_EXCEPTIONS
      try {
        body_(begin, end);
        counted_.add(end - begin);
      } catch (...) {
        call_.error.record(begin);
      }
#else
      body_(begin, end);
      counted_.add(end - begin);
#endif
    }
    if (end == end_) return;
    bool const time_passed = size_.ran(end - begin);
    if (time_passed || size_.clockless()) counted_.look(size_, call_.control);
    if ((time_passed || owed_) && !(tries_alone_ && may_be_dear_by_sharing(static_cast<double>(size_.elapsed())))) {
      owed_ = !time_passed;
      w_.home.share(w_, [&] { return worth_giving(end); }, [&] { return worth_waking(end_ - end); });
    }
  }

  worker& w_;
  range_call& call_;
  range_body const body_;
  std::size_t const begin_, end_;
  std::int64_t const first_place_ = w_.tasks.next();
  piece_size size_;
  piece_count counted_;
  bool announced_ = false;
  bool cuts_first_ = false;  // all of it is on offer before a piece runs
  bool owed_ = false;        // it is worth handing over, and nobody stood at his mailbox
  bool woken_ = false;
  bool helped_ = false;       // another one ran some of it
  bool tries_alone_ = false;  // see learn()
};

/// True for one of 2^bits ranges that begin on this worker, whatever the rhythm of the program. `ago` counts back.
/// Relaxed: its own counter.
inline bool one_in_two_to(unsigned bits, worker const& w, unsigned ago = 0) noexcept {
  return ((w.beat.load(std::memory_order_relaxed) - ago) * 0x9e3779b97f4a7c15ULL) >> (64 - bits) == 0;
}

/// `Tell` says how others learn of the second element.
template <void (pool_news::*Tell)(worker&, bool) noexcept>
TARTAN_ALWAYS_INLINE void fork_pair(worker& w, range_body body) {
  auto const first = [body] { body(0, 1); };
  auto const second = [body] { body(1, 2); };
  fork_two<Tell>(w, w.tasks.asymmetric(), first, second);
}

/// A range of two whose cost is looked at. If its kind is known to take long, one who waits gets the second at once.
TARTAN_NOINLINE inline void split_timed_pair(worker& w, range_body body) {
  bool const known = body.pairs_take_long();
  std::uint64_t const begin = ticks();
  known ? fork_pair<&pool::published_as_long>(w, body) : fork_pair<&pool::published_quietly>(w, body);
  double const took = static_cast<double>(ticks() - begin) * (known ? 2 : 1);
  body.note_pairs(took >= w.home.handovers().dear_enough());
}

/// A range of two is a fork of two, quietly announced as long as nothing is known: its halves may be as short as the
/// fork, which costs less than the clock.
TARTAN_NOINLINE inline void split_pair(worker& w, range_body body) {
  bump(w.beat);
  if (body.pairs_take_long() || one_in_two_to(6, w)) [[unlikely]]
    return split_timed_pair(w, body);
  fork_pair<&pool::published_quietly>(w, body);
}

/// Runs body(begin, end) over pieces of [0, n), in parallel; rethrows what a serial loop would have thrown first, or
/// throws `cancelled` if a stop made it skip work. `grain` 0 lets cost decide; otherwise pieces have at most `grain`
/// elements (rounded up to `alignment`, on whose multiples all cuts fall).
inline void split_range(worker& w, std::size_t n, std::size_t grain, std::size_t alignment, run_control& control,
                        range_body body) {
  if (n == 0) return;  // nothing to run, nothing that a stop could skip
  bump(w.beat);
  unsigned const seldom = body.bits_between_trials();
  bool const tries_alone = one_in_two_to(seldom, w) || one_in_two_to(seldom, w, 1);
  bool const timed = tries_alone || one_in_two_to(3, w);
  range_call call{body, grain, alignment, control, tries_alone};
  std::uint64_t const begun = timed ? ticks() : 0;
  range_split all(w, call, 0, n);
  all.run();
  call.error.rethrow();
  control.conclude();
  all.learn(begun);
}

/// The rest of run_at_once() where its first piece may have been dear: the next one is timed, and the rest is split if
/// that pays.
TARTAN_COLD inline void run_doubtful(worker& w, std::size_t n, std::size_t begin, std::size_t alignment,
                                     range_body body) {
  std::size_t const end = smaller(n, 2 * begin), left = n - end;
  std::uint64_t const start = ticks();
  body(begin, end);
  if (left == 0) return;
  std::uint64_t const took = ticks() - start;
  if (took * left <= short_ticks(w) * (end - begin)) return body(end, n);
  auto const rest = [body, end](std::size_t from, std::size_t to) { body(end + from, end + to); };
  run_control unwatched({}, {});
  range_body const of_rest(rest);
  of_rest.learn(end - begin, took);  // one kind for the rests of all loops
  split_range(w, left, 0, alignment, unwatched, of_rest);
}

/// A loop of a kind that was short: here, without offering any of it. Two looks at the clock show whether it still is.
/// The time since the last look includes the first part of this loop: if it is short, so is that. Costs a third of a
/// split.
TARTAN_NOINLINE inline void run_at_once(worker& w, std::size_t n, std::size_t alignment, range_body body) {
  std::size_t first = n < 16 * cache_line ? n / 16 + 1 : cache_line;  // see on_a_line()
  if (alignment != 1) first = smaller(n, (first + alignment - 1) / alignment * alignment);
  bump(w.beat);
  std::uint64_t const before = w.looked_at;
  body(0, first);
  if (first == n) return;
  std::uint64_t const between = ticks();
  if (is_short(w, between - before)) [[likely]]
    body(first, n);
  else
    run_doubtful(w, n, first, alignment, body);
  w.looked_at = ticks();
  if (!is_short(w, w.looked_at - between)) [[unlikely]]
    body.was_long(between, w.looked_at);
}

/// A range of so few elements that body.at_once() admits them and that nobody watches, without the frame of
/// split_range(). False if it needs that.
inline bool run_few(worker& w, std::size_t n, std::size_t grain, std::size_t alignment, range_body body) {
  if (n == 1 || (w.alone && grain == 0)) {
    body(0, n);
    return true;
  }
  if (n > 2 && grain == 0) {
    run_at_once(w, n, alignment, body);
    return true;
  }
  if (n > 2 || w.alone || alignment != 1 || grain > 1 || !w.tasks.has_room()) return false;
  split_pair(w, body);
  return true;
}

/// The same on this thread alone, in order: in pieces of some 16 us, after each of which those who count hear of it.
inline void serial_range(std::size_t n, std::size_t grain, std::size_t alignment, run_control& control,
                         range_body body) {
  std::size_t length = larger<std::size_t>(grain, 1);
  std::uint64_t last = ticks();
  for (std::size_t begin = 0; begin != n && !control.skips();) {
    std::size_t const wanted = (smaller(length, n - begin) + alignment - 1) / alignment * alignment;
    std::size_t const end = smaller(n, begin + wanted);
    body(begin, end);
    control.finished(end - begin);
    begin = end;
    if (grain != 0) continue;
    std::uint64_t const now = ticks(), spent = now - std::exchange(last, now);
    if (spent < 8 * ticks_per_us() && length < n)
      length *= 2;
    else if (spent > 32 * ticks_per_us())
      length = larger<std::size_t>(length / 2, 1);
  }
  control.conclude();
}

}  // namespace tartan::inline TARTAN_ABI::detail
