// Breadth-first search in a random graph whose degrees follow a power law (RMAT): how many steps is each vertex away
// from the best connected one? While few vertices were reached in the last step, they look for new neighbours; while
// many were, each vertex that is left looks for one of them (Beamer, Asanovic, Patterson, 2012).
//
// Shows: generate, sort, unique and for_each on a graph in memory; worker_local lists; atomics shared by tasks.
// Build: g++ -std=c++20 -O3 bfs.cpp $(pkg-config --cflags --libs tartan) -o bfs
// Run:   ./bfs [SCALE [DEGREE]]     (default 16 16: 2^16 vertices, 2^20 edges)
#include <tartan/tartan.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ranges>
#include <vector>

namespace {

using vertex = std::uint32_t;
constexpr std::uint8_t unreached = 255;

/// The neighbours of v are targets[first[v]] to targets[first[v + 1] - 1].
struct graph {
  std::vector<std::size_t> first;
  std::vector<vertex> targets;
  [[nodiscard]] std::size_t size() const { return first.size() - 1; }
  [[nodiscard]] std::size_t degree(vertex v) const { return first[v + 1] - first[v]; }
};

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

/// Edge i: in each of `scale` steps both ends go to one quarter of the matrix, with probabilities .57, .19, .19, .05.
std::uint64_t random_edge(std::uint64_t i, unsigned scale) {
  std::uint64_t from = 0, to = 0, bits = 0;
  for (unsigned step = 0; step != scale; ++step) {
    bits = step % 4 == 0 ? mixed(i * 8 + step / 4 + 1) : bits >> 16;
    std::uint64_t const chance = bits % 65'536 * 100 / 65'536;
    from = from << 1 | (chance >= 76 ? 1 : 0);
    to = to << 1 | ((chance >= 57 && chance < 76) || chance >= 95 ? 1 : 0);
  }
  return from << 32 | to;
}

graph random_graph(unsigned scale, std::size_t degree) {
  std::size_t const n = std::size_t{1} << scale, m = n * degree;
  std::vector<std::uint64_t> edges(2 * m);  // both directions
  tartan::for_each(tartan::par, std::views::iota(std::size_t{0}, m), [&](std::size_t i) {
    std::uint64_t const e = random_edge(i, scale);
    edges[2 * i] = e;
    edges[2 * i + 1] = e << 32 | e >> 32;
  });
  tartan::sort(tartan::par, edges);
  edges.erase(tartan::unique(tartan::par, edges), edges.end());
  graph g{std::vector<std::size_t>(n + 1), std::vector<vertex>(edges.size())};
  tartan::map_into(tartan::par, edges, g.targets, [](std::uint64_t e) { return static_cast<vertex>(e); });
  tartan::for_each(tartan::par, std::views::iota(std::size_t{0}, edges.size() + 1), [&](std::size_t i) {
    std::size_t const begin = i == 0 ? 0 : (edges[i - 1] >> 32) + 1, end = i == edges.size() ? n : edges[i] >> 32;
    for (std::size_t v = begin; v <= end; ++v) g.first[v] = i;  // where the edges of v begin
  });
  return g;
}

template <class Policy>
class search {
 public:
  search(Policy policy, graph const& g) : policy_(policy), g_(g), steps_(g.size()) {}

  std::vector<std::uint8_t> run(vertex start) {
    tartan::for_each(policy_, steps_, [](auto& s) { s.store(unreached, std::memory_order_relaxed); });
    std::vector<vertex> front{start};
    steps_[start] = 0;
    std::size_t reached = 1, edges_left = g_.targets.size();
    for (std::uint8_t step = 1; reached != 0; ++step) {
      std::size_t const edges_of_front = tartan::map_reduce(policy_, front, [&](vertex v) { return g_.degree(v); });
      edges_left -= edges_of_front;
      if (edges_of_front > edges_left / 14) {
        do {
          reached = pull(step);
        } while (reached > g_.size() / 24 && ++step != unreached);
        front = tartan::copy_if(policy_, std::views::iota(vertex{0}, static_cast<vertex>(g_.size())),
                                [&](vertex v) { return at(v) == step; });
      } else {
        front = push(front, step);
        reached = front.size();
      }
    }
    return tartan::map(policy_, steps_, [](auto const& s) { return s.load(std::memory_order_relaxed); });
  }

