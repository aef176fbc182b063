#pragma once
// Contenders for algorithms that change their input: each run begins with a fresh copy, which is not timed.

#include <chrono>   // steady_clock
#include <cstddef>  // size_t
#include <memory>   // shared_ptr
#include <string>   // string
#include <utility>  // move
#include <vector>   // vector

#include "harness.hpp"

namespace bench {

template <class T>
using shared_input = std::shared_ptr<std::vector<T> const>;

template <class T>
shared_input<T> share(std::vector<T> v) {
  return std::make_shared<std::vector<T> const>(std::move(v));
}

/// A copy of input in memory that is kept, so that no run pays for fresh pages.
template <class T>
std::vector<T>& fresh_copy(std::vector<T> const& input) {
  static std::vector<T> work;
  work = input;
  return work;
}

/// f changes a copy of input to what `expected` holds.
template <class T, class F>
contender in_place(std::string pattern, std::string backend, unsigned workers, shared_input<T> input,
                   shared_input<T> expected, F f) {
  contender c;
  c.pattern = std::move(pattern);
  c.backend = std::move(backend);
  c.workers = workers;
  c.items = static_cast<double>(input->size());
  c.right = [=] {
    std::vector<T> work = *input;
    f(work);
    return work == *expected;
  };
  c.figure = [=] {
    std::vector<T>& work = fresh_copy(*input);
    auto const begin = std::chrono::steady_clock::now();
    f(work);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  return c;
}

/// Each of them says how far memory rises while it runs.
inline void with_memory(std::vector<contender>& all) {
  for (contender& c : all) c.memory = true;
}

}  // namespace bench
