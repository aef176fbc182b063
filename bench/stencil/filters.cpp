// Gaussian filters of 8-bit pictures, 3 x 3 and 5 x 5, grey and in colour, borders repeated: two passes of few weights
// that stay in the cache between them, against OpenCV where it is installed and against the plain double loop, which
// every answer must equal byte for byte. GB/s counts a byte read and a byte written for each value.
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
  picture in, out, expected;
  std::ptrdiff_t colours, radius;
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

void add_contender(std::vector<bench::contender>& out, std::string const& name, std::string const& who,
                   unsigned workers, std::shared_ptr<problem> p, std::function<void()> run, bool baseline = false) {
  bench::contender c;
  c.pattern = name;
  c.backend = who;
  c.workers = workers;
  c.right = [p, run] {
    p->out.fill(0);
    run();
    return p->out == p->expected;
  };
  c.run = run;
  c.bytes = 2.0 * static_cast<double>(p->in.size());
  c.baseline = baseline;
  out.push_back(std::move(c));
}

template <std::ptrdiff_t Colours, std::ptrdiff_t Radius>
void add_filter(bench::options const& o, std::vector<bench::contender>& out, std::size_t rows, std::size_t pixels) {
  auto const p = std::make_shared<problem>(problem{picture(rows, pixels * Colours), picture(rows, pixels * Colours),
                                                   picture(rows, pixels * Colours), Colours, Radius});
  for (std::size_t i = 0; i != rows; ++i)
    for (std::size_t j = 0; j != pixels * Colours; ++j)
      p->in(i, j) = static_cast<std::uint8_t>(i * i / 7 + j * 3 + ((i * j) >> 5));
  plainly(*p);
  p->expected = p->out;
  std::string const name =
      std::string(Colours == 1 ? "grey " : "colour ") + (Radius == 1 ? "3x3, " : "5x5, ") + std::to_string(rows) + "p";
  auto const blur = [p](auto const& policy) {
    if constexpr (Radius == 1)
      blur3<Colours>(policy, *p);
    else
      blur5<Colours>(policy, *p);
  };
  add_contender(out, name, "double loop", 1, p, [p] { plainly(*p); }, true);
  add_contender(out, name, "tartan simd", 1, p, [=] { blur(tartan::simd); });
#if BENCH_OPENCV
  add_contender(out, name, "OpenCV", 1, p, [p] { by_opencv(*p, 1); });
#endif
  for (unsigned const w : o.workers)
    if (w != 1) {
      add_contender(out, name, "tartan par_simd", w, p, [=] { blur(tartan::par_simd.workers(w)); });
#if BENCH_OPENCV
      add_contender(out, name, "OpenCV", w, p, [=] { by_opencv(*p, static_cast<int>(w)); });
#endif
    }
#if BENCH_OPENCV
  cv::setNumThreads(-1);
  auto const all = static_cast<unsigned>(std::max(1, cv::getNumThreads()));
  add_contender(out, name, "OpenCV, its default", all, p, [p] { by_opencv(*p, -1); });
#endif
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
