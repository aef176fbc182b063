// Mean and variance in one pass: a state of the user's own, by aggregate.
#include <tartan/tartan.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "harness.hpp"

namespace {

struct moments {
  double count = 0, mean = 0, squares = 0;
  void add(double x) {
    count += 1;
    double const delta = x - mean;
    mean += delta / count;
    squares += delta * (x - mean);
  }
  void merge(moments const& o) {
    if (o.count == 0) return;
    double const delta = o.mean - mean, total = count + o.count;
    mean += delta * o.count / total;
    squares += o.squares + delta * delta * count * o.count / total;
    count = total;
  }
};

struct close_to {
  moments value;
  friend bool operator==(moments const& got, close_to const& want) {
    auto const close = [](double x, double y) { return std::abs(x - y) <= 1e-6 * std::abs(y); };
    return got.count == want.value.count && close(got.mean, want.value.mean) && close(got.squares, want.value.squares);
  }
};

void add(bench::options const& o, std::vector<bench::contender>& out) {
  static std::vector<double> v;
  v.resize(o.scaled(8'000'000));
  for (std::size_t i = 0; i != v.size(); ++i) v[i] = static_cast<double>(i * 7919 % 10007);
  moments all;
  for (double const x : v) all.add(x);
  out.push_back(bench::make_baseline("aggregate", close_to{all}, [] {
    moments m;
    for (double const x : v) m.add(x);
    return m;
  }));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("aggregate", "tartan par", w, close_to{all}, [p = tartan::par.workers(w)] {
      return tartan::aggregate(
          p, v, [] { return moments{}; }, [](moments& m, double x) { m.add(x); },
          [](moments& l, moments&& r) { l.merge(r); });
    }));
}

bench::registration const here("welford", add);

}  // namespace
