#pragma once
// Exceptions at every point of a call in turn.

#include <array>
#include <atomic>
#include <cstddef>

#include "tartan/core/atomics.hpp"

namespace tartan::test {

/// What is thrown on purpose.
struct fault {
  int step, item;
  friend bool operator==(fault const&, fault const&) = default;
};

/// The fault that f() throws; {-2, -2} if it throws none.
template <class F>
fault what_comes(F&& f) {
  try {
    static_cast<void>(f());
  } catch (fault const& e) {
    return e;
  }
  return {-2, -2};
}

/// Throws from its n-th call of pass(), counted from 0; from none after disarm().
class tripwire {
 public:
  void arm(int n) { left_ = n; }
  void disarm() { left_ = -1; }
  /// Whether it has thrown since arm().
  [[nodiscard]] bool sprung() const { return sprung_.exchange(false); }
  void pass() {
    if (left_.load() < 0 || left_.fetch_sub(1) != 0) return;
    sprung_ = true;
    throw fault{-1, -1};
  }

 private:
  std::atomic<int> left_{-1};
  mutable std::atomic<bool> sprung_{false};
};

/// A number whose moves (and copies) pass a tripwire, and which counts its instances. Moved from, it says so.
class fragile {
 public:
  static inline tripwire moves;
  static inline std::atomic<int> alive{0};

  explicit fragile(int value) : value_(value) { ++alive; }
  fragile(fragile const& other) : value_((moves.pass(), other.value_)) { ++alive; }
  fragile(fragile&& other) : value_((moves.pass(), other.value_)) {
    other.value_ = moved_from;
    ++alive;
  }
  fragile& operator=(fragile const& other) { return moves.pass(), value_ = other.value_, *this; }
  fragile& operator=(fragile&& other) {
    moves.pass();
    value_ = other.value_;
    if (this != &other) other.value_ = moved_from;
    return *this;
  }
  ~fragile() { --alive; }

  static constexpr int moved_from = -1000;
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

/// Who was seen at which step, and who fails there.
template <int Steps, int Items>
class passages {
 public:
  passages() = default;
  explicit passages(fault one) : faults_{one, {-1, -1}} {}
  passages(fault one, fault other) : faults_{one, other} {}

  /// Item i is at this step.
  int at(int step, int i) {
    ++seen_[static_cast<std::size_t>(step * Items + i)];
    for (int k = 0; k != 20 * ((step + i) % 4); ++k) detail::cpu_pause();  // others overtake
    for (fault const& f : faults_)
      if (f == fault{step, i}) throw f;
    return i;
  }
  [[nodiscard]] int seen(int step, int i) const { return seen_[static_cast<std::size_t>(step * Items + i)]; }

 private:
  std::array<fault, 2> faults_{{{-1, -1}, {-1, -1}}};
  std::array<std::atomic<int>, static_cast<std::size_t>(Steps* Items)> seen_{};
};

}  // namespace tartan::test
