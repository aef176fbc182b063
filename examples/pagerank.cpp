// Ranks the nodes of a graph by how often a walker comes by who follows edges at random and starts anew now and then
// (Brin, Page, 1998). The default graph: which header of this machine includes which.
//
// Shows: map over files, sort and unique to build a graph, reproducible sums: the ranks are the same on every run.
// Build: g++ -std=c++20 -O2 pagerank.cpp $(pkg-config --cflags --libs tartan) -o pagerank
// Run:   ./pagerank [EDGES]     (a file with two names in each line: from, to)
#include <tartan/tartan.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ranges>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace {

using node = std::uint32_t;

struct named_edge {
  std::string from, to;
};

/// Names of the files that the text includes.
std::vector<std::string> includes_of(std::string const& text) {
  std::vector<std::string> names;
  for (std::size_t at = text.find("#include"); at != std::string::npos; at = text.find("#include", at + 1)) {
    std::size_t const begin = text.find_first_of("<\"\n", at);
    if (begin == std::string::npos || text[begin] == '\n') continue;
    std::size_t const end = text.find_first_of(">\"\n", begin + 1);
    if (end != std::string::npos && text[end] != '\n') names.push_back(text.substr(begin + 1, end - begin - 1));
  }
  return names;
}

/// From each header below /usr/include to what it includes, by names as they are written there.
std::vector<named_edge> include_graph() {
  std::vector<fs::path> files;
  std::error_code problem;
  auto const options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator("/usr/include", options, problem);
       it != fs::recursive_directory_iterator() && files.size() != 5'000; it.increment(problem))
    if (it->is_regular_file(problem)) files.push_back(it->path());
  std::ranges::sort(files);
  auto const parts = tartan::map(tartan::par, files, [](fs::path const& file) {
    std::ifstream in(file, std::ios::binary);
    std::string const text(std::istreambuf_iterator<char>(in), {});
    std::vector<named_edge> edges;
    for (std::string& to : includes_of(text))
      edges.push_back({fs::relative(file, "/usr/include").string(), std::move(to)});
    return edges;
  });
  std::vector<named_edge> edges;
  for (auto const& part : parts) edges.insert(edges.end(), part.begin(), part.end());
  return edges;
}

std::vector<named_edge> read_edges(char const* file) {
  std::ifstream in(file);
  std::vector<named_edge> edges;
  for (named_edge e; in >> e.from >> e.to;) edges.push_back(e);
  return edges;
}

struct graph {
  std::vector<std::string> names;
  std::vector<std::size_t> out_degree, first;  // edges to v come from sources[first[v]], ... sources[first[v + 1] - 1]
  std::vector<node> sources;
};

graph graph_of(std::vector<named_edge> const& named) {
  graph g;
  std::unordered_map<std::string_view, node> number;
  auto const number_of = [&](std::string const& name) -> std::uint64_t {
    auto const [it, is_new] = number.try_emplace(name, static_cast<node>(g.names.size()));
    if (is_new) g.names.push_back(name);
    return it->second;
  };
  std::vector<std::uint64_t> edges;  // the target decides the order, then the source
  for (named_edge const& e : named) edges.push_back(number_of(e.from) | number_of(e.to) << 32);
  tartan::sort(tartan::par, edges);
  edges.erase(tartan::unique(tartan::par, edges), edges.end());
  g.sources = tartan::map(tartan::par, edges, [](std::uint64_t e) { return static_cast<node>(e); });
  g.out_degree.resize(g.names.size());
  for (node const v : g.sources) ++g.out_degree[v];
  std::vector<std::size_t> in_degree(g.names.size());
  for (std::uint64_t const e : edges) ++in_degree[e >> 32];
  g.first.resize(g.names.size() + 1);
  tartan::inclusive_scan(tartan::par, in_degree, g.first | std::views::drop(1));
  return g;
}

struct ranking {
  std::vector<double> rank;
  int rounds = 0;
  bool operator==(ranking const&) const = default;
};

template <class Policy>
ranking rank_nodes(Policy const& policy, graph const& g) {
  double const n = static_cast<double>(g.names.size()), follows = 0.85;
  auto const nodes = std::views::iota(std::size_t{0}, g.names.size());
  ranking r{std::vector<double>(g.names.size(), 1 / n)};
  std::vector<double> share(r.rank.size()), next(r.rank.size());
  for (double change = 1; change > 1e-12 && r.rounds != 200; ++r.rounds) {
    tartan::map_into(policy, nodes, share, [&](std::size_t v) {
      return g.out_degree[v] == 0 ? 0.0 : r.rank[v] / static_cast<double>(g.out_degree[v]);
    });
    double const stuck =
        tartan::map_reduce(policy, nodes, [&](std::size_t v) { return g.out_degree[v] == 0 ? r.rank[v] : 0.0; });
    tartan::map_into(policy, nodes, next, [&](std::size_t v) {
      double sum = stuck / n;
      for (std::size_t e = g.first[v]; e != g.first[v + 1]; ++e) sum += share[g.sources[e]];
      return (1 - follows) / n + follows * sum;
    });
    change = tartan::map_reduce(policy, nodes, [&](std::size_t v) { return std::abs(next[v] - r.rank[v]); });
    r.rank.swap(next);
  }
  return r;
}

}  // namespace

int main(int argc, char** argv) {
  auto const named = argc > 1 ? read_edges(argv[1]) : include_graph();
  if (named.empty())
    return std::fputs("pagerank: there are no edges; give a file with two names a line\n", stderr), EXIT_FAILURE;
  graph const g = graph_of(named);
  auto const begin = std::chrono::steady_clock::now();
  ranking const r = rank_nodes(tartan::par, g);
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;

  auto const order = tartan::top_k(tartan::par, std::views::iota(std::size_t{0}, g.names.size()), 10,
                                   std::ranges::greater{}, [&](std::size_t v) { return r.rank[v]; });
  for (std::size_t const v : order) std::printf("%8.5f  %s\n", r.rank[v], g.names[v].c_str());
  std::printf("%zu nodes, %zu edges: %d rounds in %.1f ms (%u workers)\n", g.names.size(), g.sources.size(), r.rounds,
              took.count() * 1e3, tartan::available_workers());
  if (r != rank_nodes(tartan::seq, g)) return std::fputs("pagerank: seq and par disagree\n", stderr), EXIT_FAILURE;
  if (std::abs(tartan::reduce(tartan::par, r.rank) - 1) > 1e-9)
    return std::fputs("pagerank: the ranks do not add up to one\n", stderr), EXIT_FAILURE;
  return EXIT_SUCCESS;
}
