// Proves the checker on the classic litmus tests: for each, exactly the outcomes that C++20 (without load buffering)
// allows; and on programs with a bug of each kind, that it finds the bug.

#include <array>   // array
#include <cstdio>  // printf
#include <set>     // set
#include <string>  // string, to_string

#include "atomics.hpp"  // model::atomic, data, atomics
#include "check.hpp"    // must_fail

namespace {

using model::atomic;
using model::parallel;
using model::require;
using model::thread_fence;
using enum std::memory_order;

using fences = model::atomics;
using word = atomic<int>;

/// What the threads of a litmus test read.
std::array<int, 4> r;
int failures = 0;

using outcomes = std::set<std::string>;

void litmus(char const* name, int registers, std::function<void()> const& program, outcomes const& expected) {
  outcomes seen;
  model::result const result = model::explore(
      [&] {
        r.fill(0);
        program();
      },
      {},
      [&](model::graph const&) {
        std::string outcome;
        for (std::size_t k = 0; k != static_cast<std::size_t>(registers); ++k) outcome += std::to_string(r[k]);
        seen.insert(outcome);
      });
  bool const right = result.ok() && result.exhaustive && seen == expected;
  std::printf("  %-64s %6llu executions  %s\n", name, static_cast<unsigned long long>(result.executions),
              right ? "as expected" : "WRONG");
  if (right) return;
  ++failures;
  std::printf("    seen:");
  for (auto const& s : seen) std::printf(" %s", s.c_str());
  std::printf("\n    expected:");
  for (auto const& s : expected) std::printf(" %s", s.c_str());
  std::printf("\n%s\n%s", result.error.c_str(), result.trace.c_str());
}

// ---- two threads -------------------------------------------------------------------------------------------------

template <class Between>
std::function<void()> store_buffering(std::memory_order write, std::memory_order read, Between first, Between second) {
  return [=] {
    word x{0}, y{0};
    parallel({[&] { x.store(1, write), first(), r[0] = y.load(read); },
              [&] { y.store(1, write), second(), r[1] = x.load(read); }});
  };
}

void store_buffering_tests() {
  using fence = void (*)();
  fence const none = [] {}, full = [] { fences::full_fence(); }, light = [] { fences::light_fence(true); },
              heavy = [] { fences::heavy_fence(true); }, acq_rel_fence = [] { thread_fence(acq_rel); };
  outcomes const all{"00", "01", "10", "11"}, strong{"01", "10", "11"};
  litmus("store buffering, relaxed", 2, store_buffering(relaxed, relaxed, none, none), all);
  litmus("store buffering, release and acquire", 2, store_buffering(release, acquire, none, none), all);
  litmus("store buffering, seq_cst", 2, store_buffering(seq_cst, seq_cst, none, none), strong);
  litmus("store buffering, seq_cst stores only", 2, store_buffering(seq_cst, acquire, none, none), all);
  litmus("store buffering, full fences", 2, store_buffering(relaxed, relaxed, full, full), strong);
  litmus("store buffering, one full fence", 2, store_buffering(relaxed, relaxed, full, none), all);
  litmus("store buffering, acq_rel fences", 2, store_buffering(relaxed, relaxed, acq_rel_fence, acq_rel_fence), all);
  litmus("store buffering, light and heavy fence", 2, store_buffering(relaxed, relaxed, light, heavy), strong);
  litmus("store buffering, two heavy fences", 2, store_buffering(relaxed, relaxed, heavy, heavy), strong);
  litmus("store buffering, heavy and full fence", 2, store_buffering(relaxed, relaxed, heavy, full), strong);
  litmus("store buffering, two light fences", 2, store_buffering(relaxed, relaxed, light, light), all);
  litmus("store buffering, light and full fence", 2, store_buffering(relaxed, relaxed, light, full), all);
  litmus("store buffering, heavy fence and none", 2, store_buffering(relaxed, relaxed, none, heavy), all);
  litmus(
      "store buffering, read-modify-writes as stores, acq_rel", 2,
      [] {
        word x{0}, y{0};
        parallel({[&] { x.exchange(1, acq_rel), r[0] = y.load(acquire); },
                  [&] { y.exchange(1, acq_rel), r[1] = x.load(acquire); }});
      },
      all);
}

void message_passing_tests() {
  auto const passing = [](std::memory_order write, std::memory_order read, std::memory_order before,
                          std::memory_order after) {
    return [=] {
      word x{0}, flag{0};
      parallel({[&] { x.store(1, relaxed), thread_fence(before), flag.store(1, write); },
                [&] { r[0] = flag.load(read), thread_fence(after), r[1] = x.load(relaxed); }});
    };
  };
  outcomes const all{"00", "01", "10", "11"}, passed{"00", "01", "11"};
  litmus("message passing, relaxed", 2, passing(relaxed, relaxed, relaxed, relaxed), all);
  litmus("message passing, release and acquire", 2, passing(release, acquire, relaxed, relaxed), passed);
  litmus("message passing, release only", 2, passing(release, relaxed, relaxed, relaxed), all);
  litmus("message passing, acquire only", 2, passing(relaxed, acquire, relaxed, relaxed), all);
  litmus("message passing, release fence and acquire", 2, passing(relaxed, acquire, release, relaxed), passed);
  litmus("message passing, release and acquire fence", 2, passing(release, relaxed, relaxed, acquire), passed);
  litmus("message passing, two fences", 2, passing(relaxed, relaxed, release, acquire), passed);
  litmus(
      "message passing through a relaxed read-modify-write", 2,
      [] {
        word x{0}, flag{0};
        parallel({[&] { x.store(1, relaxed), flag.store(1, release); }, [&] { flag.fetch_add(1, relaxed); },
                  [&] {
                    r[0] = flag.load(acquire) == 2;
                    r[1] = x.load(relaxed);
                  }});
      },
      passed);
  litmus(
      "message passing through a relaxed store: no release sequence", 2,
      [] {
        word x{0}, flag{0};
        parallel({[&] { x.store(1, relaxed), flag.store(1, release), flag.store(2, relaxed); },
                  [&] {
                    r[0] = flag.load(acquire) == 2;
                    r[1] = x.load(relaxed);
                  }});
      },
      all);
}

void other_two_thread_tests() {
  litmus("load buffering, relaxed: not producible, the model's limit", 2,
         [] {
           word x{0}, y{0};
           parallel({[&] { r[0] = x.load(relaxed), y.store(1, relaxed); },
                     [&] { r[1] = y.load(relaxed), x.store(1, relaxed); }});
         },
         {"00", "01", "10"});
  auto const two_plus_two = [](std::memory_order o) {
    return [=] {
      word x{0}, y{0};
      parallel({[&] { x.store(1, o), y.store(2, o); }, [&] { y.store(1, o), x.store(2, o); }});
      r[0] = x.load(relaxed);
      r[1] = y.load(relaxed);
    };
  };
  litmus("2+2W, relaxed", 2, two_plus_two(relaxed), {"11", "12", "21", "22"});
  litmus("2+2W, release", 2, two_plus_two(release), {"11", "12", "21", "22"});
  litmus("2+2W, seq_cst", 2, two_plus_two(seq_cst), {"12", "21", "22"});
  litmus("coherence: two reads of one location never go back", 2,
         [] {
           word x{0};
           parallel({[&] { x.store(1, relaxed), x.store(2, relaxed); },
                     [&] { r[0] = x.load(relaxed), r[1] = x.load(relaxed); }});
         },
         {"00", "01", "02", "11", "12", "22"});
  litmus("coherence: a thread reads its own store or a newer one", 2,
         [] {
           word x{0};
           parallel({[&] { x.store(1, relaxed), r[0] = x.load(relaxed); },
                     [&] { x.store(2, relaxed), r[1] = x.load(relaxed); }});
         },
         {"11", "12", "22"});
  litmus("two increments are never lost", 1,
         [] {
           word x{0};
           parallel({[&] { x.fetch_add(1, relaxed); }, [&] { x.fetch_add(1, relaxed); }});
           r[0] = x.load(relaxed);
         },
         {"2"});
  litmus("of two compare_exchanges one wins", 2,
         [] {
           word x{0};
           auto const claim = [&](int me) {
             int expected = 0;
             return x.compare_exchange_strong(expected, me, relaxed, relaxed) ? 1 : 0;
           };
           parallel({[&] { r[0] = claim(1); }, [&] { r[1] = claim(2); }});
         },
         {"01", "10"});
}

// ---- three and four threads --------------------------------------------------------------------------------------

void many_thread_tests() {
  auto const iriw = [](std::memory_order write, std::memory_order read, bool fence) {
    return [=] {
      word x{0}, y{0};
      auto const between = [=] {
        if (fence) thread_fence(seq_cst);
      };
      parallel({[&] { x.store(1, write); }, [&] { y.store(1, write); },
                [&] { r[0] = x.load(read), between(), r[1] = y.load(read); },
                [&] { r[2] = y.load(read), between(), r[3] = x.load(read); }});
    };
  };
  outcomes every;
  for (int k = 0; k != 16; ++k) {
    std::string text;
    for (int bit = 3; bit >= 0; --bit) text += (k >> bit & 1) != 0 ? '1' : '0';
    every.insert(text);
  }
  outcomes agreed = every;
  agreed.erase("1010");
  litmus("IRIW, release and acquire", 4, iriw(release, acquire, false), every);
  litmus("IRIW, seq_cst", 4, iriw(seq_cst, seq_cst, false), agreed);
  litmus("IRIW, fences between the reads", 4, iriw(relaxed, relaxed, true), agreed);
  auto const causality = [](std::memory_order write) {
    return [=] {
      word x{0}, y{0};
      parallel({[&] { x.store(1, relaxed); }, [&] { r[0] = x.load(acquire), y.store(1, write); },
                [&] { r[1] = y.load(acquire), r[2] = x.load(relaxed); }});
    };
  };
  litmus("write-to-read causality, relaxed", 3, causality(relaxed),
         {"000", "001", "010", "011", "100", "101", "110", "111"});
  litmus("write-to-read causality, release", 3, causality(release), {"000", "001", "010", "011", "100", "101", "111"});
  litmus(
      "a heavy fence orders light fences of two threads", 3,
      [] {  // Dekker of one heavy thread with two light ones at once
        word x{0}, y{0}, z{0};
        parallel({[&] { x.store(1, relaxed), fences::heavy_fence(true), r[0] = y.load(relaxed) + 2 * z.load(relaxed); },
                  [&] { y.store(1, relaxed), fences::light_fence(true), r[1] = x.load(relaxed); },
                  [&] { z.store(1, relaxed), fences::light_fence(true), r[2] = x.load(relaxed); }});
      },
      {"011", "101", "111", "210", "211", "300", "301", "310", "311"});
}

// ---- bugs of each kind -------------------------------------------------------------------------------------------

void bugs() {
  failures += model::must_fail({"message passing of plain data by a relaxed flag",
                                [] {
                                  model::data<int> x{0};
                                  word flag{0};
                                  parallel({[&] { x.set(1), flag.store(1, relaxed); },
                                            [&] {
                                              if (flag.load(acquire) == 1) x.get();
                                            }});
                                }},
                               "data race");
  failures += model::must_fail({"an object published without release is read while it is made",
                                [] {
                                  atomic<word*> shared{nullptr};
                                  parallel({[&] { shared.store(new word(1), relaxed); },
                                            [&] {
                                              if (word* const w = shared.load(acquire)) w->load(relaxed);
                                            }});
                                }},
                               "construction does not happen before");
  failures += model::must_fail({"an object destroyed while another thread may use it",
                                [] {
                                  word flag{0};
                                  word* const w = new word(1);
                                  parallel({[&] { flag.store(1, relaxed), w->load(relaxed); },
                                            [&] {
                                              if (flag.load(acquire) == 1) delete w;
                                            }});
                                }},
                               "destroyed");
  failures += model::must_fail({"a spin loop that nobody ends",
                                [] {
                                  word flag{0};
                                  parallel({[&] {
                                    while (flag.load(acquire) == 0) fences::pause();
                                  }});
                                }},
                               "spinning");
}

// ---- the futex ---------------------------------------------------------------------------------------------------

void futex() {
  using futex_word = atomic<std::uint32_t>;
  auto const sleep_until_one = [](futex_word& w) {
    while (w.load(acquire) == 0) fences::wait(w, 0);
  };
  litmus("futex: store and wake always wakes", 1,
         [=] {
           futex_word w{0};
           model::data<int> payload{0};
           parallel({[&] { sleep_until_one(w), r[0] = payload.get(); },
                     [&] { payload.set(5), w.store(1, release), fences::wake(w); }});
         },
         {"5"});
  failures +=
      model::must_fail({"futex: wake before store loses the wake-up",
                        [=] {
                          futex_word w{0};
                          parallel({[&] { sleep_until_one(w); }, [&] { fences::wake(w), w.store(1, release); }});
                        }},
                       "lost wake-up");
  failures += model::must_fail({"futex: one wake for two sleepers",
                                [=] {
                                  futex_word w{0};
                                  parallel({[&] { sleep_until_one(w); }, [&] { sleep_until_one(w); },
                                            [&] { w.store(1, release), fences::wake(w, 1); }});
                                }},
                               "lost wake-up");
  litmus("futex: wake of all for two sleepers", 0,
         [=] {
           futex_word w{0};
           parallel({[&] { sleep_until_one(w); }, [&] { sleep_until_one(w); },
                     [&] { w.store(1, release), fences::wake(w, 8); }});
         },
         {""});
  auto const flag_and_word = [=](std::memory_order o, bool fence) {  // skip the wake when nobody seems to sleep
    return [=] {
      futex_word w{0}, sleeping{0};
      parallel({[&] {
                  sleeping.store(1, o);
                  if (fence) fences::heavy_fence(true);
                  sleep_until_one(w);
                },
                [&] {
                  w.store(1, o);
                  if (fence) fences::light_fence(true);
                  if (sleeping.load(o == seq_cst ? seq_cst : relaxed) == 1) fences::wake(w);
                }});
    };
  };
  failures += model::must_fail(
      {"futex: wake skipped by a flag without a store-load fence", flag_and_word(relaxed, false)}, "lost wake-up");
  litmus("futex: wake skipped by a flag, light and heavy fence", 0, flag_and_word(relaxed, true), {""});
  failures += model::must_fail({"futex: a plain exchange on one word, the sleep on another",
                                [=] {
                                  futex_word w{0}, other{0};
                                  parallel({[&] {
                                              while (other.load(acquire) == 0) fences::wait(w, 0);
                                            },
                                            [&] { other.exchange(1, acq_rel), fences::wake(w); }});
                                }},
                               "lost wake-up");
}

}  // namespace

int main() {
  std::printf("litmus tests\n");
  store_buffering_tests();
  message_passing_tests();
  other_two_thread_tests();
  many_thread_tests();
  bugs();
  futex();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
