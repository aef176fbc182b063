// Draws the Mandelbrot set into an image file that any viewer opens (binary PPM).
//
// Shows: for_each over rows of very different cost; the policy decides who draws which row.
// Build: g++ -std=c++20 -O2 mandelbrot.cpp $(pkg-config --cflags --libs tartan) -o mandelbrot
// Run:   ./mandelbrot [FILE [WIDTH]]    (default mandelbrot.ppm 960)
#include <tartan/tartan.hpp>

#include <chrono>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ranges>
#include <vector>

namespace {

struct rgb {
  unsigned char r, g, b;
  friend bool operator==(rgb const&, rgb const&) = default;
};

struct picture {
  int width, height;
  std::vector<rgb> pixels;
};

rgb colour(int iterations, int limit) {
  if (iterations == limit) return {0, 0, 0};
  double const t = static_cast<double>(iterations) / limit;
  auto const channel = [](double v) { return static_cast<unsigned char>(255 * v); };
  return {channel(9 * (1 - t) * t * t * t), channel(15 * (1 - t) * (1 - t) * t * t),
          channel(8.5 * (1 - t) * (1 - t) * (1 - t) * t)};
}

int escape_time(std::complex<double> c, int limit) {
  double x = 0, y = 0;
  int i = 0;
  for (; i != limit && x * x + y * y <= 4; ++i) {
    double const next = x * x - y * y + c.real();
    y = 2 * x * y + c.imag();
    x = next;
  }
  return i;
}

template <class Policy>
picture draw(Policy const& policy, int width) {
  int const height = width * 2 / 3, limit = 500;
  picture p{width, height, std::vector<rgb>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  tartan::for_each(policy, std::views::iota(0, height), [&](int row) {
    for (int column = 0; column != width; ++column) {
      std::complex<double> const c(-2.2 + 3.2 * column / width, -1.0667 + 2.1333 * row / height);
      p.pixels[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)] =
          colour(escape_time(c, limit), limit);
    }
  });
  return p;
}

bool save(picture const& p, char const* file) {
  std::ofstream out(file, std::ios::binary);
  out << "P6\n" << p.width << ' ' << p.height << "\n255\n";
  for (rgb const& pixel : p.pixels)
    out.put(static_cast<char>(pixel.r)).put(static_cast<char>(pixel.g)).put(static_cast<char>(pixel.b));
  return static_cast<bool>(out.flush());
}

double seconds_of(auto&& f) {
  auto const begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  char const* const file = argc > 1 ? argv[1] : "mandelbrot.ppm";
  int const width = argc > 2 ? std::atoi(argv[2]) : 960;
  if (width < 3 || width > 30'000) {
    std::fputs("mandelbrot: WIDTH must be between 3 and 30000\n", stderr);
    return EXIT_FAILURE;
  }
  picture serial, parallel;
  double const t1 = seconds_of([&] { serial = draw(tartan::seq, width); });
  double const t2 = seconds_of([&] { parallel = draw(tartan::par, width); });
  std::printf("%d x %d: seq %.3f s, par %.3f s (%u workers), %.2fx\n", width, parallel.height, t1, t2,
              tartan::available_workers(), t1 / t2);
  if (!save(parallel, file)) {
    std::fprintf(stderr, "mandelbrot: cannot write %s; name a file in a folder that you may write to\n", file);
    return EXIT_FAILURE;
  }
  std::printf("wrote %s\n", file);
  return serial.pixels == parallel.pixels ? EXIT_SUCCESS : EXIT_FAILURE;
}
