// Parses files with a parser that is wrong on purpose: it follows offsets in the file without checking them, so that
// some files crash it and some make it run for ever. All other files are parsed, and the report says what became of
// each.
//
// Shows: try_map on processes, timeout, worker_died, task_timeout.
// Build: g++ -std=c++20 -O2 crash_isolation.cpp $(pkg-config --cflags --libs tartan) -o crash_isolation
// Run:   ./crash_isolation [FILES...]          (default: a set of files that it writes itself, and checks)
#include <tartan/processes.hpp>
#include <tartan/tartan.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct summary {
  std::uint32_t records = 0;
  std::uint64_t bytes = 0;
};

// A chain of records: {offset of the next one, 0 at the end; length}. Nothing is checked: that is the bug.
summary parse(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::string const data((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (data.size() < 8 || data.compare(0, 4, "CHN1") != 0) throw std::runtime_error("not a chain file");
  summary s;
  std::uint32_t at = 4;
  while (at != 0) {
    std::uint32_t record[2];
    std::memcpy(record, data.data() + at, sizeof record);
    ++s.records;
    s.bytes += record[1];
    at = record[0];
  }
  return s;
}

void write_chain(fs::path const& path, std::uint32_t records, std::uint32_t last_link) {
  std::string data = "CHN1";
  for (std::uint32_t i = 0; i != records; ++i) {
    std::uint32_t const record[2] = {i + 1 == records ? last_link : 4 + 8 * (i + 1), 100 + i};
    data.append(reinterpret_cast<char const*>(record), sizeof record);
  }
  std::ofstream(path, std::ios::binary) << data;
}

constexpr int own_files = 40;

// Every eighth file leads far outside of itself, every tenth leads back to its beginning.
std::vector<fs::path> write_files(fs::path const& folder) {
  std::vector<fs::path> files;
  for (std::uint32_t i = 0; i != own_files; ++i) {
    files.push_back(folder / ("chain" + std::to_string(i)));
    write_chain(files.back(), i + 1, i % 8 == 3 ? 0xf0000000U : i % 10 == 5 ? 4U : 0U);
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  tartan::start_processes();
  fs::path const folder = fs::temp_directory_path() / ("tartan-crash-isolation-" + std::to_string(::getpid()));
  std::vector<fs::path> files(argv + 1, argv + argc);
  bool const own = files.empty();
  if (own) {
    fs::create_directories(folder);
    files = write_files(folder);
  }

  auto const results = tartan::try_map(tartan::processes.timeout(2s), files, &parse);

  std::size_t parsed = 0, crashed = 0, hung = 0, refused = 0;
  for (auto const& result : results) {
    if (result) {
      ++parsed;
      continue;
    }
    std::printf("%s: %s\n", files[result.index()].c_str(), result.what().c_str());
    try {
      (void)result.value();
    } catch (tartan::task_timeout const&) {
      ++hung;
    } catch (tartan::worker_died const&) {
      ++crashed;
    } catch (std::exception const&) {
      ++refused;
    }
  }
  std::printf("%zu files: %zu parsed, %zu crashed the parser, %zu hung it, %zu refused\n", files.size(), parsed,
              crashed, hung, refused);
  if (!own) return 0;
  fs::remove_all(folder);
  bool const right = crashed == 5 && hung == 3 && parsed == own_files - 8 && results[0].value().bytes == 100;
  return right ? 0 : 1;
}
