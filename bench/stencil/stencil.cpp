// Diffusion on 4096 x 4096 floats: single sweeps and many steps at once, against OpenMP and oneTBB sweeps of the same
// arithmetic, and against copies through and past the caches; and in three dimensions and in one. GB/s counts the 8
// bytes that a plain sweep moves for each point: 8 GB/s are 10^9 points a second, also where fewer bytes are moved.
#include <tartan/for_each.hpp>
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <ranges>
#include <string>
#include <type_traits>
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

/// The peers' sweep: rows in parallel, each row a loop that the compiler vectorises; then the two grids change places.
template <class For>
void peer_steps(problem<2>& p, tartan::grid<float, 2>& other, For const& parallel_for) {
  tartan::grid<float, 2>* from = &p.work;
  tartan::grid<float, 2>* to = &other;
  std::size_t const rows = p.work.extent(0), columns = p.work.extent(1);
  for (std::ptrdiff_t s = 0; s != p.steps; ++s) {
    parallel_for(rows - 2, [&](std::size_t r) {
      float const* const up = &(*from)(r, 0u);
      float const* const here = &(*from)(r + 1, 0u);
      float const* const down = &(*from)(r + 2, 0u);
      float* const out = &(*to)(r + 1, 0u);
#pragma GCC ivdep
      for (std::size_t c = 1; c < columns - 1; ++c)
        out[c] = 0.5F * here[c] + ((here[c - 1] + here[c + 1]) + (up[c] + down[c])) * 0.125F;
    });
    std::swap(from, to);
  }
  if (from != &p.work) p.work.swap(other);
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

template <std::size_t D>
void add_contender(std::vector<bench::contender>& out, std::string const& name, std::string const& who,
                   unsigned workers, std::shared_ptr<problem<D>> p, std::function<void()> run, bool baseline = false) {
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

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::size_t const edge = o.quick ? 1024 : 4096;
  std::string const plane = "2D " + std::to_string(edge) + "^2";
  auto const two = make_problem<2>(tartan::grid<float, 2>(edge, edge), 16, spread2);
  add_tartan<2>(o, out, plane, two, spread2);
  auto const other = std::make_shared<tartan::grid<float, 2>>(two->start);
  for (unsigned const w : o.workers) {
    static_cast<void>(w);
#if BENCH_OPENMP
    add_contender<2>(out, plane, "OpenMP", w, two, [=] {
      peer_steps(*two, *other, [w](std::size_t n, auto const& body) { bench::omp_for(w, n, body); });
    });
#endif
#if BENCH_TBB
    add_contender<2>(out, plane, "oneTBB", w, two, [=] {
      peer_steps(*two, *other, [w](std::size_t n, auto const& body) { bench::tbb_for(w, n, body); });
    });
#endif
  }
  auto const add_copy = [&]<bool PastCaches>(std::bool_constant<PastCaches>, unsigned w) {
    bench::contender copy;
    copy.pattern = plane;
    copy.backend = PastCaches ? "copy past the caches, 8 B a point" : "copy through the caches, 8 B a point";
    copy.workers = w;
    copy.right = [two, other, w] {
      other->fill(0);
      stream_copy<PastCaches>(two->start, *other, w);
      return two->start == *other;
    };
    copy.run = [two, other, w] {
      for (int i = 0; i != 16; ++i) stream_copy<PastCaches>(two->start, *other, w);
    };
    copy.bytes = 16 * 8.0 * static_cast<double>(two->start.size());
    out.push_back(std::move(copy));
  };
  for (unsigned const w : o.workers) {
    add_copy(std::false_type{}, w);
    add_copy(std::true_type{}, w);
  }

  std::size_t const side = o.quick ? 64 : 256;
  add_tartan<3>(o, out, "3D " + std::to_string(side) + "^3",
                make_problem<3>(tartan::grid<float, 3>(side, side, side), 16, spread3), spread3);
  add_tartan<1>(o, out, "1D 65536", make_problem<1>(tartan::grid<float, 1>(65536), 500, spread1), spread1);
}

bench::registration const here("stencil", add);

}  // namespace
