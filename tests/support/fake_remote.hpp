#pragma once
// A backend whose workers do not see the caller's memory, in as few lines as such a thing takes: children are forked
// at the call, arguments and results pass through sockets and the codec. It shows that a pattern needs nothing more
// than the first tier of the contract. The strict one sends the functions through the codec, too.
//
// A test program has threads, and a child of fork() only the one that called. So a child takes no lock but malloc's,
// which the C library hands over intact: it runs the work, reads, writes, and leaves by _exit().

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "tartan/core/process_state.hpp"
#include "tartan/exec/backend.hpp"
#include "tartan/exec/outcome.hpp"
#include "tartan/exec/policy.hpp"
#include "tartan/exec/sending.hpp"
#include "tartan/ipc/exceptions.hpp"

namespace tartan::test {

using bytes = std::vector<std::byte>;

/// A child that answers each message by serve(message), one after the other.
class fake_worker {
 public:
  template <class Serve>
  explicit fake_worker(Serve const& serve) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    socket_ = ends[pid_ == 0 ? 1 : 0];
    ::close(ends[pid_ == 0 ? 0 : 1]);
    if (pid_ != 0) return;
    detail::this_thread_cell().current = nullptr;  // the pool's threads were left behind
    try {
      while (auto const message = receive()) send(serve(*message));
      ::_exit(0);
    } catch (...) {
      ::_exit(1);
    }
  }
  fake_worker(fake_worker const&) = delete;
  fake_worker& operator=(fake_worker const&) = delete;
  ~fake_worker() {
    ::kill(pid_, SIGKILL);  // idle, or nobody waits for its answer; younger siblings hold a copy of our end
    ::close(socket_);
    ::waitpid(pid_, nullptr, 0);
  }

  void send(bytes const& message) {
    std::uint64_t const length = message.size();
    put(&length, sizeof length);
    put(message.data(), message.size());
  }

  /// The next message; nothing when the other side is gone.
  std::optional<bytes> receive() {
    std::uint64_t length = 0;
    if (!get(&length, sizeof length)) return std::nullopt;
    bytes message(length);
    if (!get(message.data(), message.size())) return std::nullopt;
    return message;
  }

  [[nodiscard]] pollfd awaited() const noexcept { return {socket_, POLLIN, 0}; }

 private:
  [[noreturn]] static void fail(char const* what) { throw std::system_error(errno, std::generic_category(), what); }

  void put(void const* from, std::size_t n) {
    for (auto const* at = static_cast<char const*>(from); n != 0;) {
      ssize_t const sent = ::send(socket_, at, n, MSG_NOSIGNAL);
      if (sent < 0 && errno != EINTR) fail("fake worker");
      if (sent > 0) at += sent, n -= static_cast<std::size_t>(sent);
    }
  }
  bool get(void* to, std::size_t n) {
    for (auto* at = static_cast<char*>(to); n != 0;) {
      ssize_t const got = ::read(socket_, at, n);
      if (got == 0 || (got < 0 && errno != EINTR)) return false;
      if (got > 0) at += got, n -= static_cast<std::size_t>(got);
    }
    return true;
  }

  int socket_ = -1;
  pid_t pid_ = -1;
};

/// A result or what was thrown instead, as it travels.
template <class R>
using answer = std::variant<R, detail::shipped_exception>;

template <class R, class F>
answer<R> answer_of(F&& f) {
  try {
    return answer<R>(std::in_place_index<0>, std::forward<F>(f)());
  } catch (...) {
    return answer<R>(std::in_place_index<1>, detail::describe_current_exception());
  }
}

/// Several children that do the same work, each on one message at a time.
template <class R>
class fake_crew {
 public:
  /// serve(message) gives an encoded answer<R>.
  template <class Serve>
  fake_crew(std::size_t size, Serve const& serve) {
    for (std::size_t i = 0; i != size; ++i) workers_.emplace_back(serve);
    busy_.resize(size);
  }

  [[nodiscard]] bool has_room() const noexcept { return under_way_ != workers_.size(); }
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

  void give(std::size_t index, bytes const& message) {
    std::size_t w = 0;
    while (busy_[w]) ++w;
    workers_[w].send(message);
    busy_[w] = index;
    ++under_way_;
  }

