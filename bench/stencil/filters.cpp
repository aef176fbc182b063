// Gaussian filters of 8-bit pictures, 3 x 3 and 5 x 5, grey and in colour, borders repeated: two passes of few weights
// that stay in the cache between them, against OpenCV where it is installed and against the plain double loop, which
// every answer must equal byte for byte. GB/s counts a byte read and a byte written for each value. One picture that is
// filtered again and again comes from the last cache (where that is large enough); "from memory" goes through so many
// pictures that each has left the caches when its turn comes.
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness.hpp"

#if BENCH_OPENCV
#include <opencv2/imgproc.hpp>
#endif

namespace {

using picture = tartan::grid<std::uint8_t, 2>;

struct problem {
  picture in, out;
  std::shared_ptr<picture const> expected;
  std::ptrdiff_t colours, radius;
};

/// Pictures that are filtered one after another.
struct film {
  std::vector<std::unique_ptr<problem>> pictures;
  std::size_t turn = 0;

  problem& next() { return *pictures[turn++ % pictures.size()]; }
};

auto const narrow = [](auto x) { return tartan::wrapping<std::uint16_t>(x); };

template <std::ptrdiff_t Colours, class Policy>
void blur3(Policy const& policy, problem& p) {
  constexpr int c = Colours;
  tartan::stencil_into(policy, p.in, p.out, tartan::boundary::clamp.interleaved(c),
                       tartan::pass(tartan::radius(0, c),
                                    [](auto at) {
                                      auto const sum = narrow(at(0, -c)) + 2 * narrow(at(0, 0)) + narrow(at(0, c));
                                      return tartan::to<std::uint16_t>(sum);
                                    }),
                       tartan::pass(tartan::radius(1, 0), [](auto at) {
                         auto const sum = narrow(at(-1, 0)) + 2 * narrow(at(0, 0)) + narrow(at(1, 0));
                         return tartan::to<std::uint8_t>((sum + 8) >> 4);
                       }));
}

template <std::ptrdiff_t Colours, class Policy>
void blur5(Policy const& policy, problem& p) {
  constexpr int c = Colours;
  auto const weigh = [](auto a, auto b, auto m, auto d, auto e) {
    return (narrow(a) + narrow(e)) + 4 * (narrow(b) + narrow(d)) + 6 * narrow(m);
  };
  tartan::stencil_into(
      policy, p.in, p.out, tartan::boundary::clamp.interleaved(c),
      tartan::pass(tartan::radius(0, 2 * c),
                   [=](auto at) {
                     return tartan::to<std::uint16_t>(
                         weigh(at(0, -2 * c), at(0, -c), at(0, 0), at(0, c), at(0, 2 * c)));
                   }),
      tartan::pass(tartan::radius(2, 0), [=](auto at) {
        return tartan::to<std::uint8_t>((weigh(at(-2, 0), at(-1, 0), at(0, 0), at(1, 0), at(2, 0)) + 128) >> 8);
      }));
}

/// The definition: a sum over the square, one value after another.
void plainly(problem& p) {
  static constexpr std::array<std::array<int, 5>, 2> weights{{{1, 2, 1, 0, 0}, {1, 4, 6, 4, 1}}};
  auto const& weight = weights[static_cast<std::size_t>(p.radius - 1)];
  auto const rows = static_cast<std::ptrdiff_t>(p.in.extent(0)),
             pixels = static_cast<std::ptrdiff_t>(p.in.extent(1)) / p.colours;
  int const half = p.radius == 1 ? 8 : 128, shift = p.radius == 1 ? 4 : 8;
  for (std::ptrdiff_t i = 0; i != rows; ++i)
    for (std::ptrdiff_t j = 0; j != pixels; ++j)
      for (std::ptrdiff_t c = 0; c != p.colours; ++c) {
        int sum = half;
        for (std::ptrdiff_t y = -p.radius; y <= p.radius; ++y) {
          auto const row = p.in.row(static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i + y, 0, rows - 1)));
          for (std::ptrdiff_t x = -p.radius; x <= p.radius; ++x)
            sum += weight[static_cast<std::size_t>(y + p.radius)] * weight[static_cast<std::size_t>(x + p.radius)] *
                   row[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(j + x, 0, pixels - 1) * p.colours + c)];
        }
        p.out(static_cast<std::size_t>(i), static_cast<std::size_t>(j * p.colours + c)) =
            static_cast<std::uint8_t>(sum >> shift);
      }
}

