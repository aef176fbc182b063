#pragma once
// Objects whose state lies in shared memory: copies of a handle, also those that travelled to workers, mean one object.

#include <concepts>  // derived_from
#include <cstddef>   // size_t
#include <cstdint>   // uint64_t
#include <memory>    // destroy_at, shared_ptr
#include <new>       // placement new
#include <utility>   // forward

#include "tartan/core/codec.hpp"        // codec
#include "tartan/core/config.hpp"       // TARTAN_ABI
#include "tartan/ipc/shared_array.hpp"  // read_address, write_address
#include "tartan/ipc/start.hpp"         // start_process_host

namespace tartan::inline TARTAN_ABI {

namespace detail {

struct handle_base {};

/// The state is made, and freed with the last copy, in the host; a handle in a worker borrows it.
template <class State>
class shared_handle : handle_base {
 public:
  using state_type = State;
  struct borrowed {
    State* state;
  };

  [[nodiscard]] State* shared_state() const noexcept { return state_.get(); }

 protected:
  struct made {};

  template <class... Args>
  explicit shared_handle(made, Args&&... args) {
    segment& arena = start_process_host().arena();
    void* const room = arena.allocate(sizeof(State), alignof(State) > 64 ? alignof(State) : 64);
    struct cleanup {
      segment& arena;
      void* block;
      ~cleanup() {
        if (block != nullptr) arena.deallocate(block);
      }
    } guard{arena, room};
    auto* const state = ::new (room) State(std::forward<Args>(args)...);
    guard.block = nullptr;
    state_ = std::shared_ptr<State>(state, [](State* s) {
      if (!known_process_host()->is_host()) return;  // the end of a forked copy is not ours
      std::destroy_at(s);
      known_segment()->deallocate(s);
    });
  }
  explicit shared_handle(borrowed b) : state_(b.state, [](State*) {}) {}

  [[nodiscard]] State& state() const noexcept { return *state_; }

 private:
  std::shared_ptr<State> state_;
};

template <class T>
concept arena_handle = requires(T const& t) {
  typename T::state_type;
  { t.shared_state() } -> std::same_as<typename T::state_type*>;
  T(typename T::borrowed{nullptr});
};

}  // namespace detail

template <detail::arena_handle T>
struct codec<T> {
  static std::size_t size(T const&) noexcept { return sizeof(std::uint64_t); }
  static void write(frame_writer& out, T const& handle) { detail::write_address(out, handle.shared_state()); }
  static T read(frame_reader& in) {
    using state = typename T::state_type;
    auto* const at = detail::read_address<state>(in, sizeof(state));
    if (at == nullptr) frame_reader::wrong_value();
    return T(typename T::borrowed{at});
  }
};

}  // namespace tartan::inline TARTAN_ABI
