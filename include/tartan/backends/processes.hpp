#pragma once
// Worker processes as a backend: the same calls as on threads, and a crash costs one task.

#include <algorithm>    // clamp
#include <chrono>       // nanoseconds
#include <cstddef>      // size_t
#include <exception>    // exception_ptr, rethrow_exception
#include <memory>       // make_unique
#include <optional>     // optional
#include <ranges>       // begin, iterator_t, range_value_t, size
#include <string_view>  // string_view
#include <type_traits>  // remove_cvref_t
#include <utility>      // move
#include <vector>       // vector

#include "tartan/backends/process_channel.hpp"  // process_channel
#include "tartan/backends/process_job.hpp"      // process_job
#include "tartan/backends/process_launch.hpp"   // launched_calls
#include "tartan/backends/process_pool.hpp"     // process_pools
#include "tartan/backends/process_work.hpp"     // name_work, take_properties
#include "tartan/core/closure.hpp"              // closure
#include "tartan/core/codec.hpp"                // encode, require_shippable
#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/core/result.hpp"               // invoke_regular, regular_result
#include "tartan/exec/backend.hpp"              // backend, block_plan
#include "tartan/exec/outcome.hpp"              // outcome
#include "tartan/exec/policy.hpp"               // policy
#include "tartan/exec/sending.hpp"              // sent, sent_t
#include "tartan/ipc/worker_main.hpp"           // run_each

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The blocks of a plan; keeps the error of the lowest block.
template <class R, class Slice, class Work>
class collect_job final : public process_job {
 public:
  using argument = std::remove_cvref_t<std::invoke_result_t<Slice const&, block>>;

  collect_job(properties const& props, block_plan const& plan, Slice const& slice, Work const& callable)
      : plan_(plan), slice_(slice), control_(props.control()), results_(plan.count()) {
    require_shippable<R>();
    name_work<Work, sent_t<argument>>(*this, callable);
    take_properties(*this, props);
    end = plan.count();
  }

  std::size_t measure(std::uint64_t unit) override { return sent<argument>::size(slice_(plan_[unit])); }
  void encode(std::uint64_t unit, frame_writer& out) override { sent<argument>::write(out, slice_(plan_[unit])); }

  void succeed(std::uint64_t unit, frame_reader& result) override {
    results_[unit].emplace(decode_from<R>(result));
    control_.finished(plan_[unit].size());
  }

  void fail(std::uint64_t unit, std::exception_ptr error) override {
    if (unit >= limit) return;
    limit = unit;
    error_ = std::move(error);
  }

  [[nodiscard]] std::size_t task_of(std::uint64_t unit) const override { return plan_[unit].begin; }
  bool stops() override { return control_.skips(); }

  [[nodiscard]] std::vector<R> take() {
#if TARTAN_EXCEPTIONS
    if (error_ != nullptr) std::rethrow_exception(error_);
#endif
    control_.conclude();
    std::vector<R> out;
    out.reserve(results_.size());
    for (auto& r : results_) out.push_back(std::move(*r));
    return out;
  }

 private:
  block_plan plan_;
  Slice const& slice_;
  run_control control_;
  std::vector<std::optional<R>> results_;
  std::exception_ptr error_;
};

/// One call of f for one element.
template <class F>
struct element_work {
  [[no_unique_address]] F f;
  template <class T>
  auto operator()(T& element) const {
    return invoke_regular(f, element);
  }
};

/// The elements of a divisible range; keeps what became of each.
template <class R, class Part, class F>
class try_job final : public process_job {
 public:
  using element = std::ranges::range_value_t<Part>;
  using result = regular_result<R>;

  try_job(properties const& props, Part& part, F const& f, std::size_t offset)
      : first_(std::ranges::begin(part)),
        offset_(offset),
        control_(props.control()),
        results_(static_cast<std::size_t>(std::ranges::size(part))) {
    require_shippable<result>();
    name_work<element_work<F>, element>(*this, element_work<F>{f});
    take_properties(*this, props);
    end = results_.size();
  }

  std::size_t measure(std::uint64_t unit) override { return encoded_size<element>(at(unit)); }
  void encode(std::uint64_t unit, frame_writer& out) override { encode_to<element>(out, at(unit)); }

  void succeed(std::uint64_t unit, frame_reader& answer) override {
    results_[unit].emplace(std::in_place, task_of(unit), decode_from<result>(answer));
    control_.finished(1);
  }
  void fail(std::uint64_t unit, std::exception_ptr error) override {
    results_[unit].emplace(task_of(unit), std::move(error));
    control_.finished(1);
  }

