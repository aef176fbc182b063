// Trains a random forest and cross-validates it: for each fold, trees grow on the other folds (each on a sample of its
// own, with replacement, and with a choice of features of its own in every node) and vote on what none of them saw.
// Folds and the trees of each run in parallel, on one pool; the forest is the same for any number of workers.
//
// Shows: map inside map, count_if with a costly predicate, random numbers that depend on the task alone.
// Build: g++ -std=c++20 -O3 random_forest.cpp $(pkg-config --cflags --libs tartan) -o random_forest
// Run:   ./random_forest [SAMPLES [TREES [FOLDS]]]     (default 2500 24 5)
#include <tartan/tartan.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t features = 10, informative = 4, classes = 3, levels = 64, tried = 4, deepest = 9;

struct sample {
  std::array<std::uint8_t, features> x;  // each feature in 64 levels
  std::uint8_t label;
};

/// Clouds round the corners of a cube, of which each belongs to a class; the features behind the first few say nothing.
std::vector<sample> classification_set(std::size_t n) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(0, 7);
  std::vector<sample> set(n);
  for (sample& s : set) {
    auto const corner = random() % (1U << informative);
    s.label = static_cast<std::uint8_t>(corner * 5 / 3 % classes);
    for (std::size_t f = 0; f != features; ++f) {
      double const middle = f >= informative ? 32 : (corner >> f & 1) != 0 ? 46 : 18;
      s.x[f] = static_cast<std::uint8_t>(std::clamp(middle + normal(random), 0.0, 63.0));
    }
  }
  return set;
}

using counts = std::array<std::size_t, classes>;
using rows = std::span<std::uint32_t>;

/// The number of pairs of equal label: what a split must make great, over the number of rows on its side.
double purity(counts const& c, std::size_t n) {
  double pairs = 0;
  for (std::size_t const k : c) pairs += static_cast<double>(k) * static_cast<double>(k);
  return n == 0 ? 0 : pairs / static_cast<double>(n);
}
std::size_t most_frequent(counts const& c) {
  return static_cast<std::size_t>(std::max_element(c.begin(), c.end()) - c.begin());
}

class tree {
 public:
  tree(std::vector<sample> const& set, std::vector<std::uint32_t> const& from, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::uint32_t> drawn(from.size());
    for (auto& row : drawn) row = from[random() % from.size()];
    grow(set, drawn, deepest, random);
  }
  std::size_t predict(sample const& s) const {
    std::size_t at = 0;
    while (nodes_[at].right != 0) at = s.x[nodes_[at].feature] < nodes_[at].level ? at + 1 : nodes_[at].right;
    return nodes_[at].label;
  }
  bool operator==(tree const&) const = default;

 private:
  struct node {
    std::size_t feature = 0, level = 0, right = 0, label = 0;  // the left child follows; a leaf has no right one
    double gain = 0;
    bool operator==(node const&) const = default;
  };

  std::size_t grow(std::vector<sample> const& set, rows r, std::size_t depth, std::mt19937_64& random) {
    std::size_t const here = nodes_.size();
    node best = best_split(set, r, random);
    nodes_.push_back(best);
    if (depth == 0 || best.gain <= 0) return here;
    auto const middle = std::partition(r.begin(), r.end(), [&](auto i) { return set[i].x[best.feature] < best.level; });
    auto const left = static_cast<std::size_t>(middle - r.begin());
    grow(set, r.first(left), depth - 1, random);
    nodes_[here].right = grow(set, r.subspan(left), depth - 1, random);
    return here;
  }

  static node best_split(std::vector<sample> const& set, rows r, std::mt19937_64& random) {
    counts all{};
    for (auto const i : r) ++all[set[i].label];
    node best{.label = most_frequent(all)};
    double const before = purity(all, r.size());
    for (std::size_t k = 0; k != tried; ++k) {
      std::size_t const feature = random() % features;
      std::array<counts, levels> at{};
      for (auto const i : r) ++at[set[i].x[feature]][set[i].label];
      counts below{}, above = all;
      std::size_t n = 0;
      for (std::size_t level = 1; level != levels; ++level) {
        for (std::size_t c = 0; c != classes; ++c) {
          std::size_t const moved = at[level - 1][c];
          below[c] += moved, above[c] -= moved, n += moved;
        }
        double const gain = purity(below, n) + purity(above, r.size() - n) - before - 1e-9;
        if (n != 0 && n != r.size() && gain > best.gain) best = {feature, level, 0, best.label, gain};
      }
    }
    return best;
  }

