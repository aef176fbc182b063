#pragma once
// Contenders for algorithms that change their input: each run begins with a fresh copy, which is not timed.

#include <chrono>   // steady_clock
#include <cstddef>  // size_t
#include <cstdlib>  // strtoul
#include <fstream>  // ifstream, ofstream
#include <memory>   // shared_ptr
#include <string>   // getline, string
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

/// Bytes that the kernel counts for this process: "VmRSS:" or, since the last reset_peak(), "VmHWM:".
inline std::size_t resident_bytes(std::string const& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what)) return std::strtoul(line.c_str() + what.size(), nullptr, 10) * 1024;
  return 0;
}
inline bool reset_peak() {
  std::ofstream refs("/proc/self/clear_refs");
  refs << 5 << std::flush;
  return static_cast<bool>(refs);
}

/// How far memory rises above its level before f(copy of input), an element.
template <class T, class F>
contender extra_memory(std::string pattern, std::string backend, unsigned workers, shared_input<T> input,
                       shared_input<T> expected, F f) {
  contender c = in_place(std::move(pattern), std::move(backend), workers, input, std::move(expected), f);
  c.in_bytes = true;
  c.figure = [=] {
    std::vector<T>& work = fresh_copy(*input);
    if (!reset_peak()) return 0.0;  // not on this kernel
    std::size_t const before = resident_bytes("VmRSS:");
    f(work);
    std::size_t const peak = resident_bytes("VmHWM:");
    return peak > before ? static_cast<double>(peak - before) : 0.0;
  };
  return c;
}

}  // namespace bench
