#pragma once
// What one part of a program sees of the state that tartan keeps once a process. The parts are compiled from look.cpp
// with different flags and compilers; ODR_PART(name) gives each function of a part its own name.

#include <cstddef>

struct sight {
  void const* state;   // process_state()
  void const* cell;    // this_thread_cell() of the calling thread
  void const* object;  // an object of process_object()
  void const* pool;    // the default pool
  unsigned forks;
  char const* abi;  // the part's inline namespace
};

#define ODR_JOIN_(a, b) a##b
#define ODR_JOIN(a, b) ODR_JOIN_(a, b)
#define ODR_EXPORT extern "C" __attribute__((visibility("default")))

// odr_look makes the default pool if there is none, odr_meet does not. odr_mark_exit lets the end of the calling thread
// be counted in number[5] of the state. odr_sum and
// odr_sum_packs add squares on the default pool. odr_control is no part of tartan.
// odr_throw throws tartan::cancelled. odr_submit runs two tasks, each of which counts one.
#define ODR_DECLARE(part)                                                             \
  ODR_EXPORT void ODR_JOIN(odr_look, part)(sight * out);                              \
  ODR_EXPORT void ODR_JOIN(odr_meet, part)(sight * out);                              \
  ODR_EXPORT void ODR_JOIN(odr_throw, part)(void);                                    \
  ODR_EXPORT void ODR_JOIN(odr_mark_exit, part)(void);                                \
  ODR_EXPORT int ODR_JOIN(odr_submit, part)(void);                                    \
  ODR_EXPORT double ODR_JOIN(odr_sum, part)(double const* data, std::size_t n);       \
  ODR_EXPORT double ODR_JOIN(odr_sum_packs, part)(double const* data, std::size_t n); \
  ODR_EXPORT void ODR_JOIN(odr_control, part)(double* data, std::size_t n);
