// expect: tartan: the function of a future returns a value or an lvalue reference: what an rvalue reference names may
// expect: tartan: the function of a future returns a value or an lvalue reference: what an rvalue reference names may
// expect: tartan: the function of a future returns a value or an lvalue reference: what an rvalue reference names may
// expect: tartan: submit(policy, f, args...) needs f(args...) to be callable with copies of args
// expect: tartan: detach(policy, f, args...) needs f(args...) to be callable with copies of args
// expect: tartan: a thread_pool is no policy: say par.on(pool) where a policy is wanted
// expect: tartan: a thread_pool is no policy: say par.on(pool) where a policy is wanted
#include "tartan/submit.hpp"

#include <memory>
#include <string>
#include <utility>

#include "tartan/backends/processes.hpp"
#include "tartan/task_group.hpp"
#include "tartan/thread_pool.hpp"

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
  tn::thread_pool pool{1};
  tn::future<std::string const&> reference = tn::submit(tn::par, shown);
  tn::future<std::string> value = tn::submit(tn::par, text);
  tn::future<std::unique_ptr<int>> with_argument = tn::submit(tn::seq, owner, 1);
#if TARTAN_MUST_FAIL == 1
  tn::submit(tn::par, moved);
#elif TARTAN_MUST_FAIL == 2
  tn::submit(tn::seq, [](int) -> std::string&& { return moved(); }, 1);
#elif TARTAN_MUST_FAIL == 3
  tn::submit(tn::processes, moved);
#elif TARTAN_MUST_FAIL == 4
  tn::submit(tn::par, text, 1);
#elif TARTAN_MUST_FAIL == 5
  tn::detach(tn::par, [](std::string const&) {}, 1);
#elif TARTAN_MUST_FAIL == 6
  tn::submit(pool, text);
#elif TARTAN_MUST_FAIL == 7
  tn::task_group group{pool};
#endif
  return *with_argument.get() - 1;
}
