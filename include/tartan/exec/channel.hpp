#pragma once
// The channel tier: tasks go in one by one, results come out as they are done.

#include <atomic>       // atomic, memory_order_*
#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <deque>        // deque
#include <exception>    // exception_ptr, make_exception_ptr
#include <functional>   // invoke
#include <memory>       // make_shared, make_unique, shared_ptr, unique_ptr
#include <optional>     // optional
#include <type_traits>  // is_invocable_v
#include <utility>      // exchange, forward, move

#include "tartan/core/arrivals.hpp"       // arrivals
#include "tartan/core/atomics.hpp"        // cpu_pause
#include "tartan/core/await.hpp"          // await_task, sleeping_scope
#include "tartan/core/call_scope.hpp"     // lease
#include "tartan/core/errors.hpp"         // bad_argument, cancelled, pool_closed, pool_gone, raise
#include "tartan/core/leapfrog.hpp"       // foreign_work
#include "tartan/core/pool_table.hpp"     // pool_table
#include "tartan/core/process_state.hpp"  // forks_now
#include "tartan/core/result.hpp"         // regular_result
#include "tartan/core/run_control.hpp"    // run_control
#include "tartan/core/shared_task.hpp"    // shared_task, task_order
#include "tartan/core/worker.hpp"         // current_worker, this_queue_place
#include "tartan/exec/backend.hpp"        // backend, shared_memory_backend
#include "tartan/exec/outcome.hpp"        // attempt, outcome
#include "tartan/exec/properties.hpp"     // pool_ref, properties
#include "tartan/exec/users_pool.hpp"     // users_pool

namespace tartan::inline TARTAN_ABI {

/// Tier 4, every backend: open_channel<R, Argument>(backend, props, work, window) gives a channel to its workers.
///
///   H1  try_push(argument) takes a task and returns true, or leaves everything as it was and returns false. Tasks are
///       numbered 0, 1, 2, ... as they are taken; each gives work(argument) to exactly one call of on_result.
///   H2  At most `window` tasks are under way: taken, but not yet handed to on_result. Then try_push returns false.
///   H3  poll(on_result) calls on_result(index, outcome<R>) for the tasks that have ended, in the order in which they
///       ended, on the calling thread, and returns how many. What work throws is the outcome's error. Neither try_push
///       nor poll waits for a task.
///   H4  wait() returns when poll would find something, at once if nothing is under way. Inside a task it may run a
///       task of the channel that nobody has begun, and nothing else.
///   H5  close() lets nothing in any more; what is under way ends as ever.
///   H6  cancel() closes, and tasks that have not begun end with the error `cancelled`; so does a stop of the
///       properties, when its turn to run has come. The destructor cancels and waits for what has begun.
///   H7  Several channels may be open at once, also inside of tasks; each serves one thread at a time.
///
///   H8  Where memory is shared, work may take a channel_sender<R>& as its second argument: what it sends comes to
///       on_result with the number of its task, in the order of sending and before the task's own result. It does not
///       count in H2.
///
/// Of workers(n) no more than n tasks run at the same time, and n can. Without workers (seq, workers(1)) tasks run
/// inside wait(). Where memory is not shared, the backend has a member
/// open<R, Argument>(props, work, window), and arguments, results and work must travel.
template <class C, class R, class Argument>
concept task_channel = requires(C& c, C const& constant, Argument argument) {
  { c.try_push(std::move(argument)) } -> std::same_as<bool>;
  {
    c.poll([](std::size_t, outcome<R>) {})
  } -> std::same_as<std::size_t>;
  c.wait();
  c.close();
  c.cancel();
  { constant.under_way() } -> std::same_as<std::size_t>;
};

namespace detail {

/// What comes back to a channel: a task that has ended, or a result that a running one sends ahead.
struct channel_arrival {
  explicit channel_arrival(bool is_ahead) noexcept : ahead(is_ahead) {}
  channel_arrival* next_arrival = nullptr;
  bool const ahead;
};

template <class Value>
struct ahead_result : channel_arrival {
  ahead_result(std::size_t its_index, Value&& its_value)
      : channel_arrival(true), index(its_index), value(std::move(its_value)) {}
  std::size_t const index;
  Value value;
};

}  // namespace detail

/// Sends results while their task still runs, see H8. R is not void.
template <class R>
class channel_sender {
 public:
  channel_sender(std::size_t index, detail::arrivals<detail::channel_arrival>& to) noexcept : index_(index), to_(to) {}
  channel_sender(channel_sender const&) = delete;
  channel_sender& operator=(channel_sender const&) = delete;
  void operator()(R value) { to_.put(new detail::ahead_result<R>(index_, std::move(value))); }
  [[nodiscard]] std::size_t index() const noexcept { return index_; }

