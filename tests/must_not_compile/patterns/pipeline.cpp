// expect: tartan: every stage of a pipeline but the last returns the token for the next one
// expect: tartan: a stage of this pipeline cannot be called with what the stage before it returns
// expect: tartan: pipeline(policy, source, stages...) needs stages made by serial, serial_any, parallel or reduce_into
// expect: tartan: pipeline does not support a property of this policy
// expect: tartan: the source of a pipeline is an input range or a function that returns a std::optional
#include "tartan/patterns/pipeline.hpp"
#include "tartan/backends/sequential.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

int main() {
  int source[] = {1, 2, 3};
  auto const same = [](int x) { return x; };
  auto const nothing = [](int) {};
  auto const results = tartan::pipeline(tartan::seq.in_flight(2), source, tartan::parallel(same));
#if TARTAN_MUST_FAIL == 1
  tartan::pipeline(tartan::seq, source, tartan::parallel(nothing), tartan::serial(same));
#elif TARTAN_MUST_FAIL == 2
  tartan::pipeline(tartan::seq, source, tartan::serial([](char const* text) { return text; }));
#elif TARTAN_MUST_FAIL == 3
  tartan::pipeline(tartan::seq, source, same);
#elif TARTAN_MUST_FAIL == 4
  tartan::pipeline(tartan::seq.relaxed(), source, tartan::serial(nothing));
#elif TARTAN_MUST_FAIL == 5
  tartan::pipeline(tartan::seq, [] { return 1; }, tartan::serial(nothing));
#endif
  return static_cast<int>(results.size()) - 3 + (sizeof nothing == 0 ? 1 : 0);
}
