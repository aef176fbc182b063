#pragma once
// A map that computes ahead while its results are looped over.

#include <concepts>     // invocable
#include <cstddef>      // ptrdiff_t, size_t
#include <deque>        // deque
#include <functional>   // invoke
#include <iterator>     // default_sentinel_t, input_iterator_tag
#include <memory>       // addressof, make_unique, unique_ptr
#include <optional>     // optional
#include <ranges>       // begin, end, forward_range, input_range, range_reference_t, range_value_t, views::all
#include <type_traits>  // conditional_t, decay_t, invoke_result_t, is_lvalue_reference_v, is_void_v
#include <utility>      // forward, move

#include "tartan/exec/backend.hpp"  // shared_memory_backend
#include "tartan/exec/channel.hpp"  // open_channel
#include "tartan/exec/outcome.hpp"  // outcome
#include "tartan/exec/policy.hpp"   // execution_policy, supports

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What becomes of an element on its way to a worker: a reference to where it lies, if it lies there as long as the
/// range, else its value.
template <class P, class View>
struct imap_element {
  using reference = std::ranges::range_reference_t<View>;
  static constexpr bool in_place = shared_memory_backend<typename P::backend_type> &&
                                   std::ranges::forward_range<View> && std::is_lvalue_reference_v<reference>;
  using sent = std::conditional_t<in_place, std::remove_reference_t<reference>*, std::ranges::range_value_t<View>>;

  template <class It>
  static sent take(It const& it) {
    if constexpr (in_place)
      return std::addressof(*it);
    else
      return sent(*it);
  }
};

template <class F, class Sent, bool InPlace>
struct imap_work {
  [[no_unique_address]] F f;

  static decltype(auto) given(Sent& sent) {
    if constexpr (InPlace)
      return (*sent);
    else if constexpr (std::is_invocable_v<F const&, Sent&&>)
      return std::move(sent);  // each is used once
    else
      return (sent);
  }
  decltype(auto) operator()(Sent& sent) const { return std::invoke(f, given(sent)); }
};

enum class imap_order : bool { input, completion };

/// Pushes elements ahead of the loop and keeps what has ended before its turn.
template <class P, class View, class F, imap_order Order>
class imap_run {
  using element = imap_element<P, View>;
  using sent = typename element::sent;
  using work = imap_work<F, sent, element::in_place>;

 public:
  using value_type = std::decay_t<std::invoke_result_t<work const&, sent&>>;

  imap_run(P const& policy, View view, F f)
      : window_(window_of(policy)),
        enough_(2 * policy.backend().width(policy.props())),
        view_(std::move(view)),
        next_(std::ranges::begin(view_)),
        channel_(open_channel<value_type, sent>(policy.backend(), policy.props(), work{std::move(f)}, window_)) {}

  [[nodiscard]] std::optional<value_type>& current() noexcept { return current_; }

  void advance() {
    current_.reset();
    if (over_) return;
    over_ = true;  // unless a result comes
    for (;;) {
      bool const pushed = push_some();
      channel_.poll([this](std::size_t index, outcome<value_type> o) { keep(index, std::move(o)); });
      if (has_result()) break;
      if (pushed) continue;
      if (channel_.under_way() == 0) return;
      channel_.wait();
    }
    current_.emplace(take_result().value());  // throws what f threw: the loop is over then
    over_ = false;
  }

 private:
  static std::size_t window_of(P const& policy) {
    std::size_t const width = policy.backend().width(policy.props());
    if (width == 1) return 1;  // nobody would compute ahead
    return policy.props().in_flight != 0 ? policy.props().in_flight : 16 * width;
  }

  /// A source that may keep its caller waiting gives one element at a time; from others the window is filled, but only
  /// when half of it is empty or workers might soon be idle: pushes in a row cost less, and wake workers less often.
  [[nodiscard]] bool push_some() {
    if constexpr (element::in_place || std::ranges::random_access_range<View>) {
      if (channel_.under_way() > enough_ && 2 * (channel_.under_way() + kept_) > window_) return false;
      if (!push_one()) return false;
      while (push_one());
      return true;
    } else {
      return push_one();
    }
  }

  [[nodiscard]] bool push_one() {
    if (channel_.under_way() + kept_ == window_ || next_ == std::ranges::end(view_)) return false;
    static_cast<void>(channel_.try_push(element::take(next_)));
    ++next_;
    return true;
  }

  void keep(std::size_t index, outcome<value_type>&& o) {
    ++kept_;
    if constexpr (Order == imap_order::completion) {
      waiting_.emplace_back(std::move(o));
    } else {
      std::size_t const place = index - yielded_;
      while (waiting_.size() <= place) waiting_.emplace_back();
      waiting_[place].emplace(std::move(o));
    }
  }

