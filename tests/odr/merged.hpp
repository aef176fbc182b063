#pragma once
// Functions of one type in two libraries: what is instantiated for them exists twice, and the linker takes one copy.

/// Forks on the pool of the calling task; returns 3.
extern "C" int odr_fork_first();
extern "C" int odr_fork_second();

struct odr_small {
  int number;
  int operator()() const { return number; }
};
