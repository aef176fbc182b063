#pragma once
// One function in a process of its own.

#include <chrono>              // duration
#include <condition_variable>  // condition_variable
#include <csignal>             // SIGKILL, SIGTERM
#include <exception>           // exception_ptr, rethrow_exception
#include <functional>          // function
#include <memory>              // make_shared, shared_ptr, unique_ptr
#include <mutex>               // mutex, unique_lock
#include <optional>            // optional
#include <string>              // string
#include <tuple>               // apply, tuple
#include <type_traits>         // decay_t, is_convertible_v, is_invocable_v
#include <utility>             // forward, move
#include <variant>             // monostate

#include "tartan/backends/process_launch.hpp"  // launched_calls
#include "tartan/backends/process_pool.hpp"    // local_scheduler, make_scheduler
#include "tartan/core/config.hpp"              // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"              // error, raise
#include "tartan/ipc/process_errors.hpp"       // worker_died
#include "tartan/ipc/start.hpp"                // start_process_host

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// f(args...) as it travels; an int that it returns is the exit code.
template <class F, class... Args>
struct process_call {
  F f;
  std::tuple<Args...> args;
  int operator()(std::monostate&) {
    using result = std::invoke_result_t<F, Args...>;
    return std::apply(
        [&](Args&... rest) {
          if constexpr (std::is_convertible_v<result, int>)
            return static_cast<int>(std::invoke(std::move(f), std::move(rest)...));
          else
            return static_cast<void>(std::invoke(std::move(f), std::move(rest)...)), 0;
        },
        args);
  }
};

/// How a process ended; shared by its handle and whoever reports the end.
struct process_outcome {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<int> code;
  std::exception_ptr error;

  void end(int with_code, std::exception_ptr with_error) {
    std::unique_lock const lock(mutex);
    code = with_code;
    error = std::move(with_error);
    changed.notify_all();
  }
};

struct process_sink {
  std::shared_ptr<process_outcome> outcome;
  void value(int code) { outcome->end(code, nullptr); }
  void error(std::exception_ptr e) { outcome->end(code_of(e), e); }
  void skipped() { outcome->end(1, nullptr); }  // nobody can ask for it: its policy has no stop token

 private:
  static int code_of([[maybe_unused]] std::exception_ptr const& e) {
#if TARTAN_EXCEPTIONS
    try {
      std::rethrow_exception(e);
    } catch (worker_died const& end) {
      return end.signal != 0 ? -end.signal : end.exit_code;
    } catch (...) {
    }
#endif
    return 1;
  }
};

}  // namespace detail

/// A process that runs f(args...).
///
///     tartan::process child{serve, 8080};
///     child.start();
///     if (!child.join_for(3s)) child.terminate();
///     int code = child.exit_code().value_or(-1);
///
/// f and args travel as on `processes`. What f returns, if it is an int, is the exit code; an exception is 1; a signal
/// is its negative number. Throws process_start_error, out_of_shared_memory.
/// Blocking: the destructor kills a process that runs.
class process {
 public:
  template <class F, class... Args>
    requires(!std::is_same_v<std::decay_t<F>, process>)
  explicit process(F&& f, Args&&... args) {
    using call = detail::process_call<std::decay_t<F>, std::decay_t<Args>...>;
    static_assert(std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>,
                  "tartan: process(f, args...) needs f(args...) to be callable with copies of args");
    launch_ = [c = call{std::forward<F>(f), {std::forward<Args>(args)...}}](detail::local_scheduler& s,
                                                                            detail::process_sink sink) {
      auto job = std::make_unique<detail::launched_calls<int, call, detail::process_sink>>(properties{});
      job->append(c, std::move(sink));
      job->end = 1;
      job->one_life = true;
      s.launch(std::move(job));
    };
  }
  process(process&&) noexcept = default;
  process& operator=(process&& other) noexcept {
    std::swap(launch_, other.launch_);
    std::swap(name_, other.name_);
    std::swap(outcome_, other.outcome_);
    std::swap(scheduler_, other.scheduler_);
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~process() {
    if (alive()) kill();
  }

  /// As ps and top show it; before start().
  process& name(std::string text) {
    name_ = std::move(text);
    return *this;
  }
  [[nodiscard]] std::string const& name() const noexcept { return name_; }

  /// Once. Returns when the process exists.
  void start() {
    if (scheduler_ != nullptr)
      detail::raise<error>("tartan: this process has been started before; make another object");
    outcome_ = std::make_shared<detail::process_outcome>();
    process_pool_options options;
    options.workers = 1;
    options.max_tasks_per_worker = 1;
    options.name = name_;
    auto made = detail::make_scheduler(detail::start_process_host(), options);
    auto const pids = made->pids();
    pid_ = pids.empty() ? 0 : pids.front();
    launch_(*made, {outcome_});
    made->close();  // nobody comes after it
    scheduler_ = std::move(made);
  }

  /// Waits for its end.
  void join() {
    require_started();
    std::unique_lock lock(outcome_->mutex);
    outcome_->changed.wait(lock, [&] { return outcome_->code.has_value(); });
  }

  /// Whether it ended in time.
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(std::chrono::duration<Rep, Period> limit) {
    require_started();
    std::unique_lock lock(outcome_->mutex);
    return outcome_->changed.wait_for(lock, limit, [&] { return outcome_->code.has_value(); });
  }

  [[nodiscard]] bool alive() const { return outcome_ != nullptr && !exit_code().has_value(); }

  /// Asks it to end (SIGTERM), or ends it (SIGKILL).
  void terminate() { signal(SIGTERM); }
  void kill() { signal(SIGKILL); }

  /// Of the process; 0 before start().
  [[nodiscard]] int pid() const noexcept { return pid_; }

  /// Nothing while it runs.
  [[nodiscard]] std::optional<int> exit_code() const {
    if (outcome_ == nullptr) return std::nullopt;
    std::unique_lock const lock(outcome_->mutex);
    return outcome_->code;
  }

  /// What f threw, or worker_died; null if it ended well or runs.
  [[nodiscard]] std::exception_ptr error_of_end() const {
    if (outcome_ == nullptr) return nullptr;
    std::unique_lock const lock(outcome_->mutex);
    return outcome_->error;
  }

 private:
  void require_started() const {
    if (outcome_ == nullptr) detail::raise<error>("tartan: this process has not been started; call start() first");
  }
  void signal(int number) {
    require_started();
    scheduler_->signal(number);
  }

  std::function<void(detail::local_scheduler&, detail::process_sink)> launch_;
  std::string name_ = "tartan-child";
  std::shared_ptr<detail::process_outcome> outcome_;
  std::unique_ptr<detail::local_scheduler> scheduler_;
  int pid_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI
