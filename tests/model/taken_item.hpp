#pragma once
// What goes from hand to hand in the models, and must be taken once.

#include "atomics.hpp"  // data
#include "check.hpp"    // require

namespace model {

struct taken_item {
  data<int> payload{0};  // 7, written by who puts it up
  int takers = 0;        // written by takers in turn; read at the end only

  void take() {
    require(payload.get() == 7, "a taker sees another payload than was put up");
    ++takers;
  }
};

}  // namespace model
