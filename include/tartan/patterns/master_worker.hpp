#pragma once
// Tasks of any cost that may add further tasks, handed out by a master.

#include <algorithm>    // pop_heap, push_heap, sort
#include <atomic>       // atomic, memory_order_*
#include <concepts>     // convertible_to, same_as
#include <cstddef>      // size_t
#include <deque>        // deque
#include <exception>    // exception_ptr, rethrow_exception
#include <functional>   // invoke
#include <iterator>     // make_move_iterator
#include <optional>     // nullopt, optional
#include <ranges>       // begin, end, input_range, range_value_t, subrange, view
#include <type_traits>  // conditional_t, decay_t, invoke_result_t, is_invocable_v, is_same_v, is_void_v, type_identity
#include <unordered_map>  // unordered_map
#include <utility>        // exchange, forward, move, pair
#include <variant>        // monostate
#include <vector>         // vector

#include "tartan/core/errors.hpp"       // cancelled, raise
#include "tartan/core/plain_mutex.hpp"  // mutex_hold, plain_mutex
#include "tartan/core/result.hpp"       // invoke_regular, regular_result
#include "tartan/exec/backend.hpp"      // shared_memory_backend
#include "tartan/exec/channel.hpp"      // channel_sender, open_channel
#include "tartan/exec/outcome.hpp"      // outcome
#include "tartan/exec/policy.hpp"       // execution_policy, supports

namespace tartan::inline TARTAN_ABI {

namespace detail {
template <class Task>
class open_task;
}

/// The second argument of a work(task, more): more(task) adds a task, from the thread that called work.
template <class Task>
class task_adder {
 public:
  explicit task_adder(std::vector<Task>& added) noexcept : added_(&added) {}
  explicit task_adder(detail::open_task<Task>& open) noexcept : open_(&open) {}
  void operator()(Task task) {
    if (added_ != nullptr)
      added_->push_back(std::move(task));
    else
      open_->add(std::move(task));
  }

 private:
  std::vector<Task>* added_ = nullptr;
  detail::open_task<Task>* open_ = nullptr;
};

namespace detail {

/// How work takes its task: as an rvalue that it may keep, else as an lvalue; alone, or with what adds tasks.
template <class Work, class Task>
struct work_call {
  using adder = task_adder<Task>;
  static constexpr bool moved =
      std::is_invocable_v<Work const&, Task&&> || std::is_invocable_v<Work const&, Task&&, adder&>;
  using argument = std::conditional_t<moved, Task&&, Task&>;
  static constexpr bool adds = std::is_invocable_v<Work const&, argument, adder&>;
  static constexpr bool callable = adds || std::is_invocable_v<Work const&, argument>;

  static auto result_type() {
    if constexpr (adds)
      return std::type_identity<std::invoke_result_t<Work const&, argument, adder&>>{};
    else
      return std::type_identity<std::invoke_result_t<Work const&, argument>>{};
  }
  using raw = typename decltype(result_type())::type;
  using result = std::conditional_t<std::is_void_v<raw>, void, std::decay_t<raw>>;
  using kept = regular_result<result>;
};

/// What travels to a worker: a task in, its result and the tasks that it added out.
template <class Work, class Task>
struct dynamic_work {
  using call = work_call<Work, Task>;
  using reply = std::pair<typename call::kept, std::vector<Task>>;

  [[no_unique_address]] Work work;

  reply operator()(Task& task) const {
    std::vector<Task> added;
    if constexpr (call::adds) {
      task_adder<Task> more(added);
      typename call::kept result = invoke_regular(work, static_cast<typename call::argument>(task), more);
      return {std::move(result), std::move(added)};
    } else {
      return {invoke_regular(work, static_cast<typename call::argument>(task)), std::move(added)};
    }
  }
};

/// A result, none while the task still runs, and the children that were added from number `first` on.
template <class Kept, class Task>
struct open_reply {
  std::optional<Kept> result;
  std::size_t first = 0;
  std::vector<Task> added{};
};

/// The running tasks that have added some, and whether the master wants them now.
///
/// [O1] The master says that it is hungry and then takes what the tasks have, each under its mutex; a task puts a child
///      there under its mutex and then looks whether the master is hungry. If the child was put after the master had
///      been there, the mutex orders the look after the master's word: the task sends it. So when a worker would be
///      idle, no child waits for its parent's end; and as long as none would be, adding one costs a lock.
template <class Task>
class open_tasks {
 public:
  struct batch {
    std::size_t index, first;
    std::vector<Task> added;
  };

