#pragma once
// A progress counter that knows how much there is to count.

#include <atomic>
#include <cstddef>

#include "support/catch.hpp"

namespace tartan::test {

/// Counts completions; whether they were ever more than there can be, or none at all were told.
class ticker {
 public:
  void advance(std::size_t n) {
    if (n == 0 || done_.fetch_add(n) + n > most_) wrong_ = true;
  }

  /// call() completes exactly `total`.
  template <class Call>
  void counts(char const* what, std::size_t total, Call&& call) {
    start(total);
    call();
    INFO(what);
    CHECK(done_ == total);
    CHECK(!wrong_);
  }

  /// call() throws an Error and completes no more than `most`.
  template <class Error, class Call>
  void counts_no_more(char const* what, std::size_t most, Call&& call) {
    start(most);
    INFO(what);
    CHECK_THROWS_AS(call(), Error);
    CHECK(done_ <= most);
    CHECK(!wrong_);
  }

 private:
  void start(std::size_t most) { done_ = 0, most_ = most, wrong_ = false; }

  std::atomic<std::size_t> done_{0};
  std::size_t most_ = 0;
  std::atomic<bool> wrong_{false};
};

}  // namespace tartan::test
