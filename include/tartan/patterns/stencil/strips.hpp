#pragma once
// A pass of a stencil whose tiles go to workers that see the grids but not the rest of the caller's memory.

#include <cstddef>      // ptrdiff_t, size_t
#include <tuple>        // apply, make_from_tuple
#include <type_traits>  // is_trivially_copyable_v, remove_cvref_t
#include <utility>      // move
#include <variant>      // monostate

#include "tartan/core/config.hpp"             // TARTAN_ABI
#include "tartan/core/frame.hpp"              // frame_reader, frame_writer
#include "tartan/exec/plan.hpp"               // block, block_plan
#include "tartan/patterns/stencil/plan.hpp"   // tile_of, tiling
#include "tartan/patterns/stencil/rings.hpp"  // ring_memory

namespace tartan::inline TARTAN_ABI {

template <class T>
struct codec;

namespace detail {

/// All that a sweep holds but its function. The pointers lead into memory that lies at one address in every process.
template <class Sweep>
struct strip_plan {
  decltype(Sweep::size) size;
  decltype(Sweep::radius) radius;
  decltype(Sweep::edges) edges;
  std::ptrdiff_t depth;
  bool bypass;
  decltype(Sweep::from) from;
  decltype(Sweep::to) to;
  decltype(Sweep::past) past;
  tiling cut;

  template <class F>
  [[nodiscard]] Sweep with(F& f) const {
    return {f, size, radius, edges, depth, bypass, from, to, past};
  }

  /// Calls visit with each member that is plain bytes (a std::tuple of such is not).
  template <class Self, class Visit>
  static void each_part(Self& self, Visit visit) {
    visit(self.size), visit(self.radius), visit(self.edges), visit(self.depth), visit(self.bypass);
    std::apply([&](auto&... view) { (visit(view), ...); }, self.from);
    std::apply([&](auto&... view) { (visit(view), ...); }, self.to);
    visit(self.past), visit(self.cut);
  }
};

/// What a worker does with the number of a tile. To do it twice is to write the same values again.
template <class Sweep, class F>
struct strip_work {
  strip_plan<Sweep> plan;
  mutable F f;

  std::monostate operator()(std::size_t tile) const {
    thread_local ring_memory rings;
    Sweep const sweep = plan.with(f);
    sweep.run(tile_of(plan.cut, plan.size, static_cast<std::ptrdiff_t>(tile)), rings);
    return {};
  }
};

template <class P, class Sweep>
void run_strips(P const& policy, Sweep const& sweep, tiling const& cut, std::size_t count) {
  using function = std::remove_cvref_t<decltype(sweep.f)>;
  strip_work<Sweep, function> const work{
      {sweep.size, sweep.radius, sweep.edges, sweep.depth, sweep.bypass, sweep.from, sweep.to, sweep.past, cut},
      sweep.f};
  static_cast<void>(policy.backend().template collect<std::monostate>(
      policy.props().uncounted(), block_plan(count, 1), [](block const& b) { return b.index; }, work));
}

}  // namespace detail

template <class Sweep, class F>
struct codec<detail::strip_work<Sweep, F>> {
  using plan = detail::strip_plan<Sweep>;
  using work = detail::strip_work<Sweep, F>;

  static std::size_t size(work const& w) {
    std::size_t total = codec<F>::size(w.f);
    plan::each_part(w.plan, [&](auto const& part) { total += sizeof part; });
    return total;
  }
  static void write(frame_writer& out, work const& w) {
    plan::each_part(w.plan, [&](auto const& part) { out.raw(part); });
    codec<F>::write(out, w.f);
  }
  static work read(frame_reader& in) {
    plan p{};
    plan::each_part(p, [&](auto& part) { part = in.template raw<std::remove_cvref_t<decltype(part)>>(); });
    return {std::move(p), codec<F>::read(in)};
  }
};

}  // namespace tartan::inline TARTAN_ABI
