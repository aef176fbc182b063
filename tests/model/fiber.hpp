#pragma once
// Threads of a modelled program run as fibers of one real thread, so that the checker alone decides who runs next.

#include <cstddef>  // size_t
#include <cstdint>  // uintptr_t

#if !defined(__x86_64__)
#include <ucontext.h>  // swapcontext
#endif

namespace model {

/// A stack of fixed address and the place where it stopped. The memory is the caller's: a fiber may be abandoned at
/// any point and started anew on the same stack, which is what replaying an execution needs.
class fiber {
 public:
  using entry = void (*)();

  /// Prepares a run of `start` on [stack, stack + size); `start` must never return.
  void prepare(void* stack, std::size_t size, entry start);

  /// Stops here (remembered in `from`) and goes on where `to` stopped.
  static void change(fiber& from, fiber& to);

 private:
#if defined(__x86_64__)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
};

#if defined(__x86_64__)

extern "C" void tartan_model_change_stack(void** from, void* to);

inline void fiber::prepare(void* stack, std::size_t size, entry start) {
  auto const top = (reinterpret_cast<std::uintptr_t>(stack) + size) & ~std::uintptr_t{15};
  auto* words = reinterpret_cast<void**>(top);
  *--words = nullptr;  // where `start` would return to, and the alignment that a call leaves
  *--words = reinterpret_cast<void*>(start);
  for (int saved = 0; saved < 6; ++saved) *--words = nullptr;
  stack_pointer_ = words;
}

inline void fiber::change(fiber& from, fiber& to) {
  tartan_model_change_stack(&from.stack_pointer_, to.stack_pointer_);
}

#else

inline void fiber::prepare(void* stack, std::size_t size, entry start) {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = size;
  context_.uc_link = nullptr;
  makecontext(&context_, start, 0);
}

inline void fiber::change(fiber& from, fiber& to) { swapcontext(&from.context_, &to.context_); }

#endif

}  // namespace model
