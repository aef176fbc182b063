// Counts the words of text files and directory trees, and prints the most frequent ones.
//
// Shows: map_reduce_by_key over blocks of text; keys are looked up as they are found and stored as strings.
// Build: g++ -std=c++20 -O2 word_count.cpp $(pkg-config --cflags --libs tartan) -o word_count
// Run:   ./word_count [PATH...]         (default: the C and C++ headers of this machine, /usr/include)
#include <tartan/tartan.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fs = std::filesystem;

namespace {

using counts = std::unordered_map<std::string, long>;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Appends the file to the text; says on standard error why it could not, and returns false.
bool append(fs::path const& file, std::string& text) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "word_count: cannot read %s; give paths that you may read\n", file.c_str());
    return false;
  }
  text.append(std::istreambuf_iterator<char>(in), {});
  text.push_back('\n');
  return true;
}

/// All files below the path, or the file itself; entries below it that cannot be read are skipped.
bool read_all(fs::path const& path, std::string& text, std::size_t limit) {
  std::error_code problem;
  if (!fs::is_directory(path, problem)) return append(path, text);
  auto const options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(path, options, problem); it != fs::recursive_directory_iterator();
       it.increment(problem)) {
    if (text.size() >= limit) break;
    if (it->is_regular_file(problem) && !append(it->path(), text)) std::fprintf(stderr, "word_count: skipped\n");
  }
  if (problem) std::fprintf(stderr, "word_count: %s: %s\n", path.c_str(), problem.message().c_str());
  return !problem;
}

/// Pieces of about 64 KB that end where a word ends.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    std::size_t length = (std::min)(text.size(), std::size_t{1} << 16);
    while (length < text.size() && is_letter(text[length])) ++length;
    pieces.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return pieces;
}

template <class Policy>
counts count_words(Policy const& policy, std::vector<std::string_view> const& pieces) {
  return tartan::map_reduce_by_key<std::string, long>(
      policy, pieces,
      [](std::string_view piece, auto& emit) {
        for (std::size_t i = 0; i < piece.size();) {
          while (i < piece.size() && !is_letter(piece[i])) ++i;
          std::size_t const begin = i;
          while (i < piece.size() && is_letter(piece[i])) ++i;
          if (i != begin) emit(piece.substr(begin, i - begin), 1L);
        }
      },
      std::plus<>{});
}

double seconds_of(auto&& f) {
  auto const begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::string text;
  bool readable = true;
  if (argc < 2)
    readable = read_all("/usr/include", text, std::size_t{64} << 20);
  else
    for (int i = 1; i != argc; ++i) readable = read_all(argv[i], text, ~std::size_t{0}) && readable;
  if (!readable) return EXIT_FAILURE;

  auto const pieces = pieces_of(text);
  counts serial, parallel;
  double const t1 = seconds_of([&] { serial = count_words(tartan::seq, pieces); });
  double const t2 = seconds_of([&] { parallel = count_words(tartan::par, pieces); });

  std::vector<std::pair<std::string, long>> top(parallel.begin(), parallel.end());
  std::sort(top.begin(), top.end(), [](auto const& a, auto const& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  for (std::size_t i = 0; i != (std::min)(top.size(), std::size_t{10}); ++i)
    std::printf("%10ld  %s\n", top[i].second, top[i].first.c_str());
  double const megabytes = static_cast<double>(text.size()) * 1e-6;
  std::printf("%.1f MB, %zu distinct words: seq %.0f MB/s, par %.0f MB/s (%u workers)\n", megabytes, top.size(),
              megabytes / t1, megabytes / t2, tartan::available_workers());
  bool const same = serial == parallel;
  if (!same) std::fputs("word_count: seq and par disagree\n", stderr);
  return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
