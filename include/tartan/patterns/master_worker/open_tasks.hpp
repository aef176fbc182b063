#pragma once
// Tasks that run and whose children can be taken meanwhile: where memory is shared.

#include <atomic>    // atomic, memory_order_*
#include <cstddef>   // size_t
#include <optional>  // nullopt, optional
#include <utility>   // exchange, move
#include <vector>    // vector

#include "tartan/core/plain_mutex.hpp"             // mutex_hold, plain_mutex
#include "tartan/core/result.hpp"                  // invoke_regular
#include "tartan/exec/channel.hpp"                 // channel_sender
#include "tartan/patterns/master_worker/work.hpp"  // task_adder, work_call

namespace tartan::inline TARTAN_ABI::detail {

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

}  // namespace tartan::inline TARTAN_ABI::detail