  /// Waits (or only looks) for answers and calls take(index, answer) for each.
  template <class Take>
  bool poll(bool wait, Take&& take) {
    std::vector<pollfd> awaited;
    for (auto const& w : workers_) awaited.push_back(w.awaited());
    if (under_way_ == 0 || ::poll(awaited.data(), awaited.size(), wait ? -1 : 0) <= 0) return false;
    for (std::size_t w = 0; w != workers_.size(); ++w) {
      if (awaited[w].revents == 0 || !busy_[w]) continue;
      std::optional<bytes> const message = workers_[w].receive();
      std::size_t const index = *std::exchange(busy_[w], std::nullopt);
      --under_way_;
      if (!message) throw std::runtime_error("a fake worker died");
      take(index, detail::decode<answer<R>>(*message));
    }
    return true;
  }

 private:
  std::deque<fake_worker> workers_;
  std::vector<std::optional<std::size_t>> busy_;
  std::size_t under_way_ = 0;
};

template <class F>
struct fake_attempt {
  F f;
  template <class Part>
  auto operator()(Part& part) const {
    using result = detail::regular_result<std::invoke_result_t<F const&, decltype(*part.begin())>>;
    std::vector<answer<std::decay_t<result>>> all;
    for (auto&& x : part) all.push_back(answer_of<std::decay_t<result>>([&] { return detail::invoke_regular(f, x); }));
    return all;
  }
};

/// Clauses H1 to H7 of exec/channel.hpp: what the crew has no hand for yet waits in a backlog.
template <class R, class Argument, class Work, class Backend>
class fake_channel {
  using result = detail::regular_result<R>;

 public:
  fake_channel(properties const& props, std::size_t width, Work work, std::size_t window)
      : props_(props),
        work_(std::move(work)),
        window_(window),
        crew_(std::min(width, window), Backend::template server<result, Argument>(work_)) {}

  bool try_push(Argument const& argument) {
    if (closed_ || under_way_ == window_) return false;
    backlog_.emplace_back(next_index_, detail::encode_argument(argument));
    ++next_index_;
    ++under_way_;
    feed();
    return true;
  }
  template <class OnResult>
  std::size_t poll(OnResult&& on_result) {
    look(false);
    std::size_t results = 0;
    for (; !ready_.empty(); ++results, --under_way_) {
      auto [index, o] = std::move(ready_.front());
      ready_.pop_front();
      on_result(index, std::move(o));
    }
    return results;
  }
  void wait() {
    while (ready_.empty() && under_way_ != 0) look(true);
  }
  void close() { closed_ = true; }
  void cancel() {
    closed_ = true;
    for (auto& [index, message] : backlog_) end_unrun(index);
    backlog_.clear();
  }
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

 private:
  void feed() {
    for (; !backlog_.empty() && crew_.has_room(); backlog_.pop_front()) {
      if (props_.stop.requested())
        end_unrun(backlog_.front().first);
      else
        crew_.give(backlog_.front().first, backlog_.front().second);
    }
  }
  void look(bool wait) {
    crew_.poll(wait, [&](std::size_t i, answer<result> a) {
      props_.progress.finished(1);
      if (a.index() == 0)
        ready_.emplace_back(i, outcome<R>(std::in_place, i, std::get<0>(std::move(a))));
      else
        ready_.emplace_back(i, outcome<R>(i, detail::remake_exception(std::get<1>(a))));
    });
    feed();
  }
  void end_unrun(std::size_t i) { ready_.emplace_back(i, outcome<R>(i, std::make_exception_ptr(cancelled()))); }

  properties const props_;
  Work const work_;
  std::size_t const window_;
  fake_crew<result> crew_;
  std::deque<std::pair<std::size_t, bytes>> backlog_;
  std::deque<std::pair<std::size_t, outcome<R>>> ready_;
  std::size_t next_index_ = 0, under_way_ = 0;
  bool closed_ = false;
};

template <bool Strict>
struct fake_remote_backend {
  static constexpr std::string_view name = Strict ? "fake_remote_strict" : "fake_remote";
  static constexpr property honoured = property::grain | property::relaxed | property::in_flight;

