#pragma once
// Who hands out the tasks and takes in what comes of them.

#include <cstddef>        // size_t
#include <exception>      // exception_ptr, rethrow_exception
#include <iterator>       // make_move_iterator
#include <ranges>         // begin, end, iterator_t, range_value_t, sentinel_t, subrange, view
#include <type_traits>    // conditional_t, is_lvalue_reference_v, remove_cvref_t, remove_reference_t
#include <unordered_map>  // unordered_map
#include <utility>        // forward, move
#include <vector>         // vector

#include "tartan/core/errors.hpp"                        // cancelled, raise
#include "tartan/exec/backend.hpp"                       // shared_memory_backend
#include "tartan/exec/channel.hpp"                       // open_channel
#include "tartan/exec/outcome.hpp"                       // outcome
#include "tartan/patterns/master_worker/family.hpp"      // family
#include "tartan/patterns/master_worker/open_tasks.hpp"  // open_reply, open_tasks, open_work
#include "tartan/patterns/master_worker/shelf.hpp"       // pending_task, task_shelf
#include "tartan/patterns/master_worker/work.hpp"        // dynamic_work, work_call

namespace tartan::inline TARTAN_ABI::detail {

/// Keeps the channel filled from the shelf, and the shelf from what comes back.
template <class P, class Tasks, class Work, class Order, class Sink>
class master {
  using task_type = std::ranges::range_value_t<Tasks>;
  using call = work_call<Work, task_type>;
  static constexpr bool opens = call::adds && shared_memory_backend<typename P::backend_type>;
  using work_type = std::conditional_t<opens, open_work<Work, task_type>, dynamic_work<Work, task_type>>;
  using reply = typename work_type::reply;
  using kept = typename call::kept;
  using shelf_type = task_shelf<task_type, Order>;

 public:
  master(P const& policy, Tasks& tasks, Work work, Order order, Sink& sink)
      : policy_(policy),
        width_(policy.backend().width(policy.props())),
        window_(window_of(policy)),
        next_(std::ranges::begin(tasks)),
        end_(std::ranges::end(tasks)),
        work_(make_work(std::move(work), open_)),
        shelf_(std::move(order)),
        sink_(sink) {}

  /// False when the sink has ended it.
  bool run() {
    auto channel = open_channel<reply, task_type>(policy_.backend(), policy_.props(), std::move(work_), window_);
    for (;;) {
      if (wants_end()) channel.cancel();
      feed(channel);
      if (channel.under_way() == 0) break;
      if (takes_open_children(channel)) continue;
      channel.wait();
      channel.poll([&](std::size_t index, outcome<reply> o) { ended(channel, index, std::move(o)); });
    }
#if TARTAN_EXCEPTIONS
    if (error_ != nullptr) std::rethrow_exception(error_);
#endif
    if (skipped_) raise<cancelled>();
    return !ended_by_sink_;
  }

 private:
  [[nodiscard]] static work_type make_work(Work&& work, open_tasks<task_type>& open) {
    if constexpr (opens)
      return {std::move(work), &open};
    else
      return static_cast<void>(open), work_type{std::move(work)};
  }

  /// As much as the workers can hold: enough to hide the way to the master, little where the best comes first.
  [[nodiscard]] static std::size_t window_of(P const& policy) {
    std::size_t const width = policy.backend().width(policy.props());
    if (width == 1) return 1;
    if (policy.props().in_flight != 0) return policy.props().in_flight;
    return width * (shelf_type::takes_all_at_once ? 2 : 32);
  }

  [[nodiscard]] bool stopped() const { return policy_.props().stop.requested(); }
  [[nodiscard]] bool failed() const noexcept { return failed_ != family::none; }

  [[nodiscard]] bool wants_end() {
    if (ended_by_sink_) return true;
    if (!stopped()) return false;
    if (!shelf_.empty() || (!failed() && next_ != end_)) skipped_ = true;
    return true;
  }

  template <class Channel>
  void feed(Channel& channel) {
    while (!ended_by_sink_ && !stopped()) {
      while (!failed() && next_ != end_ && (shelf_.empty() || shelf_type::takes_all_at_once)) fetch();
      if (shelf_.empty() || channel.under_way() == window_) return;
      pending_task<task_type> t = shelf_.take();
      if (failed() && family_.before(failed_, t.id)) {  // a serial loop would not have come to it
        family_.release(t.id);
      } else {
        under_way_.emplace(pushed_++, place{t.id, t.number});
        static_cast<void>(channel.try_push(std::move(t.task)));
      }
    }
  }