  [[nodiscard]] bool hungry() const noexcept { return hungry_.load(std::memory_order_relaxed); }  // relaxed: [O1]
  void set_hungry(bool yes) noexcept { hungry_.store(yes, std::memory_order_relaxed); }           // relaxed: [O1]

  void enter(open_task<Task>& t) noexcept {
    mutex_hold const hold(mutex_);
    t.next_ = first_;
    if (first_ != nullptr) first_->before_ = &t;
    first_ = &t;
  }
  void leave(open_task<Task>& t) noexcept {
    mutex_hold const hold(mutex_);
    (t.before_ != nullptr ? t.before_->next_ : first_) = t.next_;
    if (t.next_ != nullptr) t.next_->before_ = t.before_;
  }

  /// The master, when it is hungry.
  [[nodiscard]] std::vector<batch> take() {
    std::vector<batch> all;
    mutex_hold const hold(mutex_);
    for (open_task<Task>* t = first_; t != nullptr; t = t->next_)
      if (batch b = t->take(); !b.added.empty()) all.push_back(std::move(b));
    return all;
  }

 private:
  std::atomic<bool> hungry_{false};
  plain_mutex mutex_;
  open_task<Task>* first_ = nullptr;
};

/// One running task: what it has added and nobody has taken yet.
template <class Task>
class open_task {
 public:
  using batch = typename open_tasks<Task>::batch;

  template <class Sender>
  open_task(open_tasks<Task>& all, Sender& sender) noexcept
      : all_(all),
        index_(sender.index()),
        sender_(&sender),
        send_([](void* to, batch&& b) { (*static_cast<Sender*>(to))({std::nullopt, b.first, std::move(b.added)}); }) {}
  open_task(open_task const&) = delete;
  open_task& operator=(open_task const&) = delete;
  ~open_task() {
    if (entered_) all_.leave(*this);
  }

  void add(Task&& task) {
    if (!entered_) all_.enter(*this), entered_ = true;
    {
      mutex_hold const hold(mutex_);
      added_.push_back(std::move(task));
    }
    if (all_.hungry())
      if (batch b = take(); !b.added.empty()) send_(sender_, std::move(b));
  }

  [[nodiscard]] batch take() {
    mutex_hold const hold(mutex_);
    batch b{index_, taken_, std::exchange(added_, {})};
    taken_ += b.added.size();
    return b;
  }

 private:
  friend class open_tasks<Task>;
  open_tasks<Task>& all_;
  std::size_t const index_;
  void* const sender_;
  void (*const send_)(void*, batch&&);
  bool entered_ = false;
  open_task *next_ = nullptr, *before_ = nullptr;  // under the mutex of all
  plain_mutex mutex_;
  std::vector<Task> added_;  // this and the count under the mutex
  std::size_t taken_ = 0;
};

/// Work where memory is shared: its children can be taken while it runs.
template <class Work, class Task>
struct open_work {
  using call = work_call<Work, Task>;
  using reply = open_reply<typename call::kept, Task>;

  reply operator()(Task& task, channel_sender<reply>& sender) const {
    open_task<Task> open(*all, sender);
    task_adder<Task> more(open);
    typename call::kept result = invoke_regular(work, static_cast<typename call::argument>(task), more);
    auto rest = open.take();
    return {std::move(result), rest.first, std::move(rest.added)};
  }

