#pragma once
// Catch2 of either major version, and the few names in which the two differ.

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_message.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <cstdio>   // fputs, stderr
#include <string>   // string
#include <utility>  // move

namespace tartan::test {

/// Runs the tests that the arguments select and returns the exit status. Tests of processes call it from a main of
/// their own, after start_processes().
int run_catch(int argc, char** argv);

/// Matches a text that contains `part`, under one name for both versions of Catch2.
inline auto contains_text(std::string part) {
#if __has_include(<catch2/catch_test_macros.hpp>)
  return Catch::Matchers::ContainsSubstring(std::move(part));
#else
  return Catch::Matchers::Contains(std::move(part));
#endif
}

}  // namespace tartan::test

/// Leaves a test case that this machine cannot run; tests/run counts and prints the reasons.
#define TARTAN_SKIP(reason)                          \
  do {                                               \
    std::fputs("tartan-skip: " reason "\n", stderr); \
    SUCCEED("skipped: " reason);                     \
    return;                                          \
  } while (false)
