// expect: tartan: fork_join runs two or more functions: call a single one directly
// expect: tartan: the functions of fork_join take no arguments: capture what they need in a lambda
// expect: tartan: fork_join runs each function whole: leave grain(), relaxed() and in_flight() out of its policy
// expect: tartan: the functions of fork_join return values or lvalue references: what an rvalue reference names may be
// expect: tartan: the functions of fork_join return values or lvalue references: what an rvalue reference names may be
#include "tartan/patterns/fork_join.hpp"
#include "tartan/backends/sequential.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

namespace {
[[maybe_unused]] int one = 1;
}

int main() {
  auto const f = [] { return 1; };
  auto [a, b] = tartan::fork_join(tartan::seq, f, f);
#if TARTAN_MUST_FAIL == 1
  tartan::fork_join(tartan::seq, f);
#elif TARTAN_MUST_FAIL == 2
  tartan::fork_join(tartan::seq, f, [](int x) { return x; });
#elif TARTAN_MUST_FAIL == 3
  tartan::fork_join(tartan::seq.grain(2), f, f);
#elif TARTAN_MUST_FAIL == 4
  tartan::fork_join(tartan::seq, f, []() -> int&& { return static_cast<int&&>(one); });
#elif TARTAN_MUST_FAIL == 5
  tartan::fork_join(tartan::seq, []() -> int&& { return static_cast<int&&>(one); }, f, f);
#endif
  return a - b;
}
