// Blurs a picture with the 5 x 5 binomial filter, as two passes of five weights, and compares every byte with the
// plain double loop.
//
// Shows: stencil_into from bytes to 16 bits and back, a radius for each dimension, PNG and JPEG by their libraries.
// Build: g++ -std=c++20 -O3 -march=native blur.cpp $(pkg-config --cflags --libs tartan libpng libjpeg) -o blur
// Run:   ./blur [IMAGE [OUTPUT.png]]        (a PNG or JPEG file; default a made-up picture)
#include <cstdio>  // jpeglib.h needs it first

#include <jpeglib.h>
#include <png.h>
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using plane = tartan::grid<std::uint8_t, 2>;

struct picture {
  std::size_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb;  // three bytes a point, row after row
};

picture made_up() {
  picture p{640, 427, std::vector<std::uint8_t>(640 * 427 * 3)};
  for (std::size_t i = 0; i != p.rgb.size(); ++i) p.rgb[i] = static_cast<std::uint8_t>(i * i / 251 + i % 640);
  return p;
}

bool read_png(char const* path, picture& p) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, path) == 0) return false;
  image.format = PNG_FORMAT_RGB;
  p = {image.width, image.height, std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  return png_image_finish_read(&image, nullptr, p.rgb.data(), 0, nullptr) != 0;
}

/// A file that is no JPEG ends the program with libjpeg's own message.
bool read_jpeg(char const* path, picture& p) {
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_stdio_src(&jpeg, file);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  p = {jpeg.output_width, jpeg.output_height,
       std::vector<std::uint8_t>(std::size_t{3} * jpeg.output_width * jpeg.output_height)};
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = p.rgb.data() + std::size_t{3} * p.width * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  std::fclose(file);
  return true;
}

bool write_png(char const* path, picture const& p) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(p.width);
  image.height = static_cast<png_uint_32>(p.height);
  image.format = PNG_FORMAT_RGB;
  return png_image_write_to_file(&image, path, 0, p.rgb.data(), 0, nullptr) != 0;
}

plane blurred(plane const& in) {
  tartan::grid<std::uint16_t, 2> across(in.extents());
  plane out(in.extents());
  auto const weigh = [](auto a, auto b, auto c, auto d, auto e) { return (a + e) + 4 * (b + d) + 6 * c; };
  tartan::stencil_into(tartan::par_simd, in, across, tartan::radius(0, 2), tartan::boundary::clamp,
                       [=](auto at) { return weigh(at(0, -2), at(0, -1), at(0, 0), at(0, 1), at(0, 2)); });
  tartan::stencil_into(tartan::par_simd, across, out, tartan::radius(2, 0), tartan::boundary::clamp,
                       [=](auto at) { return (weigh(at(-2, 0), at(-1, 0), at(0, 0), at(1, 0), at(2, 0)) + 128) >> 8; });
  return out;
}

/// The same by definition, one byte.
int plainly(plane const& in, long i, long j) {
  static constexpr int weight[] = {1, 4, 6, 4, 1};
  auto const clamped = [](long x, std::size_t n) {
    return static_cast<std::size_t>(std::clamp(x, 0L, static_cast<long>(n) - 1));
  };
  int sum = 128;
  for (long y = -2; y <= 2; ++y)
    for (long x = -2; x <= 2; ++x)
      sum += weight[y + 2] * weight[x + 2] * in(clamped(i + y, in.extent(0)), clamped(j + x, in.extent(1)));
  return sum >> 8;
}

}  // namespace

int main(int argc, char** argv) {
  picture p = made_up();
  if (argc > 1) {
    std::string const path = argv[1];
    bool const jpeg = path.ends_with(".jpg") || path.ends_with(".jpeg");
    if (!(jpeg ? read_jpeg(argv[1], p) : read_png(argv[1], p))) {
      std::fprintf(stderr, "blur: %s cannot be read as a %s file\n", argv[1], jpeg ? "JPEG" : "PNG");
      return EXIT_FAILURE;
    }
  }
  std::size_t wrong = 0;
  for (std::size_t channel = 0; channel != 3; ++channel) {
    plane in(p.height, p.width);
    for (std::size_t i = 0; i != p.height; ++i)
      for (std::size_t j = 0; j != p.width; ++j) in(i, j) = p.rgb[3 * (i * p.width + j) + channel];
    plane const out = blurred(in);
    for (std::size_t i = 0; i != p.height; ++i)
      for (std::size_t j = 0; j != p.width; ++j) {
        wrong += out(i, j) != plainly(in, static_cast<long>(i), static_cast<long>(j));
        p.rgb[3 * (i * p.width + j) + channel] = out(i, j);
      }
  }
  if (argc > 2 && !write_png(argv[2], p)) {
    std::fprintf(stderr, "blur: cannot write %s\n", argv[2]);
    return EXIT_FAILURE;
  }
  std::printf("%zu x %zu points blurred; %zu bytes differ from the plain loop\n", p.width, p.height, wrong);
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
