#pragma once
// Stand-in: threads of the model.

#include <cstddef>  // size_t

#include "../../../atomics.hpp"    // model::spawn
#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

inline void block_asynchronous_signals() {}
inline void name_this_thread(char const*, unsigned) {}
inline void name_this_thread_for(char const*, char const*) {}
inline void pin_this_thread(unsigned) {}
inline int this_processor() { return model::this_thread(); }
inline void leave_processor() {}
inline void yield_processor() {}
inline int this_thread_number() { return 0; }
inline bool sleeps_at_futex(int) { return false; }
struct narrowed_affinity {
  enum class to { this_one, the_others };
  explicit narrowed_affinity(to) {}
};

class os_thread {
 public:
  bool start(std::size_t, void (*body)(void*), void* data) {
    id_ = model::spawn([body, data] { body(data); });
    return true;
  }
  void join() { model::join(id_); }
  void detach() {}
  [[nodiscard]] bool is_this_thread() const { return model::this_thread() == id_; }

 private:
  int id_ = -1;
};

}  // namespace tartan::inline TARTAN_ABI::detail