  [[nodiscard]] std::size_t width(properties const& props) const noexcept {
    return props.workers != 0 ? props.workers : 3;
  }
  [[nodiscard]] std::size_t block_length(properties const& props, std::size_t n) const noexcept {
    return props.grain != 0 ? props.grain : n / (2 * width(props)) + 1;
  }

  /// What a worker does with a message, as a function from bytes to bytes.
  template <class R, class Argument, class Work>
  static auto server(Work const& work) {
    if constexpr (Strict) detail::require_shippable<Work>();
    return [sent = frozen(work)](bytes const& message) {
      return detail::encode(answer_of<R>([&]() -> R {
        auto argument = detail::decode<Argument>(message);
        if constexpr (Strict)
          return detail::decode<Work>(sent)(argument);
        else
          return sent.get()(argument);
      }));
    };
  }

  template <class R, class Slice, class Work>
  std::vector<R> collect(properties const& props, block_plan const& plan, Slice const& slice, Work const& work) const {
    using argument = detail::sent_t<std::invoke_result_t<Slice const&, block>>;
    std::vector<R> results;
    if (plan.count() == 0) return results;
    detail::run_control control = props.control();
    std::vector<std::optional<R>> made(plan.count());
    std::size_t failed = plan.count();
    std::exception_ptr error;
    auto const fail = [&](std::size_t i, std::exception_ptr e) {
      if (i < failed) failed = i, error = std::move(e);
    };
    fake_crew<R> crew(std::min(width(props), plan.count()), server<R, argument>(work));
    for (std::size_t next = 0; next < std::min(failed, plan.count()) || crew.under_way() != 0;) {
      if (next < std::min(failed, plan.count()) && crew.has_room()) {
        if (control.skips()) {
          next = plan.count();
          continue;
        }
        try {
          crew.give(next, detail::encode_argument(slice(plan[next])));
        } catch (...) {
          fail(next, std::current_exception());
        }
        ++next;
        continue;
      }
      crew.poll(true, [&](std::size_t i, answer<R> a) {
        control.finished(plan[i].size());
        if (a.index() == 0)
          made[i].emplace(std::get<0>(std::move(a)));
        else
          fail(i, detail::remake_exception(std::get<1>(a)));
      });
    }
    if (error) std::rethrow_exception(error);
    control.conclude();
    for (auto& r : made) results.push_back(std::move(*r));
    return results;
  }

  template <class R, class Argument, class Work>
  auto open(properties const& props, Work work, std::size_t window) const {
    return fake_channel<R, Argument, Work, fake_remote_backend>(props, width(props), std::move(work), window);
  }

  template <class R, class Range, class F>
  auto try_collect(properties const& props, Range&& range, F const& f, std::size_t offset) const {
    using result = detail::regular_result<R>;
    auto const first = std::ranges::begin(range);
    std::size_t const n = static_cast<std::size_t>(std::ranges::size(range));
    auto blocks = collect<std::vector<answer<result>>>(
        props, block_plan(n, block_length(props, n)),
        [&](block b) {
          return std::ranges::subrange(detail::advanced(first, b.begin), detail::advanced(first, b.end));
        },
        fake_attempt<F>{f});
    std::vector<outcome<R>> all;
    for (auto& one : blocks)
      for (auto& a : one) {
        if (a.index() == 0)
          all.emplace_back(std::in_place, offset + all.size(), std::get<0>(std::move(a)));
        else
          all.emplace_back(offset + all.size(), detail::remake_exception(std::get<1>(a)));
      }
    return all;
  }

 private:
  template <class Work>
  static auto frozen(Work const& work) {
    if constexpr (Strict)
      return detail::encode(work);
    else
      return std::cref(work);
  }
};
static_assert(backend<fake_remote_backend<false>> && !shared_memory_backend<fake_remote_backend<false>>);

/// Any function; what it changes stays in the child.
inline constexpr policy<fake_remote_backend<false>> remote{};
/// Only functions that can travel.
inline constexpr policy<fake_remote_backend<true>> remote_strict{};

}  // namespace tartan::test
