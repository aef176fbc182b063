#pragma once
// Values from many processes to many, in order, through shared memory; and the pipe of two ends made of it.

#include <atomic>    // atomic, memory_order_*
#include <chrono>    // duration
#include <cstddef>   // byte, ptrdiff_t, size_t
#include <cstdint>   // uint64_t
#include <iterator>  // default_sentinel_t
#include <optional>  // optional
#include <utility>   // move

#include "tartan/core/codec.hpp"   // decode_from, encode_to, encoded_size
#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // bad_argument, error, raise
#include "tartan/ipc/handle.hpp"   // shared_handle
#include "tartan/ipc/robust.hpp"   // robust_lock
#include "tartan/ipc/waiting.hpp"  // deadline, waiting_word

namespace tartan::inline TARTAN_ABI {

/// put() after close(), or get() when the queue was closed and is empty.
struct queue_closed : error {
  queue_closed()
      : error("tartan: the queue is closed; put() before close(), and take range-for or try_get() to see its end") {}
};

namespace detail {

/// A bounded sequence of encoded values. Whoever dies under the lock leaves it whole: a value is in it from the store
/// of `tail` on, and out of it from the store of `head` on. (One whose process dies while it holds a value in neither
/// place is lost with it.)
class queue_state {
 public:
  struct item {
    std::byte* bytes;
    std::uint64_t size;
  };

  explicit queue_state(std::size_t capacity) : capacity_(capacity) {
    items_ = static_cast<item*>(known_segment()->allocate(capacity * sizeof(item), 64));
  }
  queue_state(queue_state const&) = delete;
  queue_state& operator=(queue_state const&) = delete;
  ~queue_state() {
    for (auto i = head_; i != tail_; ++i) known_segment()->deallocate(items_[i % capacity_].bytes);
    known_segment()->deallocate(items_);
  }

  enum class result { done, timed_out, closed };

  result put(item const& it, deadline const& until) {
    for (;;) {
      auto const ticket = taken_.value().load(std::memory_order_seq_cst);  // with announce(taken_)
      {
        hold const locked(lock_);
        if (closed_) return result::closed;
        if (tail_ - head_ < capacity_) {
          items_[tail_ % capacity_] = it;  // release: who is killed here has put it whole or not at all
          std::atomic_ref(tail_).store(tail_ + 1, std::memory_order_release);
          break;
        }
      }
      if (until.passed()) return result::timed_out;
      taken_.sleep(ticket, until.left());
    }
    announce(put_);
    return result::done;
  }

  result get(item& it, deadline const& until) {
    for (;;) {
      auto const ticket = put_.value().load(std::memory_order_seq_cst);  // with announce(put_)
      {
        hold const locked(lock_);
        if (tail_ != head_) {
          it = items_[head_ % capacity_];  // release: who is killed here has read it whole or not taken it
          std::atomic_ref(head_).store(head_ + 1, std::memory_order_release);
          break;
        }
        if (closed_) return result::closed;
      }
      if (until.passed()) return result::timed_out;
      put_.sleep(ticket, until.left());
    }
    announce(taken_);
    return result::done;
  }

  void close() {
    {
      hold const locked(lock_);
      closed_ = true;
    }
    announce(put_);
    announce(taken_);
  }

  [[nodiscard]] std::size_t size() {
    hold const locked(lock_);
    return static_cast<std::size_t>(tail_ - head_);
  }

 private:
  struct hold {
    explicit hold(robust_lock& l) : lock(l) { (void)lock.lock(); }  // after a death, too: see above
    hold(hold const&) = delete;
    hold& operator=(hold const&) = delete;
    ~hold() { lock.unlock(); }
    robust_lock& lock;
  };

  /// seq_cst for changed(): with the ticket of put() or get(), which sleeps only if the word is as it was.
  static void announce(waiting_word& w) noexcept {
    w.value().fetch_add(1, std::memory_order_seq_cst);
    w.changed();
  }

  robust_lock lock_;
  std::size_t const capacity_;
  item* items_;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  bool closed_ = false;
  waiting_word put_;
  waiting_word taken_;
};

}  // namespace detail

namespace ipc {

/// A bounded queue between processes: many may put, many may get, each value comes out once, first in first out.
///
///     tartan::ipc::queue<std::string> q(64);
///     tartan::process reader(consume, q);  reader.start();
///     for (auto const& line : lines) q.put(line);
///     q.close();                                        // in the reader: for (std::string line : q) ...
///
/// T is any type that travels. Values lie in shared memory; put() waits while the queue is full. A process that is
/// killed between taking a value and using it takes that value with it. Throws out_of_shared_memory, queue_closed.
template <class T>
class queue : public detail::shared_handle<detail::queue_state> {
 public:
  explicit queue(std::size_t capacity) : shared_handle(made{}, checked(capacity)) { detail::require_shippable<T>(); }
  explicit queue(borrowed b) : shared_handle(b) {}

  void put(T const& value) { (void)put_until(value, detail::deadline()); }
  [[nodiscard]] bool try_put(T const& value) { return put_until(value, detail::deadline(std::chrono::nanoseconds{0})); }
  template <class Rep, class Period>
  [[nodiscard]] bool put(T const& value, std::chrono::duration<Rep, Period> limit) {
    return put_until(value, detail::deadline(std::chrono::duration_cast<std::chrono::nanoseconds>(limit)));
  }

