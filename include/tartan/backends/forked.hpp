#pragma once
// Worker processes that are forked at the call: any function, with all that it refers to, as it stood then.

#include <algorithm>    // min
#include <cstddef>      // size_t
#include <cstdint>      // uint64_t, uintptr_t
#include <functional>   // invoke
#include <memory>       // unique_ptr
#include <ranges>       // begin, iota_view, size
#include <string_view>  // string_view
#include <type_traits>  // is_void_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/backends/process_channel.hpp"  // process_channel
#include "tartan/backends/process_pool.hpp"     // make_scheduler
#include "tartan/backends/processes.hpp"        // collect_job, name_work, take_properties, try_job
#include "tartan/core/codec.hpp"                // codec
#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/core/result.hpp"               // invoke_regular, regular_result
#include "tartan/core/topology.hpp"             // available_workers
#include "tartan/exec/backend.hpp"              // backend, block_plan
#include "tartan/exec/leaf.hpp"                 // at
#include "tartan/exec/outcome.hpp"              // outcome
#include "tartan/exec/policy.hpp"               // policy
#include "tartan/ipc/start.hpp"                 // process_host

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// A callable of the caller's, named by its address: a process that was forked while it existed has it there.
template <class R, class Body>
struct forked_call {
  Body* body;
  template <class Argument>
  regular_result<R> operator()(Argument& argument) const {
    if constexpr (std::is_void_v<R>)
      return static_cast<void>((*body)(argument)), regular_result<R>{};
    else
      return (*body)(argument);
  }
};

/// A zygote for one call, with the workers that it forks.
class forked_crew {
 public:
  forked_crew(properties const& props, std::size_t most)
      : host_({}, "use tartan::processes, whose workers were forked before, or make this call before the first thread"),
        scheduler_(make_scheduler(host_, options(props, most))) {}

  [[nodiscard]] local_scheduler& scheduler() noexcept { return *scheduler_; }

  static unsigned width(properties const& props) { return props.workers != 0 ? props.workers : available_workers(); }

 private:
  static process_pool_options options(properties const& props, std::size_t most) {
    process_pool_options o;
    o.workers = static_cast<unsigned>((std::min<std::size_t>)(width(props), most));
    o.name = "tartan-fork";
    return o;
  }

  process_host host_;
  std::unique_ptr<local_scheduler> scheduler_;  // ends before its host
};

/// A channel to a crew of its own; arguments and results travel, the function does not need to.
template <class R, class Argument, class Work>
class forked_channel {
 public:
  forked_channel(properties const& props, Work work, std::size_t window)
      : work_(std::move(work)),
        crew_(props, window == 0 ? 1 : window),
        channel_(crew_.scheduler(), props, window, [&](process_job& job) {
          name_work<forked_call<R, Work>, Argument>(job, {&work_});
          take_properties(job, props);
        }) {}
  forked_channel(forked_channel const&) = delete;
  forked_channel& operator=(forked_channel const&) = delete;

  [[nodiscard]] bool try_push(Argument&& argument) { return channel_.try_push(std::move(argument)); }
  [[nodiscard]] bool try_push(Argument const& argument) { return channel_.try_push(argument); }
  template <class OnResult>
  std::size_t poll(OnResult&& on_result) {
    return channel_.poll(std::forward<OnResult>(on_result));
  }
  void wait() { channel_.wait(); }
  void close() noexcept { channel_.close(); }
  void cancel() noexcept { channel_.cancel(); }
  [[nodiscard]] std::size_t under_way() const noexcept { return channel_.under_way(); }

 private:
  Work work_;
  forked_crew crew_;
  process_channel<R, Argument> channel_;
};

}  // namespace detail

/// The address travels as a number: see forked_call.
template <class R, class Body>
struct codec<detail::forked_call<R, Body>> {
  static std::size_t size(detail::forked_call<R, Body> const&) noexcept { return sizeof(std::uint64_t); }
  static void write(frame_writer& out, detail::forked_call<R, Body> const& call) {
    out.raw(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(call.body)));
  }
  static detail::forked_call<R, Body> read(frame_reader& in) {
    return {reinterpret_cast<Body*>(static_cast<std::uintptr_t>(in.raw<std::uint64_t>()))};
  }
};

/// Processes forked at the call. Thread safety: none is needed, since it works in a process of one thread only.
struct forked_backend {
  static constexpr std::string_view name = "forked";
  static constexpr bool lives_for_a_call = true;  // there is no one to submit() to
  static constexpr property honoured =
      property::grain | property::relaxed | property::in_flight | property::timeout | property::retries;

  [[nodiscard]] std::size_t width(properties const& props) const { return detail::forked_crew::width(props); }

  [[nodiscard]] std::size_t block_length(properties const& props, std::size_t n) const {
    return processes_backend{}.block_length(props, n);
  }

  template <class R, class Slice, class Work>
  std::vector<R> collect(properties const& props, block_plan const& plan, Slice const& slice, Work const& work) const {
    // Nothing is sent but numbers of blocks: the children have the range, and the function, where they were.
    auto body = [&](std::size_t index) -> R {
      auto&& argument = slice(plan[index]);
      return work(argument);
    };
    auto const index_of = [](block b) { return b.index; };
    using call = detail::forked_call<R, decltype(body)>;
    detail::collect_job<R, decltype(index_of), call> job(props, plan, index_of, call{&body});
    run(props, plan.count(), job);
    return job.take();
  }

  template <class R, class Part, class F>
  std::vector<outcome<R>> try_collect(properties const& props, Part&& part, F const& f, std::size_t offset) const {
    auto const first = std::ranges::begin(part);
    auto body = [&](std::size_t index) { return detail::invoke_regular(f, detail::at(first, index)); };
    using call = detail::forked_call<detail::regular_result<R>, decltype(body)>;
    auto numbers = std::views::iota(std::size_t{0}, static_cast<std::size_t>(std::ranges::size(part)));
    detail::try_job<R, decltype(numbers), call> job(props, numbers, call{&body}, offset);
    run(props, numbers.size(), job);
    return job.take();
  }

  /// See open_channel(). The function is as it stood when the channel was opened.
  template <class R, class Argument, class Work>
  [[nodiscard]] auto open(properties const& props, Work work, std::size_t window) const {
    return detail::forked_channel<R, Argument, Work>(props, std::move(work), window);
  }

 private:
  static void run(properties const& props, std::size_t units, detail::process_job& job) {
    if (units == 0) return;
    job.most_workers = 0;  // the crew has that size
    detail::forked_crew crew(props, units);
    crew.scheduler().run(job);
  }
};
static_assert(backend<forked_backend> && !shared_memory_backend<forked_backend>);

/// Children forked at the call: any function, whatever it captures, sees the caller's memory as it stood then (copied
/// as it is written to); what it changes stays in the child. Results travel as on `processes`, crashes and timeouts are
/// the same typed errors.
///
///     tartan::map(tartan::forked, v, [&](double x) { return model.predict(x); });
///
/// Only while the process has one thread, else it throws process_start_error: a child of a process with threads may
/// find any lock taken for ever. A call costs a copy of the page tables (29 ms for 1 GB) and a fork for each worker.
inline constexpr policy<forked_backend> forked{};

}  // namespace tartan::inline TARTAN_ABI
