#pragma once
// The side of the server of a manager: its objects, and how a call reaches one.

#include <cstdint>        // uint64_t
#include <memory>         // make_unique, unique_ptr
#include <string_view>    // string_view
#include <unordered_map>  // unordered_map
#include <utility>        // move

#include "tartan/core/codec.hpp"   // decode_from, frame_reader
#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/result.hpp"  // invoke_regular
#include "tartan/ipc/service.hpp"  // service_answer, service_handle, service_server

namespace tartan::inline TARTAN_ABI::detail {

/// The objects that a server holds, by number.
class served_objects {
 public:
  template <class Object>
  std::uint64_t add(Object object) {
    objects_[++last_] = std::make_unique<holder<Object>>(std::move(object));
    return last_;
  }

  template <class Object>
  Object& get(std::uint64_t number) {
    auto const at = objects_.find(number);
    if (at == objects_.end() || at->second->type() != holder<Object>::name()) frame_reader::wrong_value();
    return static_cast<holder<Object>&>(*at->second).object;
  }

  void drop(std::uint64_t number) { objects_.erase(number); }

 private:
  struct holder_base {
    virtual ~holder_base() = default;
    [[nodiscard]] virtual std::string_view type() const noexcept = 0;
  };
  template <class Object>
  struct holder final : holder_base {
    explicit holder(Object&& o) : object(std::move(o)) {}
    [[nodiscard]] std::string_view type() const noexcept override { return name(); }
    static std::string_view name() noexcept { return __PRETTY_FUNCTION__; }  // the same in all modules, without RTTI
    Object object;
  };

  std::unordered_map<std::uint64_t, std::unique_ptr<holder_base>> objects_;
  std::uint64_t last_ = 0;
};

/// The trampoline of calls of an object.
template <class Object, class Call>
void serve_call(served_objects& objects, std::uint64_t number, frame_reader& in, service_answer& answer) {
  auto call = decode_from<Call>(in);
  answer.value(invoke_regular(call, objects.get<Object>(number)));
}

/// The trampoline of calls that make or drop objects.
template <class Call>
void serve_order(served_objects& objects, std::uint64_t, frame_reader& in, service_answer& answer) {
  auto call = decode_from<Call>(in);
  answer.value(invoke_regular(call, objects));
}

template <class Object>
struct make_object {
  Object first;
  std::uint64_t operator()(served_objects& all) { return all.add(std::move(first)); }
};

struct drop_object {
  std::uint64_t number;
  void operator()(served_objects& all) const { all.drop(number); }
};

inline void serve(service_handle const& handle) {
  served_objects objects;
  service_server(*handle.shared_state()).run(objects);
}

}  // namespace tartan::inline TARTAN_ABI::detail