  [[nodiscard]] std::size_t task_of(std::uint64_t unit) const override {
    return offset_ + static_cast<std::size_t>(unit);
  }
  bool stops() override { return control_.skips(); }

  [[nodiscard]] std::vector<outcome<R>> take() {
    control_.conclude();
    std::vector<outcome<R>> out;
    out.reserve(results_.size());
    for (auto& r : results_) out.push_back(std::move(*r));
    return out;
  }

 private:
  [[nodiscard]] decltype(auto) at(std::uint64_t unit) const {
    return detail::at(first_, static_cast<std::size_t>(unit));
  }

  std::ranges::iterator_t<Part> first_;
  std::size_t offset_;
  run_control control_;
  std::vector<std::optional<outcome<R>>> results_;
};

}  // namespace detail

/// Worker processes, no shared memory but what is in the arena. Thread safety: stateless; pools are found by the
/// properties.
struct processes_backend {
  static constexpr std::string_view name = "processes";
  static constexpr property honoured =
      property::grain | property::relaxed | property::in_flight | property::on | property::timeout | property::retries;

  [[nodiscard]] std::size_t width(properties const& props) const {
    if (props.pool.named()) return pool(props).size();
    return props.workers != 0 ? props.workers : available_workers();
  }

  /// Elements of one block of a map: one if each is a task of its own (somebody watches its time, or it may be run
  /// again), else so few that every worker gets many blocks and can be left with one that is dear; the scheduler sends
  /// as many at once as pays.
  [[nodiscard]] std::size_t block_length(properties const& props, std::size_t n) const {
    constexpr std::size_t a_worker = 64, fewest = 256, most = 4096;
    if (props.timeout_ns != 0 || props.retries != 0) return 1;
    if (props.grain != 0) return props.grain;
    std::size_t const blocks = std::clamp(width(props) * a_worker, fewest, most);
    return n / blocks + (n % blocks != 0 ? 1 : 0);
  }

  template <class R, class Slice, class Work>
  std::vector<R> collect(properties const& props, block_plan const& plan, Slice const& slice, Work const& work) const {
    detail::collect_job<R, Slice, Work> job(props, plan, slice, work);
    if (plan.count() != 0) pool(props).run(job);
    return job.take();
  }

  /// What became of f(x) for each element of a divisible range; `offset` is the index of its first.
  template <class R, class Part, class F>
  std::vector<outcome<R>> try_collect(properties const& props, Part&& part, F const& f, std::size_t offset) const {
    detail::try_job<R, std::remove_reference_t<Part>, F> job(props, part, f, offset);
    if (std::ranges::size(part) != 0) pool(props).run(job);
    return job.take();
  }

  /// See open_channel().
  template <class R, class Argument, class Work>
  [[nodiscard]] auto open(properties const& props, Work work, std::size_t window) const {
    using call = detail::call_for<R, Work>;
    detail::require_shippable<detail::regular_result<R>>();
    return detail::process_channel<R, Argument>(pool(props), props, window, [&](detail::process_job& job) {
      detail::name_work<call, Argument>(job, call{std::move(work)});
      detail::take_properties(job, props);
    });
  }

  /// See launching_backend.
  template <class R, class Call, class Sink>
  void launch(properties const& props, Call call, Sink sink) const {
    using calls = detail::launched_calls<R, Call, Sink>;
    detail::launch_key const key{calls::kind(), std::chrono::nanoseconds(props.timeout_ns),
                                 props.retries, props.pool.named() ? props.workers : 0,
                                 props.stop,    props.progress};
    pool(props).launch(
        key, [&] { return std::make_unique<calls>(props); },
        [&](detail::process_job& job) { static_cast<calls&>(job).append(std::move(call), std::move(sink)); });
  }

 private:
  static detail::local_scheduler& pool(properties const& props) {
    auto& host = detail::start_process_host();
    auto& pools = detail::process_pools::of(host);
    return props.pool.named() ? pools.find(props.pool) : pools.of_size(host, props.workers);
  }
};
static_assert(launching_backend<processes_backend> && !shared_memory_backend<processes_backend>);

/// A pool of worker processes that outlives its tasks: see start_processes().
inline constexpr policy<processes_backend> processes{};

}  // namespace tartan::inline TARTAN_ABI
