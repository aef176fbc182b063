// Makes grey thumbnails of 224 x 224 points of all pictures of a folder, in worker processes, under the same names.
//
// Shows: try_map on files that nobody vouches for, written inside the worker; a progress bar; a library that ends its
//        process on bad input (libjpeg calls exit) costs one task, and the report says which file it was.
// Build: g++ -std=c++20 -O2 thumbnails.cpp $(pkg-config --cflags --libs tartan libpng libjpeg) -o thumbnails
// Run:   ./thumbnails IN OUT        (folders; without them, made-up pictures in a temporary folder, two of them broken)
#include <cstdio>  // jpeglib.h needs it first

#include <jpeglib.h>
#include <png.h>
#include <unistd.h>
#include <tartan/processes.hpp>
#include <tartan/progress.hpp>
#include <tartan/try_map.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::size_t side = 224;

struct picture {
  std::size_t width = 0, height = 0;
  std::vector<std::uint8_t> grey;
};

picture read_png(fs::path const& file) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, file.c_str()) == 0) throw std::runtime_error(image.message);
  image.format = PNG_FORMAT_GRAY;
  picture p{image.width, image.height, std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  if (png_image_finish_read(&image, nullptr, p.grey.data(), 0, nullptr) == 0) throw std::runtime_error(image.message);
  return p;
}

/// On a file that is no JPEG, libjpeg prints why and ends the process.
picture read_jpeg(fs::path const& file) {
  std::FILE* const input = std::fopen(file.c_str(), "rb");
  if (input == nullptr) throw std::runtime_error("it cannot be opened");
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_stdio_src(&jpeg, input);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_GRAYSCALE;
  jpeg_start_decompress(&jpeg);
  picture p{jpeg.output_width, jpeg.output_height,
            std::vector<std::uint8_t>(std::size_t{1} * jpeg.output_width * jpeg.output_height)};
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = p.grey.data() + p.width * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  std::fclose(input);
  return p;
}

void write_png(fs::path const& file, picture const& p) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(p.width);
  image.height = static_cast<png_uint_32>(p.height);
  image.format = PNG_FORMAT_GRAY;
  if (png_image_write_to_file(&image, file.c_str(), 0, p.grey.data(), 0, nullptr) == 0)
    throw std::runtime_error(image.message);
}

/// Each point is the mean of the points that it stands for.
picture thumbnail(picture const& from) {
  picture to{side, side, std::vector<std::uint8_t>(side * side)};
  for (std::size_t y = 0; y != side; ++y)
    for (std::size_t x = 0; x != side; ++x) {
      std::size_t const y0 = y * from.height / side, y1 = std::max(y0 + 1, (y + 1) * from.height / side);
      std::size_t const x0 = x * from.width / side, x1 = std::max(x0 + 1, (x + 1) * from.width / side);
      std::size_t sum = 0;
      for (std::size_t i = y0; i != y1; ++i)
        for (std::size_t j = x0; j != x1; ++j) sum += from.grey[i * from.width + j];
      to.grey[y * side + x] = static_cast<std::uint8_t>(sum / ((y1 - y0) * (x1 - x0)));
    }
  return to;
}

struct job {
  fs::path from, to;
};

double mean(picture const& p) {
  double sum = 0;
  for (auto const g : p.grey) sum += g;
  return sum / static_cast<double>(p.grey.size());
}

/// What a worker does with one file; returns the mean grey of the picture, for the check.
double make_thumbnail(job const& j) {
  auto const p = j.from.extension() == ".png" ? read_png(j.from) : read_jpeg(j.from);
  write_png(j.to, thumbnail(p));
  return mean(p);
}

/// Ten pictures of many sizes, a text that calls itself a PNG, and one that calls itself a JPEG.
void make_pictures(fs::path const& folder) {
  for (std::size_t n = 0; n != 10; ++n) {
    picture p{100 + 60 * n, 500 - 30 * n, {}};
    for (std::size_t i = 0; i != p.width * p.height; ++i)
      p.grey.push_back(static_cast<std::uint8_t>(i % p.width * 200 / p.width + 5 * n));
    write_png(folder / ("picture" + std::to_string(n) + ".png"), p);
  }
  std::ofstream(folder / "letter.png") << "Dear reader,";
  std::ofstream(folder / "poem.jpg") << "Shall I compare thee to a summer's day?";
}

}  // namespace

int main(int argc, char** argv) {
  tartan::start_processes();
  bool const own_input = argc < 3;
  auto const folder = fs::temp_directory_path() / ("thumbnails-" + std::to_string(::getpid()));
  fs::path const in = own_input ? folder / "in" : fs::path(argv[1]),
                 out = own_input ? folder / "out" : fs::path(argv[2]);
  if (own_input) {
    fs::create_directories(in);
    make_pictures(in);
  }
  fs::create_directories(out);
  std::vector<job> jobs;
  for (auto const& entry : fs::directory_iterator(in)) {
    auto const kind = entry.path().extension();
    if (kind == ".png" || kind == ".jpg" || kind == ".jpeg")
      jobs.push_back({entry.path(), out / entry.path().filename().replace_extension(".png")});
  }
  std::ranges::sort(jobs, {}, &job::from);

  std::size_t unreadable = 0, wrong = 0;
  {
    tartan::progress bar{"Thumbnails", jobs.size(), "image"};
    auto const done =
        tartan::try_map(tartan::processes.timeout(std::chrono::seconds(60)).progress(bar), jobs, &make_thumbnail);
    for (auto const& d : done) {
      if (!d.has_value()) {
        ++unreadable;
        std::printf("%s: %s\n", jobs[d.index()].from.filename().c_str(), d.what().c_str());
      } else {
        auto const small = read_png(jobs[d.index()].to);
        wrong += small.width != side || small.height != side || std::abs(mean(small) - d.value()) > 2 ? 1U : 0U;
      }
    }
  }
  std::printf("%zu of %zu pictures made small, %zu wrong\n", jobs.size() - unreadable, jobs.size(), wrong);
  if (own_input) {
    fs::remove_all(folder);
    wrong += jobs.size() == 12 && unreadable == 2 ? 0U : 1U;
  }
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
