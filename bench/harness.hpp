#pragma once
// What a workload says of itself, and how its contenders are checked, timed and tabled.

#include <cstddef>     // size_t
#include <functional>  // function
#include <string>      // string
#include <utility>     // move
#include <vector>      // vector

namespace bench {

/// What the command line asked for.
struct options {
  bool quick = false;
  std::vector<unsigned> workers{1, 2};
  std::vector<std::size_t> grains{0};  // 0 is auto

  /// n, or a sixteenth of it when a quick look was asked for.
  [[nodiscard]] std::size_t scaled(std::size_t n) const noexcept { return quick ? n / 16 : n; }
};

/// One row of the table.
struct contender {
  std::string pattern;  // what is measured: map_reduce, fork_join, ...
  std::string backend;  // seq, par, serial loop, oneTBB, OpenMP, ...
  unsigned workers = 1;
  std::function<bool()> right;  // runs once and compares its answer with the serial loop's
  std::function<void()> run;
  double bytes = 0;       // moved by one run, if that is the limit
  bool baseline = false;  // the plain serial loop of this pattern: others are measured against it
  bool limit = false;     // the best that the hardware can do: others are shown as a share of it
  // A second table says how many times as fast as each yardstick the other rows of its pattern with as many workers
  // are.
  bool yardstick = false;
  double items = 0;  // things that one run does, if the time of one is of interest
  // In place of run(), for what is no wall time: does the work once and returns the figure, in seconds, bytes or
  // events.
  std::function<double()> figure{};
  bool in_bytes = false;
  bool counted = false;  // the figure is a number of events
  bool slow = false;     // whether three repetitions must do
  bool memory = false;   // whether the table says how far memory rises while it runs
};

/// A workload adds its contenders for these options; what they refer to must live in static storage or in the closures.
using workload = void (*)(options const&, std::vector<contender>&);

/// Registers a workload before main: `static bench::registration const r("sum", add_sum);`
struct registration {
  registration(std::string name, workload add);
};

/// A contender whose answer is f() and must equal `expected` by ==.
template <class Answer, class F>
contender make(std::string pattern, std::string backend, unsigned workers, Answer expected, F f, double bytes = 0) {
  contender c;
  c.pattern = std::move(pattern);
  c.backend = std::move(backend);
  c.workers = workers;
  c.right = [f, expected] { return f() == expected; };
  c.run = [f] {
    auto answer = f();
    asm volatile("" : : "g"(&answer) : "memory");  // the answer is used
  };
  c.bytes = bytes;
  return c;
}

/// The plain serial loop that others are measured against.
template <class Answer, class F>
contender make_baseline(std::string pattern, Answer expected, F f, double bytes = 0) {
  contender c = make(std::move(pattern), "serial loop", 1, std::move(expected), std::move(f), bytes);
  c.baseline = true;
  return c;
}

}  // namespace bench
