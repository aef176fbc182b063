#include "look.hpp"

#include <functional>

#include "control.hpp"
#include "tartan/core/call_scope.hpp"
#include "tartan/core/errors.hpp"
#include "tartan/core/fork.hpp"
#include "tartan/core/pool_table.hpp"
#include "tartan/core/process_state.hpp"
#include "tartan/exec/leaf.hpp"

#ifndef ODR_PART
#define ODR_PART
#endif

#define ODR_QUOTE_(text) #text
#define ODR_QUOTE(text) ODR_QUOTE_(text)

ODR_DECLARE(ODR_PART)

namespace {

using namespace tartan::detail;

double sum_of_squares(worker& w, double const* data, std::size_t n) {
  if (n <= 1024) {
    odr_square square;
    std::plus<> plus;
    tartan::scalar_leaf::reducer<double, odr_square, std::plus<>> reducer(square, plus);
    reducer.add(data, n);
    return reducer.finish();
  }
  auto left = [&] { return sum_of_squares(*current_worker(), data, n / 2); };
  auto right = [&] { return sum_of_squares(*current_worker(), data + n / 2, n - n / 2); };
  auto const [a, b] = fork_two(w, left, right);
  return a + b;
}

}  // namespace

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
  call_scope scope(default_pool());
  return sum_of_squares(scope.self(), data, n);
}

void ODR_JOIN(odr_control, ODR_PART)(double* data, std::size_t n) { odr_lent(data, n); }