 private:
  std::size_t const index_;
  detail::arrivals<detail::channel_arrival>& to_;
};

namespace detail {

/// What the tasks of one channel share with it. It may outlive the channel for a moment, what the user gave does not.
template <class Work>
struct channel_core {
  channel_core(Work&& its_work, stop_query its_stop, piece_counter its_progress)
      : work(std::move(its_work)), stop(its_stop), progress(its_progress) {}

  std::optional<Work const> work;
  stop_query const stop;
  piece_counter const progress;
  std::atomic<bool> cancelled_by_caller{false};
  arrivals<channel_arrival> ended;
};

template <class R, class Argument, class Work>
inline constexpr bool sends_ahead = std::is_invocable_v<Work const&, Argument&, channel_sender<R>&>;
template <class Argument, class Work>
inline constexpr bool sends_ahead<void, Argument, Work> = false;

/// One task. References: of the pool's queue, of the channel until it is handed out, of the channel's list of tasks
/// that may not have begun. A worker may hold it for a moment after it has ended: argument and result are gone before.
template <class R, class Argument, class Work>
class channel_task : public shared_task, public channel_arrival {
 public:
  using core_type = channel_core<Work>;

  channel_task(std::shared_ptr<core_type> core, pool* home, std::size_t index, Argument&& argument)
      : shared_task(&obey_order, home, home == nullptr ? 2 : 3),
        channel_arrival(false),
        index_(index),
        core_(std::move(core)),
        argument_(std::move(argument)) {}

  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  [[nodiscard]] outcome<R> take() { return std::move(*outcome_); }
  /// After the end: what is left of the result.
  void clear() noexcept { outcome_.reset(); }

  /// In the place of a queue that takes no more: the result is that the pool is closed.
  void refuse() noexcept {
    if (try_begin(nullptr)) end_unrun(pool_closed());
    release();
  }

 private:
  static void obey_order(queued_task* base, worker* w, task_order order) {
    auto& self = *static_cast<channel_task*>(base);
    switch (order) {
      case task_order::run:
        if (self.try_begin(w)) self.perform();
        return self.release();
      case task_order::drop:
        if (self.try_begin(nullptr)) self.end_unrun(cancelled());
        return self.release();
      case task_order::perform:
        return self.perform();
      case task_order::cancel:
        return self.end_unrun(cancelled());
      case task_order::stop:
        return;
      case task_order::destroy:
        delete &self;
        return;
    }
  }

  void perform() noexcept {
    if (core_->cancelled_by_caller.load(std::memory_order_relaxed) || core_->stop.requested())  // relaxed: a wish
      return end_unrun(cancelled());
    attempt_in(outcome_, index_, [this]() -> R {
      if constexpr (sends_ahead<R, Argument, Work>) {
        channel_sender<R> sender(index_, core_->ended);
        return std::invoke(*core_->work, *argument_, sender);
      } else {
        return std::invoke(*core_->work, *argument_);
      }
    });
    core_->progress.finished(1);
    end();
  }

  template <class Error>
  void end_unrun([[maybe_unused]] Error why) noexcept {
#if TARTAN_EXCEPTIONS
    outcome_.emplace(index_, std::make_exception_ptr(why));
#else
    outcome_.emplace(index_, std::exception_ptr());
#endif
    end();
  }

  /// Whoever has seen done() finds the task in the list.
  void end() noexcept {
    argument_.reset();
    std::shared_ptr<core_type> const core = std::move(core_);  // the channel may be gone as soon as it has the task
    core->ended.put(this);
    finish();
  }

  std::size_t const index_;
  std::shared_ptr<core_type> core_;
  std::optional<Argument> argument_;
  std::optional<outcome<R>> outcome_;
};

/// A channel to the workers of a pool, or to the caller's own wait() if there is no pool.
template <class R, class Argument, class Work>
class local_channel {
  using task = channel_task<R, Argument, Work>;

