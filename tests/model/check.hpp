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
};

/// An ordering that may be weakened without any check noticing, and why that is no surprise.
struct unneeded {
  std::string function;  // in which it stands
  std::string what;      // load, store, rmw, cas, cas failure, full fence, light fence, heavy fence
  int number;            // among those of the function, from 1
  std::string change;    // "acquire -> relaxed"
  std::string reason;
};

/// Explores every check completely and prints a line for each. Returns the number of failures; a bound is one.
int run_checks(std::string const& title, std::vector<check> const& checks);

/// Weakens every ordering that the checks run through by one step, one at a time, and prints who noticed. Returns the
/// number of rows that differ from what is expected: each must be caught, except those in `expected_unneeded`.
int mutation_table(std::string const& title, std::vector<check> const& checks, std::vector<unneeded> const& expected_unneeded);

/// The same for a program that must fail: returns 0 when it does, with an error that contains `expected`.
int must_fail(check const& c, std::string const& expected);

}  // namespace model
