// A static executable has no dynamic loader to ask; it is its own only object.

#include <cstdio>

#include "look.hpp"
#include "tartan/core/process_state.hpp"

ODR_DECLARE(_baseline)

int main() {
  sight first, second;
  odr_look_baseline(&first);
  odr_look_baseline(&second);
  tartan::detail::pin_this_module();
  double const data[] = {1, 2, 3};
  bool const fine = first.state == &tartan::detail::process_state() && first.state == second.state &&
                    first.cell == &tartan::detail::this_thread_cell() && first.pool == second.pool &&
                    odr_sum_baseline(data, 3) == 14.0;
  std::puts(fine ? "one state in a static executable" : "FAILED: a static executable");
  return fine ? 0 : 1;
}
