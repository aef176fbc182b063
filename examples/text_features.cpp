// Finds the words that tell each text of a folder from the others (TF-IDF).
//
// Shows: files read and taken apart in worker processes, where a bad one costs itself alone; what comes back combined
// on
//        threads (count_by, map).
// Build: g++ -std=c++20 -O2 text_features.cpp $(pkg-config --cflags --libs tartan) -o text_features
// Run:   ./text_features [FOLDER]        (default: headers of this machine, at most 4 MB)
#include <tartan/by_key.hpp>
#include <tartan/map.hpp>
#include <tartan/policies.hpp>
#include <tartan/processes.hpp>
#include <tartan/try_map.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// The words of one text, sorted, with how often each stands there.
using word_counts = std::vector<std::pair<std::string, long>>;

word_counts words_of(fs::path const& file) {
  std::ifstream input(file, std::ios::binary);
  if (!input) throw std::runtime_error("it cannot be opened");
  std::string const text{std::istreambuf_iterator<char>(input), {}};
  std::map<std::string, long> counts;
  std::string word;
  for (char const c : text + ' ') {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else {
      if (word.size() > 2) ++counts[word];
      word.clear();
    }
  }
  return {counts.begin(), counts.end()};
}

struct document {
  fs::path file;
  word_counts words;
  long total = 0;
};

struct feature {
  double weight;
  std::string word;
  friend auto operator<=>(feature const&, feature const&) = default;
};

/// The words of the highest weight: often here (tf), seldom elsewhere (idf).
std::vector<feature> best_of(document const& d, std::unordered_map<std::string, std::size_t> const& texts_with,
                             double texts) {
  std::vector<feature> all;
  for (auto const& [word, count] : d.words)
    all.push_back({static_cast<double>(count) / static_cast<double>(d.total) *
                       std::log(texts / static_cast<double>(texts_with.at(word))),
                   word});
  auto const n = std::min<std::size_t>(3, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(n), std::ranges::greater{});
  all.resize(n);
  return all;
}

std::vector<fs::path> texts_in(fs::path const& folder, std::size_t most_bytes) {
  std::vector<std::pair<fs::path, std::size_t>> found;
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, ignored), end;
       at != end && found.size() < 20'000; at.increment(ignored))
    if (at->is_regular_file(ignored)) found.emplace_back(at->path(), at->file_size(ignored));
  std::ranges::sort(found);
  std::vector<fs::path> texts;
  for (auto const& [file, bytes] : found)
    if (bytes <= most_bytes) most_bytes -= bytes, texts.push_back(file);
  return texts;
}

}  // namespace

int main(int argc, char** argv) {
  tartan::start_processes();
  auto const files = argc > 1 ? texts_in(argv[1], ~std::size_t{0}) : texts_in("/usr/include", std::size_t{4} << 20);

  std::vector<document> documents;
  for (auto const& words : tartan::try_map(tartan::processes, files, &words_of)) {
    if (!words.has_value()) {
      std::printf("%s: %s\n", files[words.index()].c_str(), words.what().c_str());
      continue;
    }
    documents.push_back({files[words.index()], words.value(), 0});
    for (auto const& one : words.value()) documents.back().total += one.second;
  }

  auto const texts_with = tartan::map_reduce_by_key<std::string, std::size_t>(
      tartan::par, documents,
      [](document const& d, auto& emit) {
        for (auto const& one : d.words) emit(one.first, std::size_t{1});
      },
      std::plus<>{});
  auto const texts = static_cast<double>(documents.size());
  auto const best =
      tartan::map(tartan::par, documents, [&](document const& d) { return best_of(d, texts_with, texts); });

  for (std::size_t i = 0; i < best.size(); i += best.size() / 10 + 1) {
    std::printf("%-40s", documents[i].file.filename().c_str());
    for (auto const& f : best[i]) std::printf("  %s %.3f", f.word.c_str(), f.weight);
    std::printf("\n");
  }

  // The check: the same words in this process, and each word's texts counted one by one.
  std::size_t wrong = 0;
  std::map<std::string, std::size_t> plainly;
  for (auto const& d : documents) {
    if (&d - documents.data() < 50) wrong += d.words == words_of(d.file) ? 0U : 1U;
    for (auto const& one : d.words) ++plainly[one.first];
  }
  wrong += plainly.size() == texts_with.size() ? 0U : 1U;
  for (auto const& [word, count] : plainly) wrong += texts_with.at(word) == count ? 0U : 1U;
  std::printf("%zu texts, %zu different words, %zu wrong\n", documents.size(), texts_with.size(), wrong);
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
