#pragma once
// One object for each worker that asks.

#include <algorithm>    // sort
#include <array>        // array
#include <atomic>       // atomic, memory_order_*
#include <cstddef>      // size_t
#include <functional>   // function
#include <memory>       // make_unique, unique_ptr
#include <type_traits>  // is_default_constructible_v, is_move_constructible_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/core/config.hpp"         // TARTAN_ABI
#include "tartan/core/padded.hpp"         // line_pair
#include "tartan/core/process_state.hpp"  // this_thread_cell
#include "tartan/core/worker.hpp"         // current_worker

namespace tartan::inline TARTAN_ABI {

/// One T for each worker that asks for its own: scratch memory, counters, random generators.
///
///     tartan::worker_local<std::vector<float>> scratch;
///     tartan::for_each(tartan::par, rows, [&](auto& row) { blur(row, scratch.local()); });
///
/// A worker that waits inside a task runs other work below that wait: do not keep local() across a pattern or a wait
/// unless that work may use the same object.
/// Determinism: which elements a worker sees differs from run to run, so combine() suits results for which that does
/// not matter; aggregate() is reproducible.
template <class T>
class worker_local {
 public:
  worker_local()
    requires std::is_default_constructible_v<T>
      : make_([] { return T(); }) {}

  /// `make()` gives each worker's object when it first asks.
  explicit worker_local(std::function<T()> make) : make_(std::move(make)) {}

  worker_local(worker_local const&) = delete;
  worker_local& operator=(worker_local const&) = delete;
  ~worker_local() {
    for (auto& head : chains_)
      for (node* n = head.load(std::memory_order_acquire); n != nullptr;)  // with local()
        delete std::exchange(n, n->next);
  }

  /// The calling worker's object; outside of tasks, the calling thread's, or that of a thread that has ended before.
  ///
  /// Complexity: some loads; an allocation and make() the first time.
  /// Thread safety: any thread, at any time.
  [[nodiscard]] T& local() {
    detail::worker const* const w = detail::current_worker();
    void const* const owner = w != nullptr ? static_cast<void const*>(w) : &detail::this_thread_cell();
    unsigned const index = w != nullptr ? w->index : ~0U;
    std::atomic<node*>& head = chains_[index % chains_.size()];
    for (node* n = head.load(std::memory_order_acquire); n != nullptr; n = n->next)  // with the exchange below
      if (n->owner == owner) return n->value;
    return add(head, owner, index);
  }

  /// Calls f(object) for each object, in the order of the workers' indices. No task may use them meanwhile.
  template <class F>
  void for_each(F&& f) {
    for (node* const n : in_order()) f(n->value);
  }

  /// Combines the objects into `init`, in the order of the workers' indices: combine(combine(init, first), second)...
  template <class R, class Combine>
  [[nodiscard]] R combine(R init, Combine combine) {
    for_each([&](T& value) { init = combine(std::move(init), value); });
    return init;
  }

 private:
  struct alignas(detail::line_pair) node {
    node(T its_value, void const* its_owner, unsigned its_index, std::size_t its_number)
        : value(std::move(its_value)), owner(its_owner), index(its_index), number(its_number) {}
    T value;
    void const* const owner;
    unsigned const index;
    std::size_t const number;
    node* next = nullptr;
  };

  T& add(std::atomic<node*>& head, void const* owner, unsigned index) {
    static_assert(std::is_move_constructible_v<T>,
                  "tartan: worker_local<T> moves what make() returns to its place: T needs a move constructor, or hold "
                  "it by std::unique_ptr<T>");
    auto fresh =
        std::make_unique<node>(make_(), owner, index, count_.fetch_add(1, std::memory_order_relaxed));  // a number
    fresh->next = head.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    while (!head.compare_exchange_weak(fresh->next, fresh.get(), std::memory_order_release,  // with local()
                                       std::memory_order_relaxed)) {
    }
    return fresh.release()->value;
  }

  [[nodiscard]] std::vector<node*> in_order() {
    std::vector<node*> all;
    for (auto& head : chains_)
      for (node* n = head.load(std::memory_order_acquire); n != nullptr; n = n->next) all.push_back(n);  // with add()
    std::sort(all.begin(), all.end(), [](node const* a, node const* b) {
      return a->index != b->index ? a->index < b->index : a->number < b->number;
    });
    return all;
  }

  std::function<T()> make_;
  std::array<std::atomic<node*>, 64> chains_{};
  std::atomic<std::size_t> count_{0};
};

}  // namespace tartan::inline TARTAN_ABI