#if BENCH_OPENCV
void by_opencv(problem& p, int threads) {
  auto const mat = [&](picture& g) {
    return cv::Mat(static_cast<int>(g.extent(0)), static_cast<int>(g.extent(1)) / static_cast<int>(p.colours),
                   CV_8UC(static_cast<int>(p.colours)), &g(0U, 0U), static_cast<std::size_t>(g.view().strides[0]));
  };
  cv::setNumThreads(threads);
  auto const in = mat(p.in);
  auto out = mat(p.out);
  auto const side = static_cast<int>(2 * p.radius + 1);
  cv::GaussianBlur(in, out, {side, side}, 0, 0, cv::BORDER_REPLICATE);
}
#endif

struct filter_rows {
  bench::options const& o;
  std::vector<bench::contender>& out;
  std::string name;
  std::shared_ptr<film> shown;

  /// filter(p) for one picture after another.
  template <class Filter>
  bench::contender& add(std::string const& who, unsigned workers, Filter filter) {
    bench::contender c;
    c.pattern = name;
    c.backend = who;
    c.workers = workers;
    c.right = [shown = shown, filter] {
      for (auto const& p : shown->pictures) {
        p->out.fill(0);
        filter(*p);
        if (!(p->out == *p->expected)) return false;
      }
      return true;
    };
    c.run = [shown = shown, filter] { filter(shown->next()); };
    c.bytes = 2.0 * static_cast<double>(shown->pictures[0]->in.size());
    return out.emplace_back(std::move(c));
  }

  template <std::ptrdiff_t Colours, std::ptrdiff_t Radius>
  void add_all() {
    auto const blur = [](auto const& policy, problem& p) {
      if constexpr (Radius == 1)
        blur3<Colours>(policy, p);
      else
        blur5<Colours>(policy, p);
    };
    add("tartan simd", 1, [=](problem& p) { blur(tartan::simd, p); });
    add_opencv(1);
    for (unsigned const w : o.workers)
      if (w != 1) {
        add("tartan par_simd", w, [=](problem& p) { blur(tartan::par_simd.workers(w), p); });
        add_opencv(w);
      }
  }

 private:
  void add_opencv([[maybe_unused]] unsigned workers) {
#if BENCH_OPENCV
    add("OpenCV", workers, [=](problem& p) { by_opencv(p, static_cast<int>(workers)); }).yardstick = true;
#endif
  }
};

template <std::ptrdiff_t Colours, std::ptrdiff_t Radius>
void add_filter(bench::options const& o, std::vector<bench::contender>& out, std::size_t rows, std::size_t pixels) {
  std::size_t const columns = pixels * Colours;
  auto const shown = std::make_shared<film>();
  auto const make = [&] {
    auto p = std::make_unique<problem>(problem{picture(rows, columns), picture(rows, columns), {}, Colours, Radius});
    for (std::size_t i = 0; i != rows; ++i)
      for (std::size_t j = 0; j != columns; ++j)
        p->in(i, j) = static_cast<std::uint8_t>(i * i / 7 + j * 3 + ((i * j) >> 5));
    return p;
  };
  shown->pictures.push_back(make());
  plainly(*shown->pictures[0]);
  auto const expected = std::make_shared<picture const>(shown->pictures[0]->out);
  shown->pictures[0]->expected = expected;
  std::string const name =
      std::string(Colours == 1 ? "grey " : "colour ") + (Radius == 1 ? "3x3, " : "5x5, ") + std::to_string(rows) + "p";
  filter_rows warm{o, out, name, shown};
  bench::contender& loop = warm.add("double loop", 1, plainly);
  loop.baseline = loop.slow = true;
  warm.add_all<Colours, Radius>();
  if (o.quick) return;  // its pictures are small
  constexpr std::size_t past_caches = 160 << 20;
  filter_rows cold{o, out, name.substr(0, name.find(',')) + ", from memory", std::make_shared<film>()};
  while (cold.shown->pictures.size() * 2 * rows * columns < past_caches) {
    cold.shown->pictures.push_back(make());
    cold.shown->pictures.back()->expected = expected;
  }
  cold.add_all<Colours, Radius>();
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::size_t const rows = o.quick ? 270 : 2160, pixels = o.quick ? 480 : 3840;
  add_filter<1, 1>(o, out, rows, pixels);
  add_filter<1, 2>(o, out, rows, pixels);
  add_filter<3, 1>(o, out, rows, pixels);
  add_filter<3, 2>(o, out, rows, pixels);
}

bench::registration const here("filters", add);

}  // namespace
