// One process of many parts: usage: program SCENARIO MODULE...
// The parts: objects of this executable for several instruction sets, a library with hidden visibility that it is
// linked with, and the modules, which are opened with RTLD_LOCAL.

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "look.hpp"
#include "tartan/core/errors.hpp"
#include "tartan/core/process_state.hpp"

ODR_DECLARE(_baseline)
ODR_DECLARE(_hidden)
#ifdef ODR_X86
ODR_DECLARE(_avx2)
ODR_DECLARE(_avx512)
#endif

namespace {

int failures = 0;

void check(bool holds, char const* what, std::string const& where = "") {
  if (holds) return;
  std::fprintf(stderr, "FAILED: %s%s%s\n", what, where.empty() ? "" : ": ", where.c_str());
  ++failures;
}

struct part {
  std::string name;
  void (*look)(sight*);
  void (*meet)(sight*);
  void (*throw_it)();
  void (*mark_exit)();
  double (*sum)(double const*, std::size_t);
  double (*sum_packs)(double const*, std::size_t);
  int (*submit)();
};

std::vector<part> built_in() {
  std::vector<part> parts;
  parts.push_back({"baseline", odr_look_baseline, odr_meet_baseline, odr_throw_baseline, odr_mark_exit_baseline,
                   odr_sum_baseline, odr_sum_packs_baseline, odr_submit_baseline});
#ifdef ODR_X86
  if (__builtin_cpu_supports("avx2"))
    parts.push_back({"avx2", odr_look_avx2, odr_meet_avx2, odr_throw_avx2, odr_mark_exit_avx2, odr_sum_avx2,
                     odr_sum_packs_avx2, odr_submit_avx2});
  else
    std::puts("SKIPPED: the part for AVX2: this processor has none");
  if (__builtin_cpu_supports("avx512f"))
    parts.push_back({"avx512", odr_look_avx512, odr_meet_avx512, odr_throw_avx512, odr_mark_exit_avx512, odr_sum_avx512,
                     odr_sum_packs_avx512, odr_submit_avx512});
  else
    std::puts("SKIPPED: the part for AVX-512: this processor has none");
#endif
  parts.push_back({"hidden", odr_look_hidden, odr_meet_hidden, odr_throw_hidden, odr_mark_exit_hidden, odr_sum_hidden,
                   odr_sum_packs_hidden, odr_submit_hidden});
  return parts;
}

struct module {
  explicit module(char const* from) : path(from), handle(::dlopen(from, RTLD_NOW | RTLD_LOCAL)) {
    if (handle != nullptr) return;
    std::fprintf(stderr, "FAILED: %s\n", ::dlerror());
    std::exit(1);
  }
  template <class F>
  F* function(char const* name) const {
    void* const found = ::dlsym(handle, name);
    if (found == nullptr) std::fprintf(stderr, "FAILED: no %s in %s\n", name, path), std::exit(1);
    return reinterpret_cast<F*>(found);
  }
  [[nodiscard]] part as_part() const {
    return {path,
            function<void(sight*)>("odr_look"),
            function<void(sight*)>("odr_meet"),
            function<void()>("odr_throw"),
            function<void()>("odr_mark_exit"),
            function<double(double const*, std::size_t)>("odr_sum"),
            function<double(double const*, std::size_t)>("odr_sum_packs"),
            function<int()>("odr_submit")};
  }
  void close() const { ::dlclose(handle); }
  [[nodiscard]] bool is_loaded() const {
    void* const still = ::dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (still != nullptr) ::dlclose(still);
    return still != nullptr;
  }

