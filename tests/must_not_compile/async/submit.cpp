// expect: tartan: the function of a future returns a value or an lvalue reference: what an rvalue reference names may
// expect: tartan: the function of a future returns a value or an lvalue reference: what an rvalue reference names may
// expect: tartan: the function of a future returns a value or an lvalue reference: what an rvalue reference names may
#include "tartan/submit.hpp"

#include <memory>
#include <string>
#include <utility>

#include "tartan/backends/processes.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

namespace tn = tartan;

namespace {
std::string kept;
[[maybe_unused]] std::string&& moved() { return std::move(kept); }
std::string const& shown() { return kept; }
std::string const text() { return kept; }
std::unique_ptr<int> const owner(int n) { return std::make_unique<int>(n); }
}  // namespace

int main() {
  tn::future<std::string const&> reference = tn::submit(tn::par, shown);
  tn::future<std::string> value = tn::submit(tn::par, text);
  tn::future<std::unique_ptr<int>> with_argument = tn::submit(tn::seq, owner, 1);
#if TARTAN_MUST_FAIL == 1
  tn::submit(tn::par, moved);
#elif TARTAN_MUST_FAIL == 2
  tn::submit(tn::seq, [](int) -> std::string&& { return moved(); }, 1);
#elif TARTAN_MUST_FAIL == 3
  tn::submit(tn::processes, moved);
#endif
  return *with_argument.get() - 1;
}
