#include "look.hpp"

#include <atomic>
#include <span>

#include "control.hpp"
#include "tartan/core/errors.hpp"
#include "tartan/core/pool_table.hpp"
#include "tartan/core/process_state.hpp"
#include "tartan/leaves/simd.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"

#ifndef ODR_PART
#define ODR_PART
#endif

#define ODR_QUOTE_(text) #text
#define ODR_QUOTE(text) ODR_QUOTE_(text)

ODR_DECLARE(ODR_PART)

using namespace tartan::detail;

void ODR_JOIN(odr_meet, ODR_PART)(sight* out) {
  *out = {};
  out->state = &process_state();
  out->cell = &this_thread_cell();
  out->object = &process_object<int>(static_cast<slot_id>(15), [] { return new int(42); });
  out->forks = process_state().forks.load();
  out->abi = ODR_QUOTE(TARTAN_ABI);
}

void ODR_JOIN(odr_look, ODR_PART)(sight* out) {
  ODR_JOIN(odr_meet, ODR_PART)(out);
  out->pool = &default_pool();
}

void ODR_JOIN(odr_throw, ODR_PART)(void) { raise<tartan::cancelled>(); }

void ODR_JOIN(odr_mark_exit, ODR_PART)(void) {
  pin_this_module();  // the function below must outlive a dlclose
  this_thread_cell().at_exit = [](thread_cell&) noexcept { process_state().number[5].fetch_add(1); };
}

double ODR_JOIN(odr_sum, ODR_PART)(double const* data, std::size_t n) {
  return tartan::map_reduce(tartan::par, std::span(data, n), odr_square{});
}

double ODR_JOIN(odr_sum_packs, ODR_PART)(double const* data, std::size_t n) {
  return tartan::map_reduce(tartan::par.simd(), std::span(data, n), odr_square{});
}

int ODR_JOIN(odr_submit, ODR_PART)(void) {
  tartan::task_group g{tartan::par};
  std::atomic<int> ran{0};
  g.run([&ran] { ++ran; });
  g.wait();
  return tartan::submit(tartan::par, [] { return 1; }).get() + ran;
}

void ODR_JOIN(odr_control, ODR_PART)(double* data, std::size_t n) { odr_lent(data, n); }
