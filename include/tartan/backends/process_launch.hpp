#pragma once
// Calls that nobody waits for here: their results go to sinks.

#include <cstddef>    // size_t
#include <cstdint>    // uint64_t
#include <deque>      // deque
#include <exception>  // exception_ptr
#include <memory>     // make_unique, unique_ptr
#include <optional>   // optional
#include <utility>    // exchange, move
#include <variant>    // monostate
#include <vector>     // vector

#include "tartan/backends/process_job.hpp"   // process_job, process_news
#include "tartan/backends/process_work.hpp"  // name_work, take_properties
#include "tartan/core/codec.hpp"             // decode_from, encode_to, encoded_size, require_shippable
#include "tartan/core/config.hpp"            // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"            // cancelled, raise
#include "tartan/core/run_control.hpp"       // run_control
#include "tartan/exec/properties.hpp"        // properties

namespace tartan::inline TARTAN_ABI::detail {

/// The work of launched calls: each call is its own argument.
struct call_itself {
  template <class Call>
  auto operator()(Call& call) const {
    std::monostate none;
    return call(none);
  }
};

/// Calls of one type, each with a sink for its result (launching_backend). They are units of one job, so that many of
/// them go in one message. A call is kept until it has ended: its worker may die.
template <class R, class Call, class Sink>
class launched_calls final : public process_job {
 public:
  explicit launched_calls(properties const& props) : control_(props.control()) {
    require_shippable<R>();
    name_work<call_itself, Call>(*this, call_itself{});
    take_properties(*this, props);
  }

  /// The next unit.
  void append(Call call, Sink sink) { calls_.push_back({std::move(call), std::move(sink)}); }

  /// The same for all jobs of this class.
  static void const* kind() noexcept {
    static constexpr char place = 0;
    return &place;
  }

  std::size_t measure(std::uint64_t unit) override {
    auto& one = at(unit);
#if TARTAN_EXCEPTIONS
    if constexpr (requires { one.sink.skips(); })
      if (one.sink.skips()) {
        one.skipped = true;
        raise<cancelled>();
      }
#endif
    return encoded_size(one.call);
  }
  void encode(std::uint64_t unit, frame_writer& out) override { encode_to(out, at(unit).call); }

  void succeed(std::uint64_t unit, frame_reader& result) override {
    std::optional<R> value(decode_from<R>(result));
    control_.finished(1);
    end_with(unit, std::move(value), nullptr);
  }
  void fail(std::uint64_t unit, std::exception_ptr error) override { end_with(unit, std::nullopt, std::move(error)); }
  void dropped(unit_range r) override {
    for (std::uint64_t k = 0; k != r.count; ++k) {
      at(r.first + k).skipped = true;
      end_with(r.first + k, std::nullopt, nullptr);
    }
  }

  [[nodiscard]] std::size_t task_of(std::uint64_t) const override { return 0; }  // each is a call of its own
  bool stops() override { return control_.skips(); }

  [[nodiscard]] bool has_news() const noexcept override { return !ended_.empty(); }
  std::unique_ptr<process_news> take_news() override {
    auto told = std::make_unique<news>();
    told->ended = std::exchange(ended_, {});
    return told;
  }

 private:
  struct pending_call {
    Call call;
    Sink sink;
    bool over = false;
    bool skipped = false;
  };
  struct ended_call {
    Call call;  // the user's, so it ends without the lock
    Sink sink;
    std::optional<R> value;
    std::exception_ptr error;
    bool skipped;
  };
  struct news final : process_news {
    std::vector<ended_call> ended;
    std::size_t tell() override {
      for (auto& e : ended) {
        if (e.value.has_value())
          e.sink.value(std::move(*e.value));
        else if (e.skipped)
          e.sink.skipped();
        else
          e.sink.error(std::move(e.error));
      }
      return ended.size();
    }
  };

  [[nodiscard]] pending_call& at(std::uint64_t unit) { return calls_[static_cast<std::size_t>(unit - first_)]; }

  void end_with(std::uint64_t unit, std::optional<R>&& value, std::exception_ptr&& error) {
    auto& call = at(unit);
    ended_.push_back({std::move(call.call), std::move(call.sink), std::move(value), std::move(error), call.skipped});
    call.over = true;
    for (; !calls_.empty() && calls_.front().over; ++first_) calls_.pop_front();
  }

  run_control control_;
  std::deque<pending_call> calls_;  // from unit first_ on
  std::uint64_t first_ = 0;
  std::vector<ended_call> ended_;  // not told yet
};

}  // namespace tartan::inline TARTAN_ABI::detail
