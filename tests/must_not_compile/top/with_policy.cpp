// expect: tartan: with_policy: f must return the same type for every policy
// expect: tartan: with_policy needs a policy to choose from: include <tartan/policies.hpp>
// alone: the second case is about what it does not include
#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

#if TARTAN_MUST_FAIL == 2
#include "tartan/with_policy.hpp"
#else
#include "tartan/policies.hpp"
#endif

int main() {
#if TARTAN_MUST_FAIL == 1
  tartan::with_policy("seq", [](auto policy) { return policy; });
#else
  tartan::with_policy("seq", [](auto) {});
#endif
}
