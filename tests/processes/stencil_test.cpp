// Stencils on worker processes, over grids in shared memory: the same bits as on seq, and deaths.

#include "tartan/patterns/stencil.hpp"

#include <atomic>
#include <csignal>
#include <stdexcept>

#include "support/process_main.hpp"
#include "tartan/backends/nested.hpp"
#include "tartan/processes.hpp"
#include "tartan/simd.hpp"
#include "tartan/stencil.hpp"

namespace {

namespace tn = tartan;

constexpr auto blur = [](auto at) { return .2f * (at(0, 0) + at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)); };

void fill(auto& g) {
  for (std::size_t i = 0; i != g.extent(0); ++i)
    for (std::size_t j = 0; j != g.extent(1); ++j) g(i, j) = static_cast<float>((i * 31 + j * 17) % 101);
}

bool same(auto const& a, auto const& b) {
  for (std::size_t i = 0; i != a.extent(0); ++i)
    for (std::size_t j = 0; j != a.extent(1); ++j)
      if (!(a(i, j) == b(i, j))) return false;
  return true;
}

}  // namespace

TEST_CASE("stencil on processes: the same bits as on seq, for steps, boundaries and leaves") {
  auto const check = [](auto const& p, auto const& boundary, std::size_t rows, std::size_t columns) {
    tn::grid<float, 2> plain(rows, columns);
    tn::shared_grid<float, 2> shared(rows, columns);
    fill(plain);
    fill(shared);
    tn::stencil(tn::seq, plain, tn::steps(7), tn::radius(1), boundary, blur);
    CHECK(tn::stencil(p, shared, tn::steps(7), tn::radius(1), boundary, blur).steps == 7);
    CHECK(same(plain, shared));
  };
  for (auto const& p : {tn::processes.workers(1), tn::processes.workers(3)}) {
    check(p, tn::boundary::clamp, 200, 131);
    check(p, tn::boundary::wrap, 3, 5);
    check(p, tn::boundary::constant(1.5f), 64, 64);
  }
  check(tn::processes.workers(2).simd(), tn::boundary::reflect, 77, 200);
  check(tn::nest(tn::processes.workers(2), tn::par.workers(2)), tn::boundary::none, 90, 33);
}

TEST_CASE("stencil on processes: several fields, a closure, until, and into another grid") {
  auto const p = tn::processes.workers(2);
  auto const wave = [](auto at, auto before, auto speed) {
    return 2 * at(0, 0) - before(0, 0) + speed(0, 0) * (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1) - 4 * at(0, 0));
  };
  tn::grid<float, 2> u(40, 50), u_before(40, 50), c(40, 50);
  tn::shared_grid<float, 2> v(40, 50), v_before(40, 50), d(40, 50);
  fill(u), fill(v), fill(u_before), fill(v_before);
  c.fill(.1f), d.fill(.1f);
  tn::stencil(tn::seq, tn::fields(u, u_before, tn::fixed(c)), tn::steps(9), tn::radius(1), tn::boundary::wrap, wave);
  tn::stencil(p, tn::fields(v, v_before, tn::fixed(d)), tn::steps(9), tn::radius(1), tn::boundary::wrap, wave);
  CHECK(same(u, v));
  CHECK(same(u_before, v_before));

  auto const damp = tn::closure(.25f, [](float k, auto at) { return at(0, 0) * k; });
  auto const small = [](float change) { return change < 1; };
  auto const a = tn::stencil(tn::seq, u, tn::until(small, 2), tn::radius(0), tn::boundary::clamp, damp);
  auto const b = tn::stencil(p, v, tn::until(small, 2), tn::radius(0), tn::boundary::clamp, damp);
  CHECK(a.steps == b.steps);
  CHECK(a.last == b.last);
  CHECK(same(u, v));

  tn::grid<int, 2> rounded(40, 50);
  tn::shared_grid<int, 2> rounded_there(40, 50);
  auto const to_int = [](auto at) { return static_cast<int>(at(0, 1)); };
  tn::stencil_into(tn::seq, u, rounded, tn::radius(1), tn::boundary::clamp, to_int);
  tn::stencil_into(p, v, rounded_there, tn::radius(1), tn::boundary::clamp, to_int);
  CHECK(same(rounded, rounded_there));
}

TEST_CASE("stencil on processes: what f throws, and the death of a worker, leave the state before") {
  auto const p = tn::processes.workers(2);
  tn::shared_grid<float, 2> g(30, 30), before(30, 30);
  fill(g), fill(before);
  auto const fails = [](auto at) {
    if (at(0, 0) == 100) throw std::domain_error("hundred");
    return at(0, 0);
  };
  CHECK_THROWS_AS(tn::stencil(p, g, tn::steps(1), tn::radius(0), tn::boundary::clamp, fails), std::domain_error);
  CHECK(same(g, before));
  auto const dies = [](auto at) {
    if (at(0, 0) == 100) std::raise(SIGKILL);
    return at(0, 0);
  };
  CHECK_THROWS_AS(tn::stencil(p, g, tn::steps(1), tn::radius(0), tn::boundary::clamp, dies), tn::worker_died);
  CHECK(same(g, before));
  tn::stencil(p, g, tn::steps(3), tn::radius(1), tn::boundary::clamp, blur);
  tn::stencil(tn::seq, before, tn::steps(3), tn::radius(1), tn::boundary::clamp, blur);
  CHECK(same(g, before));
}

TEST_CASE("stencil on processes: under retries a death does not show") {
  tn::shared_grid<float, 2> g(30, 30), right(30, 30);
  fill(g), fill(right);
  tn::shared_value<std::atomic<int>> deaths(0);
  auto const dies_once = tn::closure(deaths.span(), [](tn::shared_span<std::atomic<int>> d, auto at) {
    if (at(0, 0) == 100 && d[0].exchange(1) == 0) std::raise(SIGKILL);
    return at(0, 0) + 1;
  });
  tn::stencil(tn::processes.workers(2).retries(1), g, tn::steps(2), tn::radius(0), tn::boundary::clamp, dies_once);
  CHECK(*deaths == 1);
  tn::stencil(tn::seq, right, tn::steps(2), tn::radius(0), tn::boundary::clamp, [](auto at) { return at(0, 0) + 1; });
  CHECK(same(g, right));
}
