// expect: tartan: divide_and_conquer: is_base(problem) must accept a constant problem and give a bool
// expect: tartan: divide_and_conquer: solve and divide must accept the problem (by value, const& or &&)
// expect: tartan: divide_and_conquer: divide must return a pair, tuple, array or range of problems of the same type
// expect: tartan: divide_and_conquer is cut by its is_base: leave grain(), relaxed() and in_flight() out of its policy
#include <string>
#include <utility>

#include "tartan/backends/sequential.hpp"
#include "tartan/patterns/divide_and_conquer.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

int main() {
  auto const small = [](int n) { return n < 2; };
  auto const one = [](int n) { return n; };
  auto const halves = [](int n) { return std::pair{n / 2, n - n / 2}; };
  auto const sum = [](int a, int b) { return a + b; };
  int const total = tartan::divide_and_conquer(tartan::seq, 10, small, one, halves, sum);
#if TARTAN_MUST_FAIL == 1
  tartan::divide_and_conquer(tartan::seq, 10, [](int& n) { return n < 2; }, one, halves, sum);
#elif TARTAN_MUST_FAIL == 2
  tartan::divide_and_conquer(tartan::seq, 10, small, [](std::string n) { return n; }, halves, sum);
#elif TARTAN_MUST_FAIL == 3
  tartan::divide_and_conquer(tartan::seq, 10, small, one, [](int) { return std::string("ab"), nullptr; }, sum);
#elif TARTAN_MUST_FAIL == 4
  tartan::divide_and_conquer(tartan::seq.grain(8), 10, small, one, halves, sum);
#endif
  return total - 10;
}