  char const* path;
  void* handle;
};

std::vector<part> all_parts(std::vector<char const*> const& modules) {
  std::vector<part> parts = built_in();
  for (char const* path : modules) parts.push_back(module(path).as_part());
  return parts;
}

sight what_sees(part const& p) {
  sight s;
  p.look(&s);
  return s;
}

bool same(sight const& a, sight const& b) { return a.state == b.state && a.object == b.object && a.pool == b.pool; }

// Every part sees one state, one object, one default pool and, on one thread, one cell; and computes the same.
void together(std::vector<char const*> const& modules) {
  std::vector<part> const parts = all_parts(modules);
  std::vector<double> data(100'000);
  for (std::size_t i = 0; i != data.size(); ++i) data[i] = 1.0 / static_cast<double>(i + 1);
  sight const first = what_sees(parts[0]);
  double const sum = parts[0].sum(data.data(), data.size());
  check(first.pool != nullptr && first.pool != first.object, "there is a default pool");
  std::set<std::string> names;
  for (part const& p : parts) {
    sight const s = what_sees(p);
    names.insert(s.abi);
    check(same(first, s), "one state, object and pool", p.name);
    check(first.cell == s.cell, "one cell a thread", p.name);
    check(p.sum(data.data(), data.size()) == sum, "the same bits", p.name);
    check(p.sum_packs(data.data(), data.size()) == sum, "the same bits with packs", p.name);
    std::printf("%-10s %s\n", s.abi, p.name.c_str());
  }
#ifdef ODR_X86
  if (__builtin_cpu_supports("avx2")) check(names.size() > 1, "the parts have namespaces of their own");
#endif
  std::thread([&] {
    sight const mine = what_sees(parts[0]);
    check(same(first, mine), "one state on another thread");
    check(mine.cell != first.cell, "another thread has another cell");
    for (part const& p : parts) check(what_sees(p).cell == mine.cell, "one cell on another thread", p.name);
  }).join();
}

// What one part throws another catches, whatever the flags of the two.
void thrown(std::vector<char const*> const& modules) {
  for (part const& p : all_parts(modules)) {
    if (p.name.find("bare") != std::string::npos) continue;  // built without exceptions
    bool caught = false;
    try {
      p.throw_it();
    } catch (tartan::cancelled const&) {
      caught = true;
    } catch (...) {
    }
    check(caught, "tartan::cancelled is caught", p.name);
  }
}

// The first user is opened, used, closed and opened again before anybody else has a look.
void reopen(std::vector<char const*> const& modules) {
  for (char const* path : modules) {
    int const status = [&] {
      pid_t const child = ::fork();
      if (child != 0) {
        int s = 0;
        ::waitpid(child, &s, 0);
        return s;
      }
      module const m(path);
      sight const before = what_sees(m.as_part());
      m.close();
      check(m.is_loaded(), "the object that made the state stays loaded", path);
      for (char const* other : modules) {
        if (other == path) continue;
        module const o(other);
        sight s;
        o.as_part().meet(&s);
        check(s.state == before.state && s.object == before.object, "one state after dlclose", other);
        o.close();
        if (std::strstr(other, "unloadable") != nullptr)
          check(!o.is_loaded(), "an object that only met the others can be unloaded", other);
        module const again(other);
        check(same(before, what_sees(again.as_part())), "one state after dlclose and dlopen", other);
      }
      module const again(path);
      check(same(before, what_sees(again.as_part())), "the first user sees its state again", path);
      for (part const& p : built_in()) check(same(before, what_sees(p)), "one state in the executable", p.name);
      std::_Exit(failures == 0 ? 0 : 1);
    }();
    check(status == 0, "all of that with this first user", path);
  }
}

// A module makes the default pool and is closed; then the executable starts the pool's threads.
void left_pool(std::vector<char const*> const& modules) {
  for (char const* path : modules) {
    pid_t const child = ::fork();
    if (child == 0) {
      part const first = built_in()[0];
      sight s;
      first.meet(&s);  // else the module would make the state, and stay
      module const m(path);
      void const* const made = what_sees(m.as_part()).pool;
      m.close();
      if (std::strstr(path, "unloadable") != nullptr) check(!m.is_loaded(), "who made a pool can be unloaded", path);
      std::vector<double> const data(100'000, 1.0);
      for (int round = 0; round != 20; ++round)
        check(first.sum(data.data(), data.size()) == 100'000.0, "a sum on a pool that somebody left", path);
      check(what_sees(first).pool == made, "it is that pool", path);
      std::_Exit(failures == 0 ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    check(status == 0, "a pool that was made by", path);
  }
}

// A module's tasks have run on threads that others started: these may still be in the last lines of its code.
void submitted(std::vector<char const*> const& modules) {
  for (char const* path : modules) {
    pid_t const child = ::fork();
    if (child == 0) {
      part const first = built_in()[0];
      check(first.submit() == 2, "two tasks of the executable, which starts the threads");
      module const m(path);
      check(m.as_part().submit() == 2, "two tasks of a module", path);
      m.close();
      check(m.is_loaded(), "who made tasks stays loaded", path);
      std::_Exit(failures == 0 ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    check(status == 0, "tasks of", path);
  }
}

// All parts come at the same moment, many times: each time in a fresh process, because there is one first time in each.
void race(std::vector<char const*> const& modules) {
  char const* const stress = std::getenv("TARTAN_STRESS");
  int const rounds = 40 * (stress != nullptr && std::atoi(stress) > 0 ? std::atoi(stress) : 1);
  for (int round = 0; round != rounds && failures == 0; ++round) {
    pid_t const child = ::fork();
    if (child == 0) {
      std::vector<part> const parts = all_parts(modules);
      std::vector<sight> seen(2 * parts.size());
      std::atomic<std::size_t> waiting{seen.size()};
      std::vector<std::thread> threads;
      for (std::size_t i = 0; i != seen.size(); ++i)
        threads.emplace_back([&, i] {
          for (waiting.fetch_sub(1); waiting.load() != 0;) std::this_thread::yield();
          parts[(i + static_cast<std::size_t>(round)) % parts.size()].look(&seen[i]);
        });
      for (std::thread& t : threads) t.join();
      std::set<void const*> cells;
      for (sight const& s : seen) {
        check(same(seen[0], s), "one state for all who come at once");
        cells.insert(s.cell);
      }
      std::_Exit(failures == 0 ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    check(status == 0, "a round of the race");
  }
}

// A forked child goes on with the same state and knows that it was forked.
void forked(std::vector<char const*> const& modules) {
  std::vector<part> const parts = all_parts(modules);
  sight const before = what_sees(parts.back());
  check(before.forks == 0, "no fork yet");
  pid_t const child = ::fork();
  if (child == 0) {
    for (part const& p : parts) {
      sight s;
      p.meet(&s);
      check(s.state == before.state && s.object == before.object && s.cell == before.cell, "the state after fork",
            p.name);
      check(s.forks == 1, "the child knows that it was forked", p.name);
    }
    std::_Exit(failures == 0 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  check(status == 0, "the child");
  check(what_sees(parts[0]).forks == 0, "the parent was not forked");
}

unsigned exits() { return tartan::detail::process_state().number[5].load(); }

pthread_key_t late_key;
std::atomic<int> late_calls{0};

// What a thread leaves behind is given back once, by code that dlclose has not taken away, and the cell is there for
// destructors that run later.
void thread_exit(std::vector<char const*> const& modules) {
  part const first = built_in()[0];
  std::vector<double> const data(1000, 1.0);
  first.sum(data.data(), data.size());  // starts the pool's threads: they run code of the executable
  for (char const* path : modules)
    std::thread([&] {
      module const m(path);
      check(m.as_part().sum(data.data(), data.size()) == 1000.0, "a sum in a module", path);
      m.close();
    }).join();  // this thread kept a slot of the default pool and gives it back here
  for (part const& p : built_in()) {
    unsigned const before = exits();
    std::thread([&] { p.mark_exit(); }).join();
    check(exits() == before + 1, "at_exit runs once", p.name);
  }
  for (char const* path : modules) {
    unsigned const before = exits();
    std::thread([&] {
      module const m(path);
      m.as_part().mark_exit();
      m.close();
    }).join();
    check(exits() == before + 1, "at_exit runs after dlclose", path);
  }
  static void (*late_meet)(sight*) = first.meet;
  ::pthread_key_create(&late_key, [](void* cell) {
    sight s;
    late_meet(&s);
    check(s.cell == cell, "the cell is there for later destructors");
    if (++late_calls < 2) ::pthread_setspecific(late_key, cell);
  });
  std::thread([&] {
    sight s;
    first.meet(&s);
    ::pthread_setspecific(late_key, s.cell);
  }).join();
  check(late_calls == 2, "the later destructor ran twice");
}

}  // namespace

int main(int argc, char** argv) {
  std::string const scenario = argc > 1 ? argv[1] : "";
  std::vector<char const*> const modules(argv + (argc > 2 ? 2 : argc), argv + argc);
  if (scenario == "together")
    together(modules);
  else if (scenario == "thrown")
    thrown(modules);
  else if (scenario == "reopen")
    reopen(modules);
  else if (scenario == "submitted")
    submitted(modules);
  else if (scenario == "left_pool")
    left_pool(modules);
  else if (scenario == "race")
    race(modules);
  else if (scenario == "forked")
    forked(modules);
  else if (scenario == "thread_exit")
    thread_exit(modules);
  else
    check(false, "usage: program together|thrown|reopen|left_pool|race|forked|thread_exit MODULE...");
  std::printf("%s: %zu modules, %d failures\n", scenario.c_str(), modules.size(), failures);
  return failures == 0 ? 0 : 1;
}