  [[nodiscard]] bool has_result() const noexcept { return !waiting_.empty() && waiting_.front().has_value(); }

  [[nodiscard]] outcome<value_type> take_result() {
    outcome<value_type> first = std::move(*waiting_.front());
    waiting_.pop_front();
    ++yielded_;
    --kept_;
    return first;
  }

  std::size_t const window_;
  std::size_t const enough_;  // elements under way that keep all workers busy for a while
  View view_;
  std::ranges::iterator_t<View> next_;
  std::deque<std::optional<outcome<value_type>>> waiting_;  // the front is the next to be yielded
  std::size_t kept_ = 0;                                    // how many have ended and were not yielded yet
  std::size_t yielded_ = 0;
  std::optional<value_type> current_;
  bool over_ = false;
  decltype(open_channel<value_type, sent>(std::declval<P const&>().backend(), std::declval<P const&>().props(),
                                          std::declval<work>(), std::size_t{})) channel_;
};

}  // namespace detail

/// What imap() and imap_unordered() return: an input range of the results, for one loop.
///
/// Its end, at whatever moment, keeps tasks that have not begun from running and waits for those that have.
template <class Run>
class lazy_results {
 public:
  using value_type = typename Run::value_type;

  class iterator {
   public:
    using value_type = typename Run::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    [[nodiscard]] value_type& operator*() const noexcept { return *run_->current(); }
    [[nodiscard]] value_type* operator->() const noexcept { return std::addressof(**this); }
    iterator& operator++() { return run_->advance(), *this; }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return !run_->current().has_value(); }

   private:
    friend class lazy_results;
    explicit iterator(Run* run) noexcept : run_(run) {}
    Run* run_;
  };

  explicit lazy_results(std::unique_ptr<Run> run) noexcept : run_(std::move(run)) {}

  /// Once. Nothing is computed before.
  [[nodiscard]] iterator begin() { return run_->advance(), iterator(run_.get()); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::unique_ptr<Run> run_;
};

namespace detail {

template <imap_order Order, class P, class R, class F>
auto start_imap(P const& policy, R&& r, F&& f) {
  using reference = std::ranges::range_reference_t<R>;
  static_assert(std::invocable<F const&, reference> || std::invocable<F const&, std::ranges::range_value_t<R>&>,
                "tartan: imap(policy, range, f) needs an f that can be called with an element of the range, without "
                "changing itself");
  static_assert(supports<P, property::in_flight>,
                "tartan: imap does not support a property of this policy (it takes workers, in_flight, stop, progress, "
                "name, on)");
  using view = std::views::all_t<R>;
  using run = imap_run<P, view, std::decay_t<F>, Order>;
  static_assert(!std::is_void_v<std::invoke_result_t<F const&, reference>>,
                "tartan: imap needs an f that returns a value; use for_each for one that returns nothing");
  return lazy_results<run>(std::make_unique<run>(policy, std::views::all(std::forward<R>(r)), std::forward<F>(f)));
}

}  // namespace detail

/// The results of f(x) for each element x of r, in the order of r, computed some way ahead of the loop.
///
///     for (auto&& page : tartan::imap(tartan::par.in_flight(32), urls, fetch)) use(page);
///
/// @param policy  in_flight(n) is how many elements may be on their way at once, from the range to the end of the
/// loop's
///                body; without it 16 a worker. On one worker nothing is computed ahead.
/// @param r  Any input range, also of unknown or endless length, read on the calling thread. An lvalue is referred to
///           and must stay as long as the loop; any other range is moved in.
/// @param f  Called once for each element, from several threads at once; returns a value.
/// Exceptions: what f threw comes when its turn in the loop has come, and ends the loop; `cancelled` after a stop;
/// pool_closed or pool_gone where elements are left when the pool of the policy ends; a task of that pool, wherever it
/// runs, may go on after close(), and computes alone where no thread of the pool runs it.
/// Blocking: begin() and ++ wait for the next result; the end of the range waits for calls that have begun.
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto imap(P const& policy, R&& r, F f) {
  return detail::start_imap<detail::imap_order::input>(policy, std::forward<R>(r), std::move(f));
}

/// The same, each result as soon as it is there.
///
///     for (auto&& page : tartan::imap_unordered(tartan::par, urls, fetch)) use(page);
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto imap_unordered(P const& policy, R&& r, F f) {
  return detail::start_imap<detail::imap_order::completion>(policy, std::forward<R>(r), std::move(f));
}

}  // namespace tartan::inline TARTAN_ABI