 public:
  /// With `lent` workers of a pool of that size, or else those of `home`.
  local_channel(pool* home, unsigned lent, properties const& props, Work work, std::size_t window)
      : lease_(lent != 0 ? std::make_unique<lease>(lent) : nullptr),
        home_(lease_ != nullptr ? &lease_->get() : home),
        users_(lease_ != nullptr ? pool_ref{} : users_pool(home, props)),
        window_(window),
        core_(std::make_shared<typename task::core_type>(std::move(work), props.stop, props.progress)) {
    if (window == 0) raise<bad_argument>("tartan: the window of a channel needs room for at least one task");
  }
  local_channel(local_channel const&) = delete;
  local_channel& operator=(local_channel const&) = delete;
  ~local_channel() {
    cancel();
    while (under_way_ != 0) {
      if (!has_result() && is_left_behind()) return;  // what the parent's threads had begun never ends here
      if (!has_result()) core_->ended.sleep();
      while (channel_arrival* const a = next_ended()) a->ahead ? drop_ahead(a) : retire(as_task(a));
    }
    static_cast<void>(first_waiting());
    core_->work.reset();  // nobody calls it any more
  }

  /// Exceptions: pool_closed, unless the caller is a task of the pool; pool_gone; error if the system refuses a
  /// thread. Then, as when it returns false, `argument` has not been moved from. Where the pool is closed meanwhile,
  /// pool_closed is the result of the task.
  [[nodiscard]] bool try_push(Argument&& argument) {
    if (closed_ || under_way_ == window_) return false;
    if (home_ != nullptr) admit();       // from here on only memory can be wanting
    static_cast<void>(first_waiting());  // forgets what has begun
    auto t = std::make_unique<task>(core_, home_, next_index_, std::move(argument));
    waiting_.push_back(t.get());
    ++next_index_;
    ++under_way_;
    task* const taken = t.release();
    if (home_ != nullptr) publish(taken);
    return true;
  }
  [[nodiscard]] bool try_push(Argument const& argument) { return try_push(Argument(argument)); }

  template <class OnResult>
  std::size_t poll(OnResult&& on_result) {
    std::size_t results = 0;
    while (channel_arrival* const a = next_ended()) {
      ++results;
      if constexpr (sends_ahead<R, Argument, Work>) {
        if (a->ahead) {
          std::unique_ptr<ahead_result<R>> const owned(as_ahead(a));
          on_result(owned->index, outcome<R>(std::in_place, owned->index, std::move(owned->value)));
          continue;
        }
      }
      task& t = *as_task(a);
      std::size_t const index = t.index();
      on_result(index, take_from(t));
    }
    return results;
  }

  void wait() {
    if (under_way_ == 0 || has_result()) return;
    bool const works = home_ == nullptr || keeps_some_ || home_->is_worked_for_here();
    task* const t = works ? first_waiting() : nullptr;
    if (t == nullptr) {
      for (int i = 0; i != 200; ++i) {  // about 5 us: cheap tasks follow each other so fast, and no wake-up does
        cpu_pause();
        if (has_result()) return;
      }
      if (home_ != nullptr && is_left_behind()) raise<pool_gone>();
      sleeping_scope const scope;
      core_->ended.sleep();
    } else if (home_ != nullptr && in_pool()) {
      await_task(*t);  // begins it here, unless somebody has been faster
    } else {
      perform_here(*t);
    }
  }

  void close() noexcept { closed_ = true; }

  void cancel() noexcept {
    closed_ = true;
    core_->cancelled_by_caller.store(true, std::memory_order_relaxed);  // relaxed: a wish
    while (task* const t = first_waiting())
      if (t->try_begin(nullptr)) t->obey(t, nullptr, task_order::cancel);
  }

  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

 private:
  /// Whether this is a forked child of the process that made the channel: nobody is left in the pool that it knows. Not
  /// asked of the pool, which may be on its way out.
  [[nodiscard]] bool is_left_behind() const noexcept { return forks_ != forks_now(); }

  void admit() {
    if (is_left_behind()) raise<pool_gone>();
    if (users_.named() && &pool_table::instance().find(users_) != home_) raise<pool_gone>();
    if (home_->closing() && !home_->is_worked_for_here()) raise<pool_closed>();
    home_->expect_tasks();
  }