  [[no_unique_address]] Work work;
  open_tasks<Task>* all;
};

/// Where each task stands: its parent, and the how-manieth child it is. The order of a recursion: a task, then what it
/// added, each with all that came of it, before the next one. Kept as long as something below a task may still fail.
class family {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  std::size_t add(std::size_t parent, std::size_t ordinal) {
    std::size_t id = free_;
    if (id == none) {
      id = members_.size();
      members_.emplace_back();
    } else {
      free_ = members_[id].parent;
    }
    if (parent != none) ++members_[parent].holders;
    members_[id] = {parent, ordinal, parent == none ? 0 : members_[parent].depth + 1, 1};
    return id;
  }

  void release(std::size_t id) noexcept {
    while (id != none && --members_[id].holders == 0) {
      std::size_t const parent = std::exchange(members_[id].parent, free_);
      free_ = std::exchange(id, parent);
    }
  }

  /// Whether a comes before b.
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept {
    bool const ancestor_first = members_[a].depth < members_[b].depth;  // when one is above the other
    while (members_[a].depth > members_[b].depth) a = members_[a].parent;
    while (members_[b].depth > members_[a].depth) b = members_[b].parent;
    if (a == b) return ancestor_first;
    while (members_[a].parent != members_[b].parent) a = members_[a].parent, b = members_[b].parent;
    return members_[a].ordinal < members_[b].ordinal;
  }

 private:
  struct member {
    std::size_t parent = none, ordinal = 0, depth = 0, holders = 0;
  };
  std::deque<member> members_;
  std::size_t free_ = none;
};

/// A task that no worker has yet.
template <class Task>
struct pending_task {
  std::size_t id;      // in the family
  std::size_t number;  // in the order in which tasks were found
  Task task;
};

/// No ordering by the user: in the order of a recursion, as far as workers come in it; initial tasks are fetched as
/// they are needed.
struct depth_first {};

template <class Task, class Order>
class task_shelf {
 public:
  static constexpr bool takes_all_at_once = true;
  explicit task_shelf(Order order) : later_{std::move(order)} {}

  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
  [[nodiscard]] pending_task<Task> take() {
    std::pop_heap(tasks_.begin(), tasks_.end(), later_);
    pending_task<Task> first = std::move(tasks_.back());
    tasks_.pop_back();
    return first;
  }
  void put(pending_task<Task>&& t) {
    tasks_.push_back(std::move(t));
    std::push_heap(tasks_.begin(), tasks_.end(), later_);
  }
  void put_back(pending_task<Task>&& t) { put(std::move(t)); }

 private:
  struct later {
    [[no_unique_address]] Order before;
    bool operator()(pending_task<Task> const& a, pending_task<Task> const& b) const {
      if (std::invoke(before, b.task, a.task)) return true;
      return b.number < a.number && !std::invoke(before, a.task, b.task);
    }
  };
  later later_;
  std::vector<pending_task<Task>> tasks_;
};

template <class Task>
class task_shelf<Task, depth_first> {
 public:
  static constexpr bool takes_all_at_once = false;
  explicit task_shelf(depth_first) noexcept {}

  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
  [[nodiscard]] pending_task<Task> take() {
    pending_task<Task> last = std::move(tasks_.back());
    tasks_.pop_back();
    return last;
  }
  void put_back(pending_task<Task>&& t) { tasks_.push_back(std::move(t)); }

 private:
  std::vector<pending_task<Task>> tasks_;
};

/// Keeps results until they can be put in order.
template <class Kept, bool Tries>
class results_in_order {
 public:
  static constexpr bool keeps_errors = Tries;

  void found_root(std::size_t number) { make(number), roots_.push_back(number); }
  /// `ordinal` is that of the first of them among all children of the parent; they may come in any order.
  void found_children(std::size_t parent, std::size_t ordinal, std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) make(first + i);
    nodes_[parent].children.push_back({ordinal, first, count});
  }
  bool done(std::size_t number, outcome<Kept>&& result) {
    return nodes_[number].result.emplace(std::move(result)), true;
  }

