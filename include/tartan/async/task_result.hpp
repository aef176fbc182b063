#pragma once
// The shared state of a future: a task with its result, in one allocation.

#include <cstdint>      // intptr_t, uint32_t, uintptr_t
#include <exception>    // exception_ptr, make_exception_ptr
#include <memory>       // addressof, destroy_at, unique_ptr
#include <type_traits>  // add_lvalue_reference_t, is_invocable_v, is_same_v
#include <utility>      // forward, move
#include <variant>      // monostate
#include <version>      // __cpp_lib_jthread

#if defined(__cpp_lib_jthread)
#include <stop_token>  // stop_source, stop_token
#endif

#include "tartan/core/errors.hpp"       // cancelled
#include "tartan/core/leapfrog.hpp"     // foreign_work
#include "tartan/core/pool.hpp"         // pool
#include "tartan/core/pool_table.hpp"   // default_pool_or_null
#include "tartan/core/result.hpp"       // invoke_regular, regular_result, result_slot
#include "tartan/core/run_control.hpp"  // piece_counter, stop_query
#include "tartan/core/shared_task.hpp"  // completion, shared_task, task_ref
#include "tartan/core/unhandled.hpp"    // report_unhandled, run_unattended
#include "tartan/core/worker.hpp"       // current_worker, this_queue_place

namespace tartan::inline TARTAN_ABI::detail {

/// An exception as a pointer; null where exceptions are off.
template <class E>
std::exception_ptr error_of_type() noexcept {
#if TARTAN_EXCEPTIONS
  return std::make_exception_ptr(E());
#else
  return nullptr;
#endif
}

/// A task whose result is an R (void is monostate). What derives from it knows how the result comes about.
template <class R>
class task_result : public shared_task {
 public:
  using shared_task::shared_task;

  /// For the one who waits: the result leaves, or the error is thrown.
  R take() {
    note(taken);
#if !TARTAN_EXCEPTIONS
    if (result_.failed()) raise<cancelled>();
#endif
    return result_.take();
  }

  /// For the many who wait.
  [[nodiscard]] std::add_lvalue_reference_t<R const> look() {
    note(seen);
    if (result_.failed()) {
#if TARTAN_EXCEPTIONS
      std::rethrow_exception(result_.error());
#else
      raise<cancelled>();
#endif
    }
    return result_.value();
  }

  [[nodiscard]] bool failed() const noexcept { return result_.failed(); }
  [[nodiscard]] std::exception_ptr error() noexcept {
    note(seen);
    return result_.error();
  }

  /// For the only one who waits, in place of take(): another owner of the task may outlive who gets the error, and
  /// shall not be the one that frees it.
  [[nodiscard]] std::exception_ptr take_error() noexcept {
    note(seen);
    return result_.take_error();
  }

  /// Only who has begun the task: the result is what f() gives or throws.
  template <class F>
  void complete(F&& f) noexcept {
    result_.set_from(std::forward<F>(f));
    finish();
  }

  /// Only who has begun the task.
  void complete_with_error(std::exception_ptr error) noexcept {
    result_.fail(std::move(error));
    finish();
  }

  /// Keeps a task that nobody has begun from ever running; asks one that runs to stop. True in the first case.
  bool cancel() noexcept {
    if (!try_begin(nullptr)) return obey(this, nullptr, task_order::stop), false;
    note(seen);  // who cancels does not wonder about the error
    obey(this, nullptr, task_order::cancel);
    return true;
  }

 protected:
  ~task_result() {
    if (!done()) return;
    bool const owed = result_.failed() && !noted(taken) && !noted(seen);
    if (owed && result_.error() != nullptr) report_unhandled(result_.error());
    if (!noted(taken)) result_.discard();
  }

  [[nodiscard]] result_slot<R>& result() noexcept { return result_; }

 private:
  result_slot<R> result_;
};

/// Raw room for a function that is destroyed before its object, as soon as it has run.
template <class F>
class function_room {
 public:
  template <class... Args>
  explicit function_room(Args&&... args) : f_(std::forward<Args>(args)...) {}
  function_room(function_room const&) = delete;
  function_room& operator=(function_room const&) = delete;
  ~function_room() {}
  [[nodiscard]] F& get() noexcept { return f_; }
  void clear() noexcept { std::destroy_at(std::addressof(f_)); }

 private:
  union {
    F f_;
  };
};

/// How a function of submit() is called: with a stop_token before its arguments if it takes one.
#if defined(__cpp_lib_jthread)
template <class F, class... Args>
inline constexpr bool takes_stop_token = std::is_invocable_v<F, std::stop_token, Args...>;

template <class = void>
std::stop_token stop_token_of();  // unevaluated

template <bool>
struct stop_part {
  std::stop_source source{};
  void request() noexcept { source.request_stop(); }
  template <class F>
  decltype(auto) call(F& f) {
    return std::move(f)(source.get_token());
  }
};
#else
template <class F, class... Args>
inline constexpr bool takes_stop_token = false;

template <class = void>
int stop_token_of();  // unevaluated

template <bool>
struct stop_part;
#endif

template <>
struct stop_part<false> {
  void request() noexcept {}
  template <class F>
  decltype(auto) call(F& f) {
    return std::move(f)();
  }
};

/// Runs a function with a stop query and a counter, for policies that carry them.
struct watched_part {
  stop_query stop;
  piece_counter progress;
  [[nodiscard]] bool skips() const { return stop.requested(); }
  void finished() const { progress.finished(1); }
};
struct unwatched_part {
  static bool skips() noexcept { return false; }
  static void finished() noexcept {}
};

/// A submitted function. R is a regular type or a reference.
template <class R, class F, bool TakesToken, class Watch>
class submitted final : public task_result<R> {
 public:
  template <class G>
  submitted(pool* home, std::uint32_t references, Watch watch, G&& f)
      : task_result<R>(&obey_order, home, references), watch_(watch), f_(std::forward<G>(f)) {}