 private:
  [[nodiscard]] std::uint8_t at(vertex v) const { return steps_[v].load(std::memory_order_relaxed); }

  /// The vertices of the last step reach for their neighbours; each new one goes to whoever is first.
  std::vector<vertex> push(std::vector<vertex> const& front, std::uint8_t step) {
    tartan::worker_local<std::vector<vertex>> found;
    tartan::for_each(policy_, front, [&](vertex v) {
      for (std::size_t e = g_.first[v]; e != g_.first[v + 1]; ++e) {
        vertex const to = g_.targets[e];
        std::uint8_t none = unreached;
        if (at(to) == unreached && steps_[to].compare_exchange_strong(none, step, std::memory_order_relaxed))
          found.local().push_back(to);
      }
    });
    std::vector<vertex> all;
    found.for_each([&](std::vector<vertex> const& one) { all.insert(all.end(), one.begin(), one.end()); });
    return all;
  }

  /// Every vertex that is left looks for a neighbour of the last step; returns how many have one.
  std::size_t pull(std::uint8_t step) {
    return tartan::count_if(policy_, std::views::iota(vertex{0}, static_cast<vertex>(g_.size())), [&](vertex v) {
      if (at(v) != unreached) return false;
      for (std::size_t e = g_.first[v]; e != g_.first[v + 1]; ++e)
        if (at(g_.targets[e]) == step - 1) {
          steps_[v].store(step, std::memory_order_relaxed);
          return true;
        }
      return false;
    });
  }

  Policy policy_;
  graph const& g_;
  std::vector<std::atomic<std::uint8_t>> steps_;
};

std::vector<std::uint8_t> plain_search(graph const& g, vertex start) {
  std::vector<std::uint8_t> steps(g.size(), unreached);
  std::vector<vertex> queue{start};
  steps[start] = 0;
  for (std::size_t i = 0; i != queue.size(); ++i)
    for (std::size_t e = g.first[queue[i]]; e != g.first[queue[i] + 1]; ++e)
      if (vertex const to = g.targets[e]; steps[to] == unreached) {
        steps[to] = static_cast<std::uint8_t>(steps[queue[i]] + 1);
        queue.push_back(to);
      }
  return steps;
}

double seconds_of(auto&& f) {
  auto const begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  unsigned const scale = argc > 1 ? static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10)) : 16;
  std::size_t const degree = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 16;
  if (scale < 1 || scale > 30 || degree < 1)
    return std::fputs("bfs: give a scale from 1 to 30 and a degree of at least 1\n", stderr), EXIT_FAILURE;
  graph const g = random_graph(scale, degree);
  auto const vertices = std::views::iota(vertex{0}, static_cast<vertex>(g.size()));
  vertex const start = *tartan::max_element(tartan::par, vertices, {}, [&](vertex v) { return g.degree(v); });

  std::vector<std::uint8_t> serial, found;
  search all(tartan::par, g);
  double const t1 = seconds_of([&] { serial = plain_search(g, start); });
  found = all.run(start);  // wakes the workers
  double const t2 = seconds_of([&] { found = all.run(start); });

  std::size_t const reached = tartan::map_reduce(
      tartan::par, vertices, [&](vertex v) { return found[v] == unreached ? std::size_t{0} : g.degree(v); });
  double const edges = static_cast<double>(reached) / 2 * 1e-6;
  std::printf("%zu vertices, %zu edges: %.0f million edges a second (%u workers), serial queue %.0f\n", g.size(),
              g.targets.size() / 2, edges / t2, tartan::available_workers(), edges / t1);
  auto const per_step = tartan::count_by(tartan::par, found, [](std::uint8_t s) { return s; });
  for (unsigned step = 0; step != unreached; ++step)
    if (auto const it = per_step.find(static_cast<std::uint8_t>(step)); it != per_step.end())
      std::printf("%3u steps: %zu\n", step, it->second);
  if (found != serial) return std::fputs("bfs: serial and parallel search disagree\n", stderr), EXIT_FAILURE;
  return EXIT_SUCCESS;
}