  /// When a worker would be idle: whether tasks that still run had added some.
  template <class Channel>
  [[nodiscard]] bool takes_open_children(Channel const& channel) {
    if constexpr (!opens) {
      return false;
    } else {
      bool const hungry = width_ > 1 && shelf_.empty() && channel.under_way() < width_ && !ended_by_sink_ && !stopped();
      open_.set_hungry(hungry);
      if (!hungry) return false;
      auto batches = open_.take();
      for (auto& b : batches) {
        place const parent = under_way_.at(b.index);
        adopt(parent.id, parent.number, b.first, std::move(b.added));
      }
      return !batches.empty();
    }
  }

  void fetch() {
    std::size_t const id = family_.add(family::none, roots_++);
    sink_.found_root(found_);
    shelf_.put_back({id, found_++, task_type(*next_)});
    ++next_;
  }

  template <class Channel>
  void ended(Channel& channel, std::size_t index, outcome<reply>&& o) {
    auto const at = under_way_.find(index);
    auto const [id, number] = at->second;
    if constexpr (opens) {
      if (o.has_value() && !o->result.has_value()) {  // it still runs
        if (!ended_by_sink_) adopt(id, number, o->first, std::move(o->added));
        return;
      }
    }
    under_way_.erase(at);
    if (ended_by_sink_) return family_.release(id);
    if (o.has_value()) {
      open_reply<kept, task_type> r = whole(std::move(*o));
      adopt(id, number, r.first, std::move(r.added));
      if (!sink_.done(number, outcome<kept>(std::in_place, number, std::move(*r.result)))) {
        ended_by_sink_ = true;
        channel.cancel();
      }
    } else if (was_skipped(o.error())) {
      skipped_ = true;
    } else if constexpr (Sink::keeps_errors) {
      sink_.done(number, outcome<kept>(number, o.error()));
    } else if (!failed() || family_.before(id, failed_)) {
      if (failed()) family_.release(failed_);
      failed_ = id;
      error_ = o.error();
      return;  // keeps its place in the family
    }
    family_.release(id);
  }

  static open_reply<kept, task_type> whole(reply&& r) {
    if constexpr (opens)
      return std::move(r);
    else
      return {std::move(r.first), 0, std::move(r.second)};
  }

  /// `ordinal` is that of the first of them among all that the parent adds.
  void adopt(std::size_t parent, std::size_t parent_number, std::size_t ordinal, std::vector<task_type>&& added) {
    std::size_t const n = added.size(), first = found_;
    found_ += n;
    if (n != 0) sink_.found_children(parent_number, ordinal, first, n);
    for (std::size_t i = n; i-- != 0;)  // the first one is to be taken first
      shelf_.put_back({family_.add(parent, ordinal + i), first + i, std::move(added[i])});
  }

  /// Whether an error is that of a task which a stop has kept from running.
  [[nodiscard]] bool was_skipped(std::exception_ptr const& error) const {
#if TARTAN_EXCEPTIONS
    if (!stopped()) return false;
    try {
      std::rethrow_exception(error);
    } catch (cancelled const&) {
      return true;
    } catch (...) {
      return false;
    }
#else
    return error == nullptr;
#endif
  }

  struct place {
    std::size_t id, number;
  };

  P const& policy_;
  std::size_t const width_, window_;
  std::ranges::iterator_t<Tasks> next_;
  std::ranges::sentinel_t<Tasks> end_;
  open_tasks<task_type> open_;
  work_type work_;
  shelf_type shelf_;
  Sink& sink_;
  family family_;
  std::unordered_map<std::size_t, place> under_way_;
  std::size_t pushed_ = 0, found_ = 0, roots_ = 0;
  std::size_t failed_ = family::none;
  std::exception_ptr error_;
  bool skipped_ = false, ended_by_sink_ = false;
};

/// Rvalue containers give their tasks away.
template <class R>
decltype(auto) given_tasks(R&& r) {
  if constexpr (std::is_lvalue_reference_v<R> || std::ranges::view<std::remove_cvref_t<R>>)
    return (r);
  else
    return std::ranges::subrange(std::make_move_iterator(std::ranges::begin(r)),
                                 std::make_move_iterator(std::ranges::end(r)));
}

template <class P, class R, class Work, class Order, class Sink>
bool run_master(P const& policy, R&& tasks, Work&& work, Order order, Sink& sink) {
  auto&& given = given_tasks(std::forward<R>(tasks));
  using given_type = std::remove_reference_t<decltype(given)>;
  return master<P, given_type, Work, Order, Sink>(policy, given, std::move(work), std::move(order), sink).run();
}

}  // namespace tartan::inline TARTAN_ABI::detail
