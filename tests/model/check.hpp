#pragma once
// Reports of checks, and the table of weakened orderings.

#include <functional>  // function
#include <string>      // string
#include <vector>      // vector

#include "engine.hpp"  // explore, options

namespace model {

/// One program to explore.
struct check {
  std::string name;
  std::function<void()> body;
  options how{};
  std::string bound{};                 // by which beyond() may cut executions
  std::vector<std::string> reaches{};  // see reach(): each must be reached
};

/// Runs `program` on a Fixture of its own.
template <class Fixture>
check on_fresh(char const* name, std::function<void(Fixture&)> const& program) {
  return {name, [=] {
            Fixture fresh;
            program(fresh);
          }};
}

/// An ordering that may be weakened without any check failing, and why. `buffered` says that the table then names a
/// load that a machine with load buffering might satisfy from a later store: beyond the model, so the reason says
/// whether that would hurt (and the ordering is needed) or not.
struct tolerated {
  std::string function;  // in which it stands
  std::string what;      // load, store, rmw, cas, cas failure, full fence, light fence, heavy fence
  int number;            // among those of the function, from 1
  std::string change;    // "acquire -> relaxed"
  bool buffered;
  std::string reason;
};

/// Explores every check completely and prints a line for each. Returns the number of failures; a bound is one.
int run_checks(std::string const& title, std::vector<check> const& checks);

/// Weakens every ordering of `file` that the checks run through by one step, one at a time, and prints who noticed;
/// what nobody notices is weakened further. Returns the number of rows that differ from what is expected: each must be
/// caught, except those in `expected`.
int mutation_table(std::string const& file, std::vector<check> const& checks, std::vector<tolerated> const& expected);

/// The same for a program that must fail: returns 0 when it does, with an error that contains `expected`.
int must_fail(check const& c, std::string const& expected);

}  // namespace model
