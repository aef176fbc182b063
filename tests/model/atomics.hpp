#pragma once
// model::atomics: what takes the place of real_atomics in the shipped templates when the checker runs them.

#include <atomic>       // memory_order
#include <bit>          // bit_cast
#include <chrono>       // nanoseconds
#include <cstdint>      // uint32_t, uint64_t
#include <cstring>      // memcpy
#include <optional>     // optional
#include <type_traits>  // is_integral_v, is_pointer_v, is_trivially_copyable_v

#include "engine.hpp"  // detail::*

namespace model {

namespace detail {

template <class T>
std::uint64_t to_bits(T const& value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "model::atomic holds up to eight bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

constexpr std::memory_order failure_of(std::memory_order order) {
  if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
  if (order == std::memory_order_release) return std::memory_order_relaxed;
  return order;
}

}  // namespace detail

/// The interface of std::atomic, with each call as an event of the model.
template <class T>
class atomic {
 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  atomic(site where = site::here()) : atomic(T{}, where) {}
  atomic(T value, site where = site::here())
      : location_(detail::make(false, detail::to_bits(value), std::is_same_v<T, std::uint32_t>, where)) {}
  atomic(atomic const&) = delete;
  atomic& operator=(atomic const&) = delete;
  ~atomic() {
    detail::destroy(location_, site::here());
    location_ = -1;
  }

  [[nodiscard]] bool is_lock_free() const { return true; }

  T load(std::memory_order order = std::memory_order_seq_cst, site where = site::here()) const {
    return detail::from_bits<T>(detail::load(location_, order, where));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) {
    detail::store(location_, detail::to_bits(value), order, where);
  }
  operator T() const { return load(); }
  T operator=(T value) {
    store(value);
    return value;
  }

  T exchange(T value, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) {
    return change([&](T) { return value; }, order, where);
  }
  T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) {
    return change([&](T old) { return static_cast<T>(old + value); }, order, where);
  }
  T fetch_sub(T value, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) {
    return change([&](T old) { return static_cast<T>(old - value); }, order, where);
  }
  T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) {
    return change([&](T old) { return static_cast<T>(old | value); }, order, where);
  }
  T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) {
    return change([&](T old) { return static_cast<T>(old & value); }, order, where);
  }
  T fetch_xor(T value, std::memory_order order = std::memory_order_seq_cst, site where = site::here()) {
    return change([&](T old) { return static_cast<T>(old ^ value); }, order, where);
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               site where = site::here()) {
    return exchange_if(expected, desired, success, failure, false, where);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                               site where = site::here()) {
    return exchange_if(expected, desired, order, detail::failure_of(order), false, where);
  }
  /// Only for retry loops that begin again with the value seen and do nothing else: a failure ends the execution, which
  /// is the same as one whose first look sees that value. There are no spurious failures.
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             site where = site::here()) {
    return exchange_if(expected, desired, success, failure, true, where);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                             site where = site::here()) {
    return exchange_if(expected, desired, order, detail::failure_of(order), true, where);
  }

 private:
  friend struct atomics;

  bool exchange_if(T& expected, T desired, std::memory_order success, std::memory_order failure, bool retried,
                   site where) {
    struct wish {
      std::uint64_t expected, desired;
    } const context{detail::to_bits(expected), detail::to_bits(desired)};
    std::uint64_t const old = detail::rmw(location_,
                                          {[](std::uint64_t seen, void const* c) -> std::optional<std::uint64_t> {
                                             auto const& w = *static_cast<wish const*>(c);
                                             if (seen != w.expected) return std::nullopt;
                                             return w.desired;
                                           },
                                           &context, success, failure, true, retried},
                                          where);
    if (old == context.expected) return true;
    expected = detail::from_bits<T>(old);
    return false;
  }
  template <class F>
  T change(F const& f, std::memory_order order, site where) {
    return detail::from_bits<T>(detail::rmw(location_,
                                            {[](std::uint64_t old, void const* c) -> std::optional<std::uint64_t> {
                                               return detail::to_bits(
                                                   (*static_cast<F const*>(c))(detail::from_bits<T>(old)));
                                             },
                                             &f, order, order, false},
                                            where));
  }

  int location_;
};

/// A non-atomic object whose accesses are checked for data races.
template <class T>
class data {
 public:
  data(site where = site::here()) : data(T{}, where) {}
  data(T value, site where = site::here()) : value_(value), location_(detail::make(true, 0, false, where)) {}
  data(data const&) = delete;
  data& operator=(data const&) = delete;
  ~data() {
    detail::destroy(location_, site::here());
    location_ = -1;
  }

  T get(site where = site::here()) const {
    detail::plain(location_, false, where);
    return value_;
  }
  void set(T value, site where = site::here()) {
    detail::plain(location_, true, where);
    value_ = value;
  }

 private:
  T value_;
  int location_;
};

/// The same under the notation of a plain object.
template <class T>
class plain {
 public:
  plain(T value = {}, site where = site::here()) : data_(value, where) {}
  plain(plain const&) = delete;
  plain& operator=(plain const& other) { return *this = T(other); }
  plain& operator=(T value) {
    data_.set(value);
    return *this;
  }
  operator T() const { return data_.get(); }

 private:
  data<T> data_;
};

/// What std::mutex is, under the memory model.
class mutex {
 public:
  mutex(site where = site::here()) : location_(detail::make(false, 0, false, where)) {}
  mutex(mutex const&) = delete;
  mutex& operator=(mutex const&) = delete;
  ~mutex() { detail::destroy(location_, site::here()); }

  void lock(site where = site::here()) {
    detail::rmw(location_,
                {[](std::uint64_t held, void const*) -> std::optional<std::uint64_t> {
                   if (held != 0) return std::nullopt;
                   return 1;
                 },
                 nullptr, std::memory_order_acquire, std::memory_order_relaxed, true, true, true},
                where);
  }
  void unlock(site where = site::here()) { detail::store(location_, 0, std::memory_order_release, where); }

 private:
  int location_;
};

struct atomics {
  template <class T>
  using plain = model::plain<T>;
  template <class T>
  using atomic = model::atomic<T>;
  template <class T>
  using model_atomic = model::atomic<T>;  // see stand_in/world.hpp

  static void full_fence(site where = site::here()) { detail::fence(op::full_fence, std::memory_order_seq_cst, where); }
  static void full_fence_behind_rmw(site where = site::here()) { full_fence(where); }
  static void light_fence(bool asymmetric, site where = site::here()) {
    detail::fence(asymmetric ? op::light_fence : op::full_fence, std::memory_order_seq_cst, where);
  }
  static void heavy_fence(bool asymmetric, site where = site::here()) {
    detail::fence(asymmetric ? op::heavy_fence : op::full_fence, std::memory_order_seq_cst, where);
  }
  static bool asymmetric_available() { return detail::asymmetric_available(); }
  static void pause() { detail::pause(); }

  static void wait(model::atomic<std::uint32_t>& word, std::uint32_t expected,
                   std::chrono::nanoseconds limit = std::chrono::nanoseconds{-1}, site where = site::here()) {
    detail::futex_wait(word.location_, expected, limit.count() >= 0, where);
  }
  static void wake(model::atomic<std::uint32_t>& word, int count = 1, site where = site::here()) {
    detail::futex_wake(word.location_, count, where);
  }
};

/// Fences of any order, for the litmus tests; the shipped code has only those of `Atomics`.
inline void thread_fence(std::memory_order order, site where = site::here()) {
  detail::fence(op::full_fence, order, where);
}

}  // namespace model
