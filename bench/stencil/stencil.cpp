// Diffusion on 4096 x 4096 floats: single sweeps and many steps at once, against OpenMP and oneTBB sweeps of the same
// arithmetic, against copies through and past the caches and against the arithmetic alone; and in three dimensions and
// in one. GB/s counts the 8 bytes that a plain sweep moves for each point: 8 GB/s are 10^9 points a second, also where
// fewer bytes are moved, or none.
#include <tartan/for_each.hpp>
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

namespace {

// Products with powers of two are exact, so contraction cannot make contenders differ.
auto const spread1 = [](auto at) { return 0.5F * at(0) + (at(-1) + at(1)) * 0.25F; };
auto const spread2 = [](auto at) {
  return 0.5F * at(0, 0) + ((at(0, -1) + at(0, 1)) + (at(-1, 0) + at(1, 0))) * 0.125F;
};
auto const spread3 = [](auto at) {
  return 0.25F * at(0, 0, 0) +
         (((at(0, 0, -1) + at(0, 0, 1)) + (at(0, -1, 0) + at(0, 1, 0))) + (at(-1, 0, 0) + at(1, 0, 0))) * 0.125F;
};

template <std::size_t D>
struct problem {
  tartan::grid<float, D> start, expected, work;
  std::ptrdiff_t steps;
};

void fill(tartan::grid<float, 1>& g) {
  for (std::size_t i = 0; i != g.extent(0); ++i) g(i) = static_cast<float>(i * 37 % 1000);
}
void fill(tartan::grid<float, 2>& g) {
  for (std::size_t i = 0; i != g.extent(0); ++i)
    for (std::size_t j = 0; j != g.extent(1); ++j) g(i, j) = static_cast<float>((i * 37 + j * 11) % 1000);
}
void fill(tartan::grid<float, 3>& g) {
  for (std::size_t i = 0; i != g.extent(0); ++i)
    for (std::size_t j = 0; j != g.extent(1); ++j)
      for (std::size_t k = 0; k != g.extent(2); ++k) g(i, j, k) = static_cast<float>((i * 37 + j * 11 + k * 5) % 1000);
}

template <class Policy, std::size_t D, class F>
void step(Policy const& policy, problem<D>& p, std::ptrdiff_t depth, F const& f) {
  auto const when = depth == 0 ? tartan::steps(p.steps) : tartan::steps(p.steps).temporal(depth);
  tartan::stencil(policy, p.work, when, tartan::radius(1), tartan::boundary::none, f);
}

/// The peers' sweep: rows in parallel (pieces of a line), each a loop that the compiler vectorises; then the two grids
/// change places.
template <std::size_t D, class For, class Row>
void peer_steps(problem<D>& p, tartan::grid<float, D>& other, std::size_t rows, For const& parallel_for,
                Row const& row) {
  tartan::grid<float, D>* from = &p.work;
  tartan::grid<float, D>* to = &other;
  for (std::ptrdiff_t s = 0; s != p.steps; ++s) {
    parallel_for(rows, [&](std::size_t r) { row(*from, *to, r); });
    std::swap(from, to);
  }
  if (from != &p.work) p.work.swap(other);
}

constexpr std::size_t line_pieces = 16;

void peer_row(tartan::grid<float, 1> const& from, tartan::grid<float, 1>& to, std::size_t piece) {
  std::size_t const inner = from.extent(0) - 2;
  float const* const in = &from(0U);
  float* const out = &to(0U);
#pragma GCC ivdep
  for (std::size_t i = 1 + inner * piece / line_pieces; i < 1 + inner * (piece + 1) / line_pieces; ++i)
    out[i] = 0.5F * in[i] + (in[i - 1] + in[i + 1]) * 0.25F;
}
void peer_row(tartan::grid<float, 2> const& from, tartan::grid<float, 2>& to, std::size_t r) {
  float const* const up = &from(r, 0U);
  float const* const here = &from(r + 1, 0U);
  float const* const down = &from(r + 2, 0U);
  float* const out = &to(r + 1, 0U);
  std::size_t const last = from.extent(1) - 1;
#pragma GCC ivdep
  for (std::size_t c = 1; c < last; ++c)
    out[c] = 0.5F * here[c] + ((here[c - 1] + here[c + 1]) + (up[c] + down[c])) * 0.125F;
}
/// A row of a plane by its number among all inner rows.
void peer_row(tartan::grid<float, 3> const& from, tartan::grid<float, 3>& to, std::size_t r) {
  std::size_t const inner = from.extent(1) - 2, z = 1 + r / inner, y = 1 + r % inner, last = from.extent(2) - 1;
  float const* const above = &from(z - 1, y, 0U);
  float const* const below = &from(z + 1, y, 0U);
  float const* const up = &from(z, y - 1, 0U);
  float const* const here = &from(z, y, 0U);
  float const* const down = &from(z, y + 1, 0U);
  float* const out = &to(z, y, 0U);
#pragma GCC ivdep
  for (std::size_t c = 1; c < last; ++c)
    out[c] = 0.25F * here[c] + (((here[c - 1] + here[c + 1]) + (up[c] + down[c])) + (above[c] + below[c])) * 0.125F;
}

template <std::size_t D>
std::size_t peer_rows(tartan::grid<float, D> const& g) {
  if constexpr (D == 1) return line_pieces;
  if constexpr (D == 2) return g.extent(0) - 2;
  if constexpr (D == 3) return (g.extent(0) - 2) * (g.extent(1) - 2);
}

/// The limit of one sweep at a time: each element read once and written once.
template <bool PastCaches>
void stream_copy(tartan::grid<float, 2> const& from, tartan::grid<float, 2>& to, unsigned workers) {
  tartan::for_each(tartan::par.workers(workers), std::views::iota(std::size_t{0}, from.extent(0)), [&](std::size_t r) {
    using pack = tartan::lanes::native_pack<float>;
    std::size_t const n = from.extent(1) / pack::size * pack::size;  // of a multiple: the bench's edges are
    for (std::size_t i = 0; i != n; i += pack::size)
      if constexpr (PastCaches)
        pack::load(&from(r, i)).store_bypassing(&to(r, i));
      else
        pack::load(&from(r, i)).store(&to(r, i));
  });
}

/// The limit of many steps at a time: the arithmetic of as many points, on vectors that never leave the registers.
/// Every lane begins with `value`, to which the sums keep it; returns whether they did.
bool compute_in_registers(std::size_t points, unsigned workers, float value) {
  using pack = tartan::lanes::native_pack<float>;
  constexpr std::size_t vectors = 8, parts = 64;
  std::size_t const rounds = points / (parts * vectors * pack::size);
  std::atomic<bool> kept{true};
  tartan::for_each(tartan::par.workers(workers), std::views::iota(std::size_t{0}, parts), [&](std::size_t) {
    std::array<pack, vectors> now;
    now.fill(pack(value));
    for (std::size_t i = 0; i != rounds; ++i)
      now = [&]<std::size_t... K>(std::index_sequence<K...>) {
        auto const at = [&](std::size_t k) { return now[k % vectors]; };  // no two sums of which have two in common
        return std::array<pack, vectors>{
            (0.5F * at(K) + ((at(K + 1) + at(K + 2)) + (at(K + 3) + at(K + 6))) * 0.125F)...};
      }(std::make_index_sequence<vectors>{});
    for (pack const& one : now)
      if (!all(one == pack(value))) kept.store(false, std::memory_order_relaxed);  // read behind the join
  });
  return kept.load(std::memory_order_relaxed);
}

template <std::size_t D>
void add_contender(std::vector<bench::contender>& out, std::string const& name, std::string const& who,
                   unsigned workers, std::shared_ptr<problem<D>> p, std::function<void()> run, bool baseline = false,
                   bool yardstick = false) {
  bench::contender c;
  c.pattern = name;
  c.backend = who;
  c.workers = workers;
  c.right = [p, run] {
    p->work = p->start;
    run();
    return p->work == p->expected;
  };
  c.run = run;  // goes on from wherever the last run ended: the cost of a step does not depend on the values
  c.bytes = 2.0 * sizeof(float) * static_cast<double>(p->start.size()) * static_cast<double>(p->steps);
  c.baseline = baseline;
  c.yardstick = yardstick;
  out.push_back(std::move(c));
}

template <std::size_t D, class F>
std::shared_ptr<problem<D>> make_problem(tartan::grid<float, D> grid, std::ptrdiff_t steps, F const& f) {
  fill(grid);
  auto p = std::make_shared<problem<D>>(problem<D>{grid, grid, grid, steps});
  step(tartan::seq, *p, 1, f);  // scalars, one sweep a step: what the others are checked against
  p->expected = p->work;
  return p;
}

template <std::size_t D, class F>
void add_tartan(bench::options const& o, std::vector<bench::contender>& out, std::string const& name,
                std::shared_ptr<problem<D>> p, F const& f) {
  add_contender<D>(out, name, "tartan seq, sweeps", 1, p, [p, f] { step(tartan::seq, *p, 1, f); }, true);
  add_contender<D>(out, name, "tartan simd, sweeps", 1, p, [p, f] { step(tartan::simd, *p, 1, f); });
  add_contender<D>(out, name, "tartan simd", 1, p, [p, f] { step(tartan::simd, *p, 0, f); });
  for (unsigned const w : o.workers) {
    auto const policy = tartan::par_simd.workers(w);
    add_contender<D>(out, name, "tartan par_simd, sweeps", w, p, [=] { step(policy, *p, 1, f); });
    add_contender<D>(out, name, "tartan par_simd", w, p, [=] { step(policy, *p, 0, f); });
  }
}

/// Plain sweeps of the same arithmetic by the peers.
template <std::size_t D>
void add_peers(bench::options const& o, std::vector<bench::contender>& out, std::string const& name,
               std::shared_ptr<problem<D>> p) {
  auto const other = std::make_shared<tartan::grid<float, D>>(p->start);
  std::size_t const rows = peer_rows(p->start);
  auto const row = [](auto const& from, auto& to, std::size_t r) { peer_row(from, to, r); };
  static_cast<void>(rows), static_cast<void>(row);
  for (unsigned const w : o.workers) {
    static_cast<void>(w);
#if BENCH_OPENMP
    auto const omp = [w](std::size_t n, auto const& body) { bench::omp_for(w, n, body); };
    add_contender<D>(out, name, "OpenMP", w, p, [=] { peer_steps<D>(*p, *other, rows, omp, row); }, false, true);
#endif
#if BENCH_TBB
    auto const tbb = [w](std::size_t n, auto const& body) { bench::tbb_for(w, n, body); };
    add_contender<D>(out, name, "oneTBB", w, p, [=] { peer_steps<D>(*p, *other, rows, tbb, row); }, false, true);
#endif
  }
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::size_t const edge = o.quick ? 1024 : 4096;
  std::string const plane = "2D " + std::to_string(edge) + "^2";
  auto const two = make_problem<2>(tartan::grid<float, 2>(edge, edge), 16, spread2);
  add_tartan<2>(o, out, plane, two, spread2);
  add_peers<2>(o, out, plane, two);
  auto const other = std::make_shared<tartan::grid<float, 2>>(two->start);
  auto const add_copy = [&]<bool PastCaches>(std::bool_constant<PastCaches>, unsigned w) {
    bench::contender copy;
    copy.pattern = plane;
    copy.backend = PastCaches ? "copy past the caches" : "copy through the caches";
    copy.workers = w;
    copy.right = [two, other, w] {
      other->fill(0);
      stream_copy<PastCaches>(two->start, *other, w);
      return two->start == *other;
    };
    copy.run = [two, other, w] {
      for (int i = 0; i != 16; ++i) stream_copy<PastCaches>(two->start, *other, w);
    };
    copy.yardstick = true;
    copy.bytes = 16 * 8.0 * static_cast<double>(two->start.size());
    out.push_back(std::move(copy));
  };
  auto const add_arithmetic = [&](unsigned w) {
    bench::contender arithmetic;
    arithmetic.pattern = plane;
    arithmetic.backend = "arithmetic in registers";
    arithmetic.workers = w;
    std::size_t const points = 16 * two->start.size();
    arithmetic.right = [=] { return compute_in_registers(points, w, two->start(1, 1) + 3); };
    arithmetic.run = [=] { benchmark::DoNotOptimize(compute_in_registers(points, w, two->start(1, 1) + 3)); };
    arithmetic.yardstick = true;
    arithmetic.bytes = 8.0 * static_cast<double>(points);
    out.push_back(std::move(arithmetic));
  };
  for (unsigned const w : o.workers) {
    add_copy(std::false_type{}, w);
    add_copy(std::true_type{}, w);
    add_arithmetic(w);
  }

  std::size_t const side = o.quick ? 64 : 256;
  std::string const cube = "3D " + std::to_string(side) + "^3";
  auto const three = make_problem<3>(tartan::grid<float, 3>(side, side, side), 16, spread3);
  add_tartan<3>(o, out, cube, three, spread3);
  add_peers<3>(o, out, cube, three);
  auto const one = make_problem<1>(tartan::grid<float, 1>(65536), 500, spread1);
  add_tartan<1>(o, out, "1D 65536", one, spread1);
  add_peers<1>(o, out, "1D 65536", one);
}

bench::registration const here("stencil", add);

}  // namespace