 private:
  static void obey_order(queued_task* base, worker* w, task_order order) {
    auto& self = *static_cast<submitted*>(base);
    switch (order) {
      case task_order::run:
        if (self.try_begin(w)) self.perform();
        return self.release();
      case task_order::drop:
        self.cancel();
        return self.release();
      case task_order::perform:
        return self.perform();
      case task_order::cancel:
        self.f_.clear();
        return self.complete_with_error(error_of_type<cancelled>());
      case task_order::stop:
        return self.stop_.request();
      case task_order::destroy:
        if (!self.is_begun()) self.f_.clear();  // refused by its pool
        delete &self;
    }
  }

  void perform() noexcept {
    if (watch_.skips()) {
      f_.clear();
      return this->complete_with_error(error_of_type<cancelled>());
    }
    this->result().set_from([this]() -> R {
      auto call = [this]() -> decltype(auto) { return stop_.call(f_.get()); };
      return invoke_regular(call);
    });
    f_.clear();  // what it holds is free when the future is ready
    watch_.finished();
    this->finish();
  }

  [[no_unique_address]] Watch watch_;
  [[no_unique_address]] stop_part<TakesToken> stop_;
  function_room<F> f_;
};

/// A function that waits in the list of a task for its end. It runs on the worker that ends the task, unless that
/// worker is itself in the middle of a wait: the function is not what that wait waits for, and could want a lock which
/// is held there; or unless ends follow from ends so often that the stack would grow. Then the pool gets it.
struct follow_up : completion {
  explicit follow_up(void (*how)(completion*)) noexcept : completion(how, turn::runs) {}

  /// True when the pool has taken `task`. Where it has no thread and gets none, the function runs here after all.
  static bool defer(queued_task* task) noexcept {
    worker* const w = current_worker();
    bool const shallow = this_thread_cell().depth < 32;
    if (w != nullptr && w->home.left_behind()) return false;  // a forked child, in which nobody works there
    if ((w == nullptr || w->waits == 0) && shallow) return false;
    if (w != nullptr && w->rank != no_rank) return w->home.submit_late(task, this_queue_place());
    pool* const home = w != nullptr ? &w->home : default_pool_or_null();
    return home != nullptr && home->try_submit(task, this_queue_place());
  }

  /// Counts ends that follow from ends on this thread.
  struct deeper {
    deeper() noexcept { ++this_thread_cell().depth; }
    deeper(deeper const&) = delete;
    deeper& operator=(deeper const&) = delete;
    ~deeper() { --this_thread_cell().depth; }
  };
};

/// f(result of an earlier task), when that has ended; its error passes by f.
template <class R, class Before, class F>
class continuation final : public task_result<R>, public follow_up {
 public:
  template <class G>
  continuation(task_result<Before>* before, G&& f)  // takes over a reference to `before`
      : task_result<R>(&obey_order, nullptr, 2), follow_up(&before_ended), f_(std::forward<G>(f)) {
    this->set_dependency(before);
  }

 private:
  static void before_ended(completion* c) {
    auto* const self = static_cast<continuation*>(c);
    if (defer(self)) return;
    deeper const level;
    worker* const w = current_worker();
    if (w == nullptr) return obey_order(self, nullptr, task_order::run);
    foreign_work const scope(*w, false);  // who waits for the continuation must not take what lies below it here
    obey_order(self, w, task_order::run);
  }

  static void obey_order(queued_task* base, worker* w, task_order order) {
    auto& self = *static_cast<continuation*>(base);
    switch (order) {
      case task_order::run:
        if (self.try_begin(w)) self.perform();
        return self.release();
      case task_order::drop:
        self.cancel();
        return self.release();
      case task_order::perform:
        return self.perform();
      case task_order::cancel: {
        task_ref const before(self.take_dependency());
        self.f_.clear();
        return self.complete_with_error(error_of_type<cancelled>());
      }
      case task_order::stop:
        return;
      case task_order::destroy:
        delete &self;
    }
  }

  void perform() noexcept {
    {
      auto* const before = static_cast<task_result<Before>*>(this->take_dependency());
      task_ref const owner(before);
      if (before->failed())
        this->result().fail(before->take_error());
      else
        this->result().set_from([&]() -> R {
          if constexpr (std::is_same_v<Before, std::monostate>)
            return before->take(), invoke_regular(std::move(f_.get()));
          else
            return invoke_regular(std::move(f_.get()), before->take());
        });
      f_.clear();
    }
    this->finish();
  }

  function_room<F> f_;
};

/// f(), when a task has ended, whatever came of it.
template <class F>
class callback final : public queued_task, public follow_up {
 public:
  template <class G>
  explicit callback(G&& f) : queued_task(&obey_order), follow_up(&ended), f_(std::forward<G>(f)) {}

  static void ended(completion* c) {
    auto* const self = static_cast<callback*>(c);
    if (defer(self)) return;
    deeper const level;
    obey_order(self, nullptr, task_order::run);
  }

 private:
  static void obey_order(queued_task* base, worker*, task_order) {
    std::unique_ptr<callback> const self(static_cast<callback*>(base));
    run_unattended(self->f_);
  }

  F f_;
};

/// Given its result by whoever holds the promise.
template <class R>
class promised final : public task_result<R> {
 public:
  promised() noexcept : task_result<R>(&obey_order, nullptr, 1) {}

 private:
  static void obey_order(queued_task* base, worker*, task_order order) {
    auto& self = *static_cast<promised*>(base);
    if (order == task_order::cancel) self.complete_with_error(error_of_type<cancelled>());
    if (order == task_order::destroy) delete &self;
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