  std::vector<node> nodes_;
};

struct fold {
  std::vector<tree> forest;
  std::size_t tested = 0, right = 0, right_alone = 0;  // alone: the first tree
  bool operator==(fold const&) const = default;
};

template <class Policy>
fold validate(Policy const& policy, std::vector<sample> const& set, std::size_t trees, std::size_t folds,
              std::size_t which) {
  std::vector<std::uint32_t> train, test;
  for (std::uint32_t i = 0; i != set.size(); ++i) (i % folds == which ? test : train).push_back(i);
  fold f;
  f.forest = tartan::map(policy, std::views::iota(std::size_t{0}, trees),
                         [&](std::size_t t) { return tree(set, train, which * trees + t); });
  auto const vote = [&](std::uint32_t i) {
    counts votes{};
    for (tree const& t : f.forest) ++votes[t.predict(set[i])];
    return most_frequent(votes) == set[i].label;
  };
  f.tested = test.size();
  f.right = static_cast<std::size_t>(tartan::count_if(policy, test, vote));
  f.right_alone = static_cast<std::size_t>(
      std::ranges::count_if(test, [&](auto i) { return f.forest[0].predict(set[i]) == set[i].label; }));
  return f;
}

template <class Policy>
std::pair<std::vector<fold>, double> cross_validate(Policy const& policy, std::vector<sample> const& set,
                                                    std::size_t trees, std::size_t folds) {
  auto const begin = std::chrono::steady_clock::now();
  auto result = tartan::map(policy, std::views::iota(std::size_t{0}, folds),
                            [&](std::size_t f) { return validate(policy, set, trees, folds, f); });
  return {std::move(result), std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
}

double share(std::vector<fold> const& folds, std::size_t fold::* right) {
  std::size_t hits = 0, tested = 0;
  for (fold const& f : folds) hits += f.*right, tested += f.tested;
  return static_cast<double>(hits) / static_cast<double>(tested);
}

}  // namespace

int main(int argc, char** argv) {
  auto const argument = [&](int i, std::size_t otherwise) {
    return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
  };
  std::size_t const n = argument(1, 2500), trees = argument(2, 24), folds = argument(3, 5);
  if (trees == 0 || folds < 2 || n < folds)
    return std::fputs("random_forest: give a tree, two folds and a sample for each at least\n", stderr), EXIT_FAILURE;
  std::vector<sample> set = classification_set(n);

  auto const [serial, t1] = cross_validate(tartan::seq, set, trees, folds);
  auto const [parallel, t2] = cross_validate(tartan::par, set, trees, folds);
  for (fold const& f : parallel) std::printf("fold of %zu: %zu right\n", f.tested, f.right);
  double const accuracy = share(parallel, &fold::right), alone = share(parallel, &fold::right_alone);
  std::printf(
      "%zu samples, %zu folds of %zu trees: %.1f %% right, a tree alone %.1f %%; seq %.0f ms, par %.0f ms (%u)\n", n,
      folds, trees, 100 * accuracy, 100 * alone, t1 * 1e3, t2 * 1e3, tartan::available_workers());

  // The control: with labels that are dealt out anew there is nothing to be learnt.
  auto labels = tartan::map(tartan::par, set, &sample::label);
  tartan::shuffle(tartan::par, labels, 1);
  for (std::size_t i = 0; i != n; ++i) set[i].label = labels[i];
  auto const dealt = cross_validate(tartan::par, set, std::min<std::size_t>(trees, 5), folds).first;
  double const chance = share(dealt, &fold::right);

  bool good = serial == parallel;
  if (!good) std::fputs("random_forest: seq and par grew different forests\n", stderr);
  if (n >= 2000 && trees >= 20 && (accuracy < 0.85 || accuracy <= alone))
    good = std::fprintf(stderr, "random_forest: the forest has learnt too little\n") < 0;
  if (n >= 2000 && chance > 0.5)
    good = std::fprintf(stderr, "random_forest: %.1f %% right on labels dealt out by chance\n", 100 * chance) < 0;
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