  /// A task, then what it added, each with all that came of it. Calls visit(outcome).
  template <class Visit>
  void in_order(Visit&& visit) {
    struct siblings {
      std::size_t next, end;
    };
    std::vector<siblings> open;
    for (std::size_t const root : roots_) {
      open.push_back({root, root + 1});
      while (!open.empty()) {
        if (open.back().next == open.back().end) {
          open.pop_back();
          continue;
        }
        node& n = nodes_[open.back().next++];
        if (!n.result->has_value()) n.children.clear();  // a task that failed has added none
        visit(std::move(*n.result));
        n.result.reset();
        std::sort(n.children.begin(), n.children.end(), [](auto a, auto b) { return a.ordinal > b.ordinal; });
        for (batch const& b : n.children) open.push_back({b.first, b.first + b.count});
      }
    }
  }

 private:
  struct batch {
    std::size_t ordinal, first, count;
  };
  struct node {
    std::optional<outcome<Kept>> result{};
    std::vector<batch> children{};
  };
  void make(std::size_t number) {
    if (nodes_.size() <= number) nodes_.resize(number + 1);
  }
  std::deque<node> nodes_;
  std::vector<std::size_t> roots_;
};

/// Hands results to the user as they come. False ends the whole.
template <class Result, class OnResult>
class results_as_they_come {
 public:
  static constexpr bool keeps_errors = false;
  explicit results_as_they_come(OnResult& on_result) noexcept : on_result_(on_result) {}

  void found_root(std::size_t) noexcept {}
  void found_children(std::size_t, std::size_t, std::size_t, std::size_t) noexcept {}
  bool done(std::size_t, outcome<regular_result<Result>>&& result) {
    if constexpr (std::is_void_v<Result>)
      return goes_on([&]() -> decltype(auto) { return std::invoke(on_result_); });
    else
      return goes_on([&]() -> decltype(auto) { return std::invoke(on_result_, std::move(result).value()); });
  }

 private:
  template <class Call>
  static bool goes_on(Call&& call) {
    if constexpr (std::is_same_v<std::decay_t<decltype(call())>, bool>)
      return call();
    else
      return call(), true;
  }
  OnResult& on_result_;
};

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

template <class P, class Task, class Work>
consteval void check_master_worker() {
  static_assert(
      work_call<Work, Task>::callable,
      "tartan: master_worker(policy, tasks, work) needs a work that can be called, without changing itself, as "
      "work(task) or work(task, more), where more(task) adds a task");
  static_assert(supports<P, property::in_flight>,
                "tartan: master_worker does not support a property of this policy (it takes workers, in_flight, stop, "
                "progress, name, on)");
}

}  // namespace detail

/// What work gives for each task, also for those that were added on the way: work(task, more) adds by more(task).
///
///     auto scores = tartan::master_worker(tartan::par, roots, [](node n, auto&& more) {
///       for (node const& c : n.children()) more(c);
///       return n.score();
///     });
///
/// @param tasks  Any input range, also of unknown length; lvalues are copied, what a temporary container holds is
/// moved.
/// @param work   Called once for each task, from several threads at once. A task that it adds begins as soon as a
/// worker
///               is free for it; on policies that do not share memory, when the one that added it has ended.
/// @returns  A std::vector of its results in input order, where what a task added follows it, depth first; nothing if
///           work returns nothing.
///
/// Complexity: some 100 bytes a task besides its result.
/// Determinism: the order of the results depends on nothing but the tasks.
/// Exceptions: of those that tasks threw the first in this order; tasks behind it may be skipped. `cancelled` if a stop
/// skipped tasks.
/// Blocking: until every task has ended. On `par` the caller hands out tasks while the pool's threads work.
template <execution_policy P, std::ranges::input_range R, class Work>
auto master_worker(P const& policy, R&& tasks, Work work) {
  using task_type = std::ranges::range_value_t<R>;
  detail::check_master_worker<P, task_type, Work>();
  using call = detail::work_call<Work, task_type>;
  if constexpr (std::is_void_v<typename call::result>) {
    auto const nothing = [] {};
    detail::results_as_they_come<void, decltype(nothing)> sink(nothing);
    detail::run_master(policy, std::forward<R>(tasks), std::move(work), detail::depth_first{}, sink);
  } else {
    detail::results_in_order<typename call::kept, false> sink;
    detail::run_master(policy, std::forward<R>(tasks), std::move(work), detail::depth_first{}, sink);
    std::vector<typename call::result> results;
    sink.in_order([&](outcome<typename call::kept>&& o) { results.push_back(std::move(o).value()); });
    return results;
  }
}

