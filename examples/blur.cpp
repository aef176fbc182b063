// Blurs a picture, grey or in colour, with the binomial filter of 3 x 3 or 5 x 5 weights, as two passes, and compares
// every byte with the plain double loop.
//
// Shows: stencil_into with passes from bytes to 16 bits and back, colours that lie side by side, arithmetic that stays
//        in 16 bits, PNG and JPEG by their libraries.
// Build: g++ -std=c++20 -O3 -march=native blur.cpp $(pkg-config --cflags --libs tartan libpng libjpeg) -o blur
// Run:   ./blur [IMAGE [OUTPUT [SIDE]]]      (PNG or JPEG files, SIDE 3 or 5; default made-up pictures, by both
// filters)
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

using bytes = tartan::grid<std::uint8_t, 2>;

struct picture {
  bytes values;  // a row of points, each of so many colours
  int colours = 3;
};

picture made_up(int colours) {
  auto const width = static_cast<std::size_t>(640 * colours);
  picture p{bytes(427, width), colours};
  for (std::size_t i = 0; i != 427; ++i)
    for (std::size_t j = 0; j != width; ++j) {
      std::size_t const n = i * width + j;
      p.values(i, j) = static_cast<std::uint8_t>(n * n / 251 + n % 640);
    }
  return p;
}

bool is_jpeg(std::string const& path) { return path.ends_with(".jpg") || path.ends_with(".jpeg"); }

bool read_png(char const* path, picture& p) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, path) == 0) return false;
  p.colours = (image.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1;
  image.format = p.colours == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  p.values = bytes(image.height, image.width * static_cast<std::size_t>(p.colours));
  auto const stride = static_cast<png_int_32>(p.values.view().strides[0]);
  return png_image_finish_read(&image, nullptr, &p.values(0U, 0U), stride, nullptr) != 0;
}

bool write_png(char const* path, picture const& p) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(p.values.extent(1)) / static_cast<png_uint_32>(p.colours);
  image.height = static_cast<png_uint_32>(p.values.extent(0));
  image.format = p.colours == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  auto const stride = static_cast<png_int_32>(p.values.view().strides[0]);
  return png_image_write_to_file(&image, path, 0, &p.values(0U, 0U), stride, nullptr) != 0;
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
  p.colours = jpeg.num_components == 1 ? 1 : 3;
  jpeg.out_color_space = p.colours == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&jpeg);
  p.values = bytes(jpeg.output_height, jpeg.output_width * static_cast<std::size_t>(p.colours));
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = &p.values(jpeg.output_scanline, 0U);
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  std::fclose(file);
  return true;
}

bool write_jpeg(char const* path, picture& p) {
  std::FILE* const file = std::fopen(path, "wb");
  if (file == nullptr) return false;
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, file);
  jpeg.image_width = static_cast<JDIMENSION>(p.values.extent(1)) / static_cast<JDIMENSION>(p.colours);
  jpeg.image_height = static_cast<JDIMENSION>(p.values.extent(0));
  jpeg.input_components = p.colours;
  jpeg.in_color_space = p.colours == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row = &p.values(jpeg.next_scanline, 0U);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  return std::fclose(file) == 0;
}

/// Weights across, then weights down; the 16-bit sums in between never leave the cache.
bytes blurred(bytes const& in, int colours, int radius) {
  bytes out(in.extents());
  auto const narrow = [](auto x) { return tartan::wrapping<std::uint16_t>(x); };
  auto const three = [=](auto a, auto b, auto c) { return narrow(a) + 2 * narrow(b) + narrow(c); };
  auto const five = [=](auto a, auto b, auto c, auto d, auto e) {
    return (narrow(a) + narrow(e)) + 4 * (narrow(b) + narrow(d)) + 6 * narrow(c);
  };
  using tartan::to;
  using u8 = std::uint8_t;
  using u16 = std::uint16_t;
  int const c = colours;
  auto const rim = tartan::boundary::clamp.interleaved(c);
  if (radius == 1)
    tartan::stencil_into(
        tartan::par_simd, in, out, rim,
        tartan::pass(tartan::radius(0, c), [=](auto at) { return to<u16>(three(at(0, -c), at(0, 0), at(0, c))); }),
        tartan::pass(tartan::radius(1, 0),
                     [=](auto at) { return to<u8>((three(at(-1, 0), at(0, 0), at(1, 0)) + 8) >> 4); }));
  else
    tartan::stencil_into(
        tartan::par_simd, in, out, rim,
        tartan::pass(
            tartan::radius(0, 2 * c),
            [=](auto at) { return to<u16>(five(at(0, -2 * c), at(0, -c), at(0, 0), at(0, c), at(0, 2 * c))); }),
        tartan::pass(tartan::radius(2, 0), [=](auto at) {
          return to<u8>((five(at(-2, 0), at(-1, 0), at(0, 0), at(1, 0), at(2, 0)) + 128) >> 8);
        }));
  return out;
}

/// The same by definition, one byte.
int plainly(bytes const& in, long colours, long radius, long i, long j) {
  static constexpr int weights[2][5] = {{1, 2, 1, 0, 0}, {1, 4, 6, 4, 1}};
  int const* const weight = weights[radius - 1];
  long const rows = static_cast<long>(in.extent(0)), pixels = static_cast<long>(in.extent(1)) / colours;
  int sum = radius == 1 ? 8 : 128;
  for (long y = -radius; y <= radius; ++y)
    for (long x = -radius; x <= radius; ++x) {
      long const row = std::clamp(i + y, 0L, rows - 1), pixel = std::clamp(j / colours + x, 0L, pixels - 1);
      sum += weight[y + radius] * weight[x + radius] *
             in(static_cast<std::size_t>(row), static_cast<std::size_t>(pixel * colours + j % colours));
    }
  return sum >> (radius == 1 ? 4 : 8);
}

/// Blurs p; returns how many bytes differ from the plain loop.
std::size_t blur(picture& p, int radius) {
  bytes const in = p.values;
  p.values = blurred(in, p.colours, radius);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i != in.extent(0); ++i)
    for (std::size_t j = 0; j != in.extent(1); ++j)
      wrong += p.values(i, j) != plainly(in, p.colours, radius, static_cast<long>(i), static_cast<long>(j));
  std::printf("%zu x %zu points of %d colours blurred by %d x %d weights; %zu bytes differ from the plain loop\n",
              in.extent(1) / static_cast<std::size_t>(p.colours), in.extent(0), p.colours, 2 * radius + 1,
              2 * radius + 1, wrong);
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    std::size_t wrong = 0;
    for (int colours : {1, 3})
      for (int radius : {1, 2}) {
        picture p = made_up(colours);
        wrong += blur(p, radius);
      }
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  long const side = argc > 3 ? std::strtol(argv[3], nullptr, 10) : 5;
  if (side != 3 && side != 5) {
    std::fputs("blur: SIDE must be 3 or 5\n", stderr);
    return EXIT_FAILURE;
  }
  picture p;
  if (!(is_jpeg(argv[1]) ? read_jpeg(argv[1], p) : read_png(argv[1], p))) {
    std::fprintf(stderr, "blur: %s cannot be read as a %s file\n", argv[1], is_jpeg(argv[1]) ? "JPEG" : "PNG");
    return EXIT_FAILURE;
  }
  std::size_t const wrong = blur(p, static_cast<int>(side / 2));
  if (argc > 2 && !(is_jpeg(argv[2]) ? write_jpeg(argv[2], p) : write_png(argv[2], p))) {
    std::fprintf(stderr, "blur: cannot write %s\n", argv[2]);
    return EXIT_FAILURE;
  }
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
