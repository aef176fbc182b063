// expect: tartan: future::then(f) calls f(get()), or f() for a future<void>: let f take the result
// expect: tartan: on_done(f) calls its copy of f as an lvalue: leave out the && of its operator()
#include "tartan/submit.hpp"

#include <string>

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

namespace tn = tartan;

namespace {
struct once {
  void operator()() && {}
};
}  // namespace

int main() {
  auto f = tn::submit(tn::seq, [] { return 1; }).then([](int x) -> std::string const { return std::to_string(x); });
  f.on_done([] {});
#if TARTAN_MUST_FAIL == 1
  auto g = tn::submit(tn::seq, [] { return 1; }).then([](std::string const& s) { return s; });
#elif TARTAN_MUST_FAIL == 2
  f.on_done(once{});
#endif
  tn::future<std::string> same = std::move(f);
  return same.get() == "1" ? 0 : 1;
}