namespace detail {

template <class P, class R, class Work, class OnResult, class Order>
auto master_worker_to(P const& policy, R&& tasks, Work&& work, OnResult& on_result, Order order) {
  using task_type = std::ranges::range_value_t<R>;
  check_master_worker<P, task_type, Work>();
  using result = typename work_call<Work, task_type>::result;
  constexpr auto takes_result = [] {
    if constexpr (std::is_void_v<result>)
      return std::is_invocable<OnResult&>{};
    else
      return std::is_invocable<OnResult&, result>{};
  }();
  static_assert(takes_result,
                "tartan: the on_result of master_worker is called with what work returns, and without argument if that "
                "is nothing");
  results_as_they_come<result, OnResult> sink(on_result);
  return run_master(policy, std::forward<R>(tasks), std::forward<Work>(work), std::move(order), sink);
}

}  // namespace detail

/// The same, but on_result gets each result as soon as it is there, on the calling thread, and ends the whole when it
/// returns false: tasks that have not begun are skipped then.
///
///     tartan::master_worker(tartan::par, roots, visit, [&](double s) { best = std::max(best, s); });
///
/// Returns: whether on_result let every task run.
/// Complexity: tasks that have ended cost no memory.
/// Exceptions: also what on_result throws, after the tasks that run have ended.
template <execution_policy P, std::ranges::input_range R, class Work, class OnResult>
bool master_worker(P const& policy, R&& tasks, Work work, OnResult on_result) {
  return detail::master_worker_to(policy, std::forward<R>(tasks), std::move(work), on_result, detail::depth_first{});
}

/// The same, best first: of the tasks that are known, one that no other is `before` goes to the next free worker.
///
///     tartan::master_worker(tartan::par, std::vector{start}, expand, is_better_than_best,
///                           [](state const& a, state const& b) { return a.bound < b.bound; });
///
/// @param before  A strict weak ordering of tasks, called on the calling thread; equals go in the order in which they
///                were found. All initial tasks are fetched at the beginning.
template <execution_policy P, std::ranges::input_range R, class Work, class OnResult, class Before>
bool master_worker(P const& policy, R&& tasks, Work work, OnResult on_result, Before before) {
  using task_type = std::ranges::range_value_t<R>;
  static_assert(
      std::is_invocable_r_v<bool, Before&, task_type const&, task_type const&>,
      "tartan: the last argument of master_worker says whether one task goes before another: a bool(task const&, "
      "task const&)");
  return detail::master_worker_to(policy, std::forward<R>(tasks), std::move(work), on_result, std::move(before));
}

/// master_worker where a failure is a result too: what became of each task, in input order as above. Skips nothing.
///
///     for (auto const& o : tartan::try_master_worker(tartan::par, urls, crawl))
///       if (!o) std::puts(o.what().c_str());
///
/// @returns  std::vector<outcome<R>>; a task that failed has added none.
/// Exceptions: `cancelled` after a stop.
template <execution_policy P, std::ranges::input_range R, class Work>
[[nodiscard]] auto try_master_worker(P const& policy, R&& tasks, Work work) {
  using task_type = std::ranges::range_value_t<R>;
  detail::check_master_worker<P, task_type, Work>();
  using call = detail::work_call<Work, task_type>;
  using kept = typename call::kept;
  detail::results_in_order<kept, true> sink;
  detail::run_master(policy, std::forward<R>(tasks), std::move(work), detail::depth_first{}, sink);
  std::vector<outcome<typename call::result>> results;
  sink.in_order([&](outcome<kept>&& o) {
    if (o.has_value())
      results.emplace_back(std::in_place, results.size(), std::move(*o));
    else
      results.emplace_back(results.size(), o.error());
  });
  return results;
}

}  // namespace tartan::inline TARTAN_ABI
