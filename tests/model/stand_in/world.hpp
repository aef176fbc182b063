#pragma once
// Lets the checker run runtime headers that are no templates, as they are shipped: `std::atomic` and `std::mutex` in
// them become the model's, and what talks to the operating system has a stand-in in this folder, which must come before
// include/ on the include path.

#include <algorithm>           // what the headers below include, before the macros
#include <array>               // likewise
#include <atomic>              // likewise
#include <bit>                 // likewise
#include <chrono>              // likewise
#include <climits>             // likewise
#include <cmath>               // likewise
#include <condition_variable>  // likewise
#include <cstddef>             // likewise
#include <cstdint>             // likewise
#include <cstdio>              // likewise
#include <cstdlib>             // likewise
#include <deque>               // likewise
#include <exception>           // likewise
#include <functional>          // likewise
#include <limits>              // likewise
#include <map>                 // likewise
#include <memory>              // likewise
#include <mutex>               // likewise
#include <new>                 // likewise
#include <optional>            // likewise
#include <stdexcept>           // likewise
#include <string>              // likewise
#include <thread>              // likewise
#include <tuple>               // likewise
#include <type_traits>         // likewise
#include <utility>             // likewise
#include <variant>             // likewise
#include <vector>              // likewise

#include "../atomics.hpp"  // model::atomic, mutex, atomics

namespace std {
template <class T>
using model_atomic = model::atomic<T>;
using model_mutex = model::mutex;
}  // namespace std

#define atomic model_atomic
#define mutex model_mutex
#include "tartan/core/await.hpp"        // await_task
#include "tartan/core/fork.hpp"         // fork_two, and all of the runtime below it
#include "tartan/core/group.hpp"        // group, group_task
#include "tartan/core/shared_task.hpp"  // completion, shared_task
#undef atomic
#undef mutex
