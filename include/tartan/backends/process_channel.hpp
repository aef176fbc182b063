#pragma once
// The channel tier on worker processes: tasks go in one by one, results come out as they are done.

#include <cstddef>        // size_t
#include <cstdint>        // uint64_t
#include <exception>      // exception_ptr, make_exception_ptr
#include <functional>     // invoke
#include <new>            // nothrow
#include <type_traits>    // is_void_v
#include <unordered_map>  // unordered_map
#include <utility>        // exchange, move
#include <vector>         // vector

#include "tartan/backends/process_job.hpp"   // process_job
#include "tartan/backends/process_pool.hpp"  // local_scheduler
#include "tartan/core/await.hpp"             // blocking_scope
#include "tartan/core/codec.hpp"             // decode_from, encode_to, encoded_size
#include "tartan/core/config.hpp"            // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"            // bad_argument, cancelled, raise
#include "tartan/core/result.hpp"            // regular_result
#include "tartan/exec/outcome.hpp"           // outcome
#include "tartan/exec/properties.hpp"        // properties

namespace tartan::inline TARTAN_ABI::detail {

/// work(argument) as an R.
template <class R, class Work>
struct call_for {
  [[no_unique_address]] Work work;
  template <class Argument>
  regular_result<R> operator()(Argument& argument) const {
    if constexpr (std::is_void_v<R>) {
      static_cast<void>(std::invoke(work, argument));
      return {};
    } else {
      return std::invoke(work, argument);
    }
  }
};

/// Units that come one by one. Arguments are kept until their unit has ended: a worker may die of it, and others go
/// back.
template <class R, class Argument>
class channel_job final : public process_job {
 public:
  struct ended_task {
    std::uint64_t index;
    outcome<R> result;
  };

  explicit channel_job(properties const& props) : control_(props.control()) {}

  std::size_t measure(std::uint64_t unit) override { return encoded_size<Argument>(arguments.at(unit)); }
  void encode(std::uint64_t unit, frame_writer& out) override { encode_to<Argument>(out, arguments.at(unit)); }

  void succeed(std::uint64_t unit, frame_reader& result) override {
    control_.finished(1);
    end_with(unit, outcome<R>(std::in_place, static_cast<std::size_t>(unit), decode_from<regular_result<R>>(result)));
  }
  void fail(std::uint64_t unit, std::exception_ptr error) override {
    end_with(unit, outcome<R>(static_cast<std::size_t>(unit), std::move(error)));
  }
  void dropped(unit_range r) override {
#if TARTAN_EXCEPTIONS
    for (std::uint64_t k = 0; k != r.count; ++k) fail(r.first + k, std::make_exception_ptr(cancelled()));
#else
    for (std::uint64_t k = 0; k != r.count; ++k) fail(r.first + k, nullptr);
#endif
  }
  bool stops() override { return control_.skips(); }

  std::unordered_map<std::uint64_t, Argument> arguments;
  std::vector<ended_task> ended;  // not handed out yet, in the order of their ends

 private:
  void end_with(std::uint64_t unit, outcome<R>&& result) {
    ended.push_back({unit, std::move(result)});
    arguments.erase(unit);
  }

  run_control control_;
};

/// See task_channel in exec/channel.hpp. The thread that polls or waits drives the pool; tasks that were sent go on
/// without it.
template <class R, class Argument>
class process_channel {
 public:
  template <class Name>
  process_channel(local_scheduler& pool, properties const& props, std::size_t window, Name name)
      : pool_(pool), window_(window), job_(props) {
    if (window == 0) raise<bad_argument>("tartan: the window of a channel needs room for at least one task");
    name(job_);
    pool_.enter(job_);
  }
  process_channel(process_channel const&) = delete;
  process_channel& operator=(process_channel const&) = delete;
  ~process_channel() {
    cancel();
    leave();
  }

  /// Exceptions: pool_closed. Then, as when it returns false, `argument` has not been moved from.
  [[nodiscard]] bool try_push(Argument&& argument) {
    if (closed_ || under_way_ == window_) return false;
    pool_.extend(job_, [&](std::uint64_t unit) { job_.arguments.emplace(unit, std::move(argument)); });
    ++under_way_;
    return true;
  }
  [[nodiscard]] bool try_push(Argument const& argument) { return try_push(Argument(argument)); }

  template <class OnResult>
  std::size_t poll(OnResult&& on_result) {
    std::vector<typename channel_job<R, Argument>::ended_task> ended;
    pool_.look([&] { ended = std::exchange(job_.ended, {}); });
    for (auto& e : ended) {
      --under_way_;
      on_result(static_cast<std::size_t>(e.index), std::move(e.result));
    }
    return ended.size();
  }

  void wait() {
    if (under_way_ == 0) return;
    blocking_scope const scope;
    pool_.drive_until([&] { return !job_.ended.empty(); });
  }

  void close() noexcept { closed_ = true; }
  void cancel() noexcept {
    closed_ = true;
    pool_.skip_rest(job_);
  }

  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

 private:
  /// Where no thread may be added for one that waits, it waits all the same: a destructor must.
  void leave() {
    blocking_scope const scope(std::nothrow);
    pool_.leave(job_);
  }

  local_scheduler& pool_;
  std::size_t const window_;
  channel_job<R, Argument> job_;
  std::size_t under_way_ = 0;
  bool closed_ = false;
};

}  // namespace tartan::inline TARTAN_ABI::detail
