#pragma once
// The side of those who use a manager: its running server, and handles of what it holds.

#include <atomic>       // memory_order_*
#include <chrono>       // seconds
#include <cstdint>      // uint64_t, uintptr_t
#include <memory>       // make_shared, make_unique, shared_ptr, unique_ptr
#include <thread>       // yield
#include <type_traits>  // invoke_result_t
#include <utility>      // move

#include "tartan/backends/manager/server.hpp"  // drop_object, make_object, serve, serve_call, serve_order
#include "tartan/backends/process.hpp"         // process
#include "tartan/core/code_address.hpp"        // code_address_of
#include "tartan/core/codec.hpp"               // require_shippable
#include "tartan/core/config.hpp"              // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"              // raise
#include "tartan/core/result.hpp"              // regular_result
#include "tartan/ipc/process_errors.hpp"       // manager_gone
#include "tartan/ipc/service.hpp"              // service_call, service_handle, service_state
#include "tartan/ipc/start.hpp"                // known_process_host

namespace tartan::inline TARTAN_ABI::detail {

/// The server and its shared state; in the host.
class running_service {
 public:
  running_service() : server_(std::make_unique<process>(&serve, state_)) {
    server_->name("tartan-manager").start();
    while (state().begun.load(std::memory_order_acquire) == 0) {  // with the server's release store: it holds its lock
      if (!server_->alive()) raise<manager_gone>();
      std::this_thread::yield();
    }
  }
  running_service(running_service const&) = delete;
  running_service& operator=(running_service const&) = delete;
  ~running_service() {
    if (!known_process_host()->is_host()) {
      static_cast<void>(server_.release());  // the end of a forked copy is not the server's
      return;
    }
    // The server reads the bell before it looks whether it is closed.
    state().closed.store(1, std::memory_order_release);            // with the server's look
    state().bell.value().fetch_add(1, std::memory_order_seq_cst);  // seq_cst for changed()
    state().bell.changed();
    static_cast<void>(server_->join_for(std::chrono::seconds(2)));  // a function that hangs in it is killed
  }

  [[nodiscard]] service_state& state() const noexcept { return *state_.shared_state(); }
  [[nodiscard]] process const& server() const noexcept { return *server_; }

 private:
  service_handle state_;
  std::unique_ptr<process> server_;
};

/// One object that a server holds: copies of a handle, also those that travelled to workers, mean one object. It ends
/// with the last handle in the host.
template <class Object>
class managed {
 public:
  struct place {
    std::uint64_t service;
    std::uint64_t number;
  };

  [[nodiscard]] place where() const noexcept { return {reinterpret_cast<std::uintptr_t>(service_), number_}; }

 protected:
  managed(std::shared_ptr<running_service> const& service, Object first) : service_(&service->state()) {
    struct owner {
      std::shared_ptr<running_service> service;
      std::uint64_t number = 0;
      ~owner() {
        if (number == 0 || !known_process_host()->is_host()) return;
#if TARTAN_EXCEPTIONS
        try {
          order(service->state(), drop_object{number});
        } catch (...) {  // then it ends with its server
        }
#else
        order(service->state(), drop_object{number});
#endif
      }
    };
    auto const mine = std::make_shared<owner>(service);
    mine->number = number_ = order(*service_, make_object<Object>{std::move(first)});
    owner_ = mine;
  }
  managed(service_state& service, std::uint64_t number) noexcept : service_(&service), number_(number) {}

  template <class Call>
  auto ask(Call const& call) const {
    using result = regular_result<std::invoke_result_t<Call&, Object&>>;
    require_shippable<Call>();
    require_shippable<result>();
    return service_call(*service_).ask<result>(address<&serve_call<Object, Call>>(), number_, call);
  }

 private:
  template <class Call>
  static auto order(service_state& service, Call const& call) {
    using result = regular_result<std::invoke_result_t<Call&, served_objects&>>;
    require_shippable<Call>();
    return service_call(service).ask<result>(address<&serve_order<Call>>(), 0, call);
  }

  template <auto Function>
  static code_address const& address() {
    static code_address const where = code_address_of(reinterpret_cast<void const*>(Function));
    return where;
  }

  service_state* service_;
  std::uint64_t number_ = 0;
  std::shared_ptr<void> owner_;  // empty in workers, which borrow
};

template <class T>
concept managed_handle = requires(T const& t, service_state& s) {
  t.where().number;
  T(s, std::uint64_t{});
};

}  // namespace tartan::inline TARTAN_ABI::detail
