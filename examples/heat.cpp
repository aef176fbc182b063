// Heat spreads through a plate whose rim is kept at 0 and whose upper left part is heated once; writes pictures of the
// plate as it cools (portable grey maps: heat-0000.pgm, ...).
//
// Shows: stencil on threads and vector lanes, several steps at once in the cache, until, the same bits by every policy.
// Build: g++ -std=c++20 -O3 -march=native heat.cpp $(pkg-config --cflags --libs tartan) -o heat
// Run:   ./heat [SIZE] [STEPS] [FOLDER]     (default 512 400; pictures only where FOLDER is given)
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

using plate = tartan::grid<float, 2>;

plate heated(std::size_t size) {
  plate p(size, size);
  for (std::size_t i = size / 8; i != size / 2; ++i)
    for (float& t : p.row(i).subspan(size / 8, size / 2 - size / 8)) t = 1;
  return p;
}

template <class Policy>
void cool(Policy const& policy, plate& p, long steps) {
  tartan::stencil(policy, p, tartan::steps(steps), tartan::radius(1), tartan::boundary::constant(0.0F), [](auto at) {
    return (at(0, 0) * 4 + (at(-1, 0) + at(1, 0)) + (at(0, -1) + at(0, 1))) * 0.125F;  // * 4 is exact
  });
}

bool write_picture(plate const& p, std::string const& path) {
  std::ofstream file(path, std::ios::binary);
  file << "P5\n" << p.extent(1) << ' ' << p.extent(0) << "\n255\n";
  std::vector<char> line(p.extent(1));
  for (std::size_t i = 0; i != p.extent(0); ++i) {
    auto const row = p.row(i);
    std::transform(row.begin(), row.end(), line.begin(), [](float t) {
      return static_cast<char>(static_cast<unsigned char>(std::clamp(t, 0.0F, 1.0F) * 255.0F));
    });
    file.write(line.data(), static_cast<std::streamsize>(line.size()));
  }
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  long const size = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 512;
  long const steps = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 400;
  if (size < 8 || steps < 4) {
    std::fputs("heat: SIZE must be at least 8 and STEPS at least 4\n", stderr);
    return EXIT_FAILURE;
  }
  plate p = heated(static_cast<std::size_t>(size));
  for (int picture = 0; picture != 5; ++picture) {
    if (argc > 3) {
      std::string const path = std::string(argv[3]) + "/heat-" + std::to_string(picture) + ".pgm";
      if (!write_picture(p, path)) {
        std::fprintf(stderr, "heat: cannot write %s\n", path.c_str());
        return EXIT_FAILURE;
      }
    }
    if (picture != 4) cool(tartan::par_simd, p, steps / 4);
  }

  plate again = heated(static_cast<std::size_t>(size));
  cool(tartan::seq, again, steps / 4 * 4);
  bool const same = p == again;
  float hottest = 0;
  for (std::size_t i = 0; i != p.extent(0); ++i)
    for (float t : p.row(i)) hottest = std::max(hottest, t);
  auto const rest = tartan::stencil(tartan::par_simd, p, tartan::until([](float change) { return change < 1e-4F; }, 50),
                                    tartan::radius(1), tartan::boundary::constant(0.0F),
                                    [](auto at) { return (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)) * 0.25F; });
  std::printf("after %ld steps the hottest point has %.4f; the same bits as one thread without vectors: %s\n", steps,
              static_cast<double>(hottest), same ? "yes" : "no");
  std::printf("%zu faster steps later no point changes by more than %.1e a step\n", rest.steps,
              static_cast<double>(rest.last));
  return same && hottest > 0 && hottest <= 1 && rest.last < 1e-4F ? EXIT_SUCCESS : EXIT_FAILURE;
}