  /// What a task of the pool pushes was let in with that task, which came before the close: also in a call into another
  /// pool, and in a task of a group that a thread runs in its wait. The end of the pool does not wait for such threads,
  /// so what they push after the close does not come into the queue: wait() runs it, wherever it is called.
  void publish(task* t) noexcept {
    if (in_pool() ? home_->submit_late(t, this_queue_place()) : home_->try_submit(t, this_queue_place())) return;
    if (!home_->closing() || !home_->is_worked_for_here()) return t->refuse();
    keeps_some_ = true;
    t->release();  // the reference of the queue
  }

  /// Unless it has begun. A worker of another pool is in a wait meanwhile.
  void perform_here(task& t) {
    worker* const here = current_worker();
    std::optional<foreign_work> scope;
    if (home_ != nullptr && here != nullptr) scope.emplace(*here);
    if (t.try_begin(nullptr)) t.obey(&t, here, task_order::perform);
  }

  /// Whether the caller is a worker of the channel's pool.
  [[nodiscard]] bool in_pool() const noexcept {
    worker const* const here = current_worker();
    return here != nullptr && &here->home == home_;
  }

  [[nodiscard]] bool has_result() const noexcept { return ready_ != nullptr || !core_->ended.empty(); }

  /// The oldest task that nobody seems to have begun.
  [[nodiscard]] task* first_waiting() noexcept {
    while (!waiting_.empty() && waiting_.front()->is_begun()) {
      waiting_.front()->release();
      waiting_.pop_front();
    }
    return waiting_.empty() ? nullptr : waiting_.front();
  }

  static task* as_task(channel_arrival* a) noexcept { return static_cast<task*>(a); }
  static ahead_result<R>* as_ahead(channel_arrival* a) noexcept { return static_cast<ahead_result<R>*>(a); }
  static void drop_ahead(channel_arrival* a) noexcept {
    if constexpr (sends_ahead<R, Argument, Work>) delete as_ahead(a);
  }

  [[nodiscard]] channel_arrival* next_ended() noexcept {
    if (ready_ == nullptr) {
      channel_arrival* latest = core_->ended.take_all();
      while (latest != nullptr) {
        channel_arrival* const before_it = std::exchange(latest->next_arrival, ready_);
        ready_ = std::exchange(latest, before_it);
      }
    }
    return ready_ == nullptr ? nullptr : std::exchange(ready_, ready_->next_arrival);
  }

  /// Its result; the task is no longer under way, also if moving that throws.
  [[nodiscard]] outcome<R> take_from(task& t) {
    struct retiring {
      local_channel& channel;
      task& ended;
      ~retiring() { channel.retire(&ended); }
    } const at_end{*this, t};
    return t.take();
  }

  void retire(task* t) noexcept {
    --under_way_;
    t->clear();
    t->release();
  }

  std::unique_ptr<lease> const lease_;
  pool* const home_;
  pool_ref const users_;  // named() if it is a user's pool
  unsigned const forks_ = forks_now();
  std::size_t const window_;
  std::shared_ptr<typename task::core_type> core_;
  std::deque<task*> waiting_;         // in the order of their numbers; those in front may have begun
  channel_arrival* ready_ = nullptr;  // come back, oldest first
  std::size_t next_index_ = 0, under_way_ = 0;
  bool closed_ = false;
  bool keeps_some_ = false;  // some tasks lie in no queue
};

}  // namespace detail

/// A channel to the workers of a backend; see task_channel. `work` is called as work(argument) with an lvalue, by
/// several workers at once.
///
///     auto channel = tartan::open_channel<page, url>(p.backend(), p.props(), fetch, 32);
///
/// Exceptions: bad_argument if window is 0; pool_gone.
template <class R, class Argument, backend B, class Work>
[[nodiscard]] auto open_channel(B const& b, properties const& props, Work work, std::size_t window) {
  if constexpr (shared_memory_backend<B>) {
    detail::pool* const home = props.workers == 1 ? nullptr : b.async_pool(props);
    // As for a pattern: from outside, another number of workers than the pool has is lent.
    bool const lends = home != nullptr && props.workers != 0 && props.workers != home->size() && !props.pool.named() &&
                       detail::current_worker() == nullptr;
    return detail::local_channel<R, Argument, Work>(home, lends ? props.workers : 0, props, std::move(work), window);
  } else {
    return b.template open<R, Argument>(props, std::move(work), window);
  }
}

}  // namespace tartan::inline TARTAN_ABI