  /// The oldest value; waits for one. Throws queue_closed when the queue is closed and empty.
  [[nodiscard]] T get() {
    auto value = next(detail::deadline());
    if (!value) detail::raise<queue_closed>();
    return std::move(*value);
  }
  /// The oldest value, or nothing if there is none now, or none in time.
  [[nodiscard]] std::optional<T> try_get() { return next(detail::deadline(std::chrono::nanoseconds{0})); }
  template <class Rep, class Period>
  [[nodiscard]] std::optional<T> get(std::chrono::duration<Rep, Period> limit) {
    return next(detail::deadline(std::chrono::duration_cast<std::chrono::nanoseconds>(limit)));
  }

  /// No more values come: what is in it can still be taken.
  void close() { state().close(); }

  [[nodiscard]] std::size_t size() const { return state().size(); }

  /// Takes values until the queue is closed and empty.
  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit iterator(queue& q) : queue_(&q) { ++*this; }
    T& operator*() const { return *value_; }
    iterator& operator++() {
      value_ = queue_->next(detail::deadline());
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !value_.has_value(); }

   private:
    queue* queue_;
    mutable std::optional<T> value_;
  };
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  using result = detail::queue_state::result;

  static std::size_t checked(std::size_t capacity) {
    if (capacity == 0) detail::raise<bad_argument>("tartan: a queue needs room for at least one value");
    return capacity;
  }

  /// Frees a block of the arena at the end, unless it was given away.
  struct block {
    std::byte* at;
    ~block() { detail::known_segment()->deallocate(at); }
  };

  bool put_until(T const& value, detail::deadline const& until) {
    auto const size = detail::encoded_size(value);
    block b{static_cast<std::byte*>(detail::known_segment()->allocate(size))};
    frame_writer out(b.at, size);
    detail::encode_to(out, value);
    auto const r = state().put({b.at, size}, until);
    if (r == result::done) b.at = nullptr;
    if (r == result::closed) detail::raise<queue_closed>();
    return r == result::done;
  }

  std::optional<T> next(detail::deadline const& until) {
    detail::queue_state::item it{};
    if (state().get(it, until) != result::done) return std::nullopt;
    block const b{it.bytes};
    frame_reader in(it.bytes, static_cast<std::size_t>(it.size));
    return std::optional<T>(detail::decode_from<T>(in));
  }
};

/// One of the two ends of a pipe: what it sends, the other receives.
template <class T>
class pipe_end {
 public:
  pipe_end(queue<T> out, queue<T> in) : out_(std::move(out)), in_(std::move(in)) {}

  void send(T const& value) { out_.put(value); }
  [[nodiscard]] T receive() { return in_.get(); }
  [[nodiscard]] std::optional<T> try_receive() { return in_.try_get(); }
  template <class Rep, class Period>
  [[nodiscard]] std::optional<T> receive(std::chrono::duration<Rep, Period> limit) {
    return in_.get(limit);
  }
  void close() { out_.close(); }

 private:
  friend struct codec<pipe_end<T>>;
  queue<T> out_;
  queue<T> in_;
};

/// A way there and back between two processes.
///
///     tartan::ipc::pipe<int> ends;
///     tartan::process child(serve, ends.second());  child.start();
///     ends.first().send(1);  int answer = ends.first().receive();
///
/// As a one-way pipe: send() puts in at the first end, receive() takes out at the second.
template <class T>
class pipe {
 public:
  explicit pipe(std::size_t capacity = 64) : there_(capacity), back_(capacity) {}

  [[nodiscard]] pipe_end<T> first() const { return {there_, back_}; }
  [[nodiscard]] pipe_end<T> second() const { return {back_, there_}; }

  void send(T const& value) { there_.put(value); }
  [[nodiscard]] T receive() { return there_.get(); }
  void close() { there_.close(); }

 private:
  friend struct codec<pipe<T>>;
  pipe(queue<T> there, queue<T> back) : there_(std::move(there)), back_(std::move(back)) {}
  queue<T> there_;
  queue<T> back_;
};

}  // namespace ipc

template <class T>
struct codec<ipc::pipe_end<T>> {
  static std::size_t size(ipc::pipe_end<T> const& e) {
    return codec<ipc::queue<T>>::size(e.out_) + codec<ipc::queue<T>>::size(e.in_);
  }
  static void write(frame_writer& out, ipc::pipe_end<T> const& e) {
    codec<ipc::queue<T>>::write(out, e.out_);
    codec<ipc::queue<T>>::write(out, e.in_);
  }
  static ipc::pipe_end<T> read(frame_reader& in) {
    auto out = codec<ipc::queue<T>>::read(in);
    return {std::move(out), codec<ipc::queue<T>>::read(in)};
  }
};

template <class T>
struct codec<ipc::pipe<T>> {
  static std::size_t size(ipc::pipe<T> const& p) {
    return codec<ipc::queue<T>>::size(p.there_) + codec<ipc::queue<T>>::size(p.back_);
  }
  static void write(frame_writer& out, ipc::pipe<T> const& p) {
    codec<ipc::queue<T>>::write(out, p.there_);
    codec<ipc::queue<T>>::write(out, p.back_);
  }
  static ipc::pipe<T> read(frame_reader& in) {
    auto there = codec<ipc::queue<T>>::read(in);
    return {std::move(there), codec<ipc::queue<T>>::read(in)};
  }
};

}  // namespace tartan::inline TARTAN_ABI
