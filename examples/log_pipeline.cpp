// Reads a web server's log (or any text), gzip or plain, and says who asked for what: blocks of lines are read in
// order, parsed in parallel, and added up in order, with a bounded number of blocks in memory.
//
// Shows: pipeline with a function as its source, a parallel and a serial stage, bounded memory; zlib in the source.
// Build: g++ -std=c++20 -O2 log_pipeline.cpp $(pkg-config --cflags --libs tartan zlib) -o log_pipeline
// Run:   ./log_pipeline [FILE]                 (default: a log that it writes itself, and checks)
#include <tartan/pipeline.hpp>
#if __has_include(<zlib.h>)
#include <zlib.h>
#endif

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

#if __has_include(<zlib.h>)
class input {  // gzread reads what is not compressed as it is
 public:
  explicit input(std::string const& path) : file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) throw std::runtime_error("cannot open " + path);
  }
  input(input const&) = delete;
  input& operator=(input const&) = delete;
  ~input() { gzclose(file_); }
  std::size_t read(char* to, std::size_t n) {
    int const got = gzread(file_, to, static_cast<unsigned>(n));
    if (got < 0) throw std::runtime_error("the file is damaged");
    return static_cast<std::size_t>(got);
  }

 private:
  gzFile file_;
};
#else
class input {
 public:
  explicit input(std::string const& path) : file_(std::fopen(path.c_str(), "rb")) {
    if (file_ == nullptr) throw std::runtime_error("cannot open " + path);
  }
  input(input const&) = delete;
  input& operator=(input const&) = delete;
  ~input() { std::fclose(file_); }
  std::size_t read(char* to, std::size_t n) { return std::fread(to, 1, n, file_); }

 private:
  std::FILE* file_;
};
#endif

/// Gives blocks of whole lines.
class line_blocks {
 public:
  explicit line_blocks(std::string const& path) : in_(path) {}

  std::optional<std::string> next() {
    std::string block = std::exchange(rest_, {});
    for (;;) {
      std::size_t const had = block.size();
      block.resize(had + size);
      std::size_t const got = in_.read(block.data() + had, size);
      block.resize(had + got);
      if (got == 0) return block.empty() ? std::nullopt : std::optional(std::move(block));
      if (std::size_t const end = block.rfind('\n'); end != std::string::npos) {
        rest_ = block.substr(end + 1);
        block.resize(end + 1);
        return block;
      }
    }
  }

 private:
  static constexpr std::size_t size = 1 << 16;
  input in_;
  std::string rest_;
};

struct summary {
  std::uint64_t lines = 0, other = 0, bytes = 0;
  std::map<int, std::uint64_t> statuses;
  std::unordered_map<std::string, std::uint64_t> paths;
  std::string first_error, last_error;  // the lines themselves: this needs the order

  void operator+=(summary&& later) {
    lines += later.lines, other += later.other, bytes += later.bytes;
    for (auto const& [status, n] : later.statuses) statuses[status] += n;
    for (auto const& [path, n] : later.paths) paths[path] += n;
    if (first_error.empty()) first_error = std::move(later.first_error);
    if (!later.last_error.empty()) last_error = std::move(later.last_error);
  }
};

/// HOST IDENT USER [TIME] "METHOD PATH PROTOCOL" STATUS BYTES
bool parse_line(std::string_view line, summary& s) {
  std::size_t const open = line.find('"'), close = line.find("\" ", open + 1);
  if (open == line.npos || close == line.npos) return false;
  std::string_view const request = line.substr(open + 1, close - open - 1), tail = line.substr(close + 2);
  std::size_t const begin = request.find(' ');
  if (begin == request.npos) return false;
  int status = 0;
  auto const [after, bad] = std::from_chars(tail.data(), tail.data() + tail.size(), status);
  if (bad != std::errc{}) return false;
  std::uint64_t bytes = 0;
  if (after != tail.data() + tail.size()) std::from_chars(after + 1, tail.data() + tail.size(), bytes);
  ++s.statuses[status];
  s.bytes += bytes;
  ++s.paths[std::string(request.substr(begin + 1, request.find(' ', begin + 1) - begin - 1))];
  if (status >= 500 && s.first_error.empty()) s.first_error = line;
  if (status >= 500) s.last_error = line;
  return true;
}

summary parse(std::string const& block) {
  summary s;
  for (std::string_view rest = block; !rest.empty();) {
    std::size_t const end = std::min(rest.find('\n'), rest.size());
    ++s.lines;
    if (!parse_line(rest.substr(0, end), s)) ++s.other;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return s;
}

summary read_log(std::string const& path) {
  line_blocks blocks(path);
  summary all;
  tartan::pipeline(
      tartan::par.in_flight(32), [&] { return blocks.next(); }, tartan::parallel(parse),
      tartan::serial([&](summary s) { all += std::move(s); }));
  return all;
}

void print(summary const& s) {
  std::printf("%llu lines (%llu of another kind), %llu bytes\n", static_cast<unsigned long long>(s.lines),
              static_cast<unsigned long long>(s.other), static_cast<unsigned long long>(s.bytes));
  for (auto const& [status, n] : s.statuses) std::printf("  %d  %llu\n", status, static_cast<unsigned long long>(n));
  std::vector<std::pair<std::uint64_t, std::string>> paths;
  for (auto const& [path, n] : s.paths) paths.emplace_back(n, path);
  std::sort(paths.rbegin(), paths.rend());
  if (paths.size() > 5) paths.resize(5);
  for (auto const& [n, path] : paths) std::printf("  %8llu %s\n", static_cast<unsigned long long>(n), path.c_str());
  if (!s.first_error.empty())
    std::printf("first error: %s\nlast error:  %s\n", s.first_error.c_str(), s.last_error.c_str());
}

/// A log of 200,000 lines whose summary is known.
bool check_made_up_log() {
  std::string const path = "log_pipeline.log";
  std::string text;
  for (int i = 0; i != 200'000; ++i)
    text += "10.0.0." + std::to_string(i % 250) + " - - [10/Oct/2000:13:55:36 +0000] \"GET /page" +
            std::to_string(i % 7) + " HTTP/1.1\" " + (i % 1000 == 999 ? "500" : "200") + " " + std::to_string(i) + "\n";
  text += "a line of another kind";  // and without an end
#if __has_include(<zlib.h>)
  gzFile const out = gzopen(path.c_str(), "wb1");
  bool const written = out != nullptr && gzwrite(out, text.data(), static_cast<unsigned>(text.size())) > 0;
  if (out != nullptr) gzclose(out);
#else
  std::FILE* const out = std::fopen(path.c_str(), "wb");
  bool const written = out != nullptr && std::fwrite(text.data(), 1, text.size(), out) == text.size();
  if (out != nullptr) std::fclose(out);
#endif
  if (!written) return std::puts("log_pipeline: cannot write here"), false;
  summary const s = read_log(path);
  std::remove(path.c_str());
  print(s);
  return s.lines == 200'001 && s.other == 1 && s.bytes == 199'999ULL * 100'000 && s.statuses.at(500) == 200 &&
         s.paths.at("/page6") == 28'571 && s.first_error.ends_with(" 999") && s.last_error.ends_with(" 199999");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return check_made_up_log() ? 0 : 1;
  print(read_log(argv[1]));
}
