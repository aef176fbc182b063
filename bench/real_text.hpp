#pragma once
// Text that people wrote: the C and C++ headers of this machine.

#include <algorithm>     // min, sort
#include <cstddef>       // size_t
#include <filesystem>    // recursive_directory_iterator
#include <fstream>       // ifstream
#include <iterator>      // istreambuf_iterator
#include <string>        // string
#include <string_view>   // string_view
#include <system_error>  // error_code
#include <vector>        // vector

namespace bench {

struct real_text {
  std::string text;
  std::vector<std::string_view> lines;  // of text

  /// Whole files in the order of their names, until there is more than `limit` bytes.
  void load(std::size_t limit) {
    namespace fs = std::filesystem;
    std::error_code problem;
    std::vector<fs::path> files;
    for (auto it =
             fs::recursive_directory_iterator("/usr/include", fs::directory_options::skip_permission_denied, problem);
         it != fs::recursive_directory_iterator(); it.increment(problem))
      if (it->is_regular_file(problem)) files.push_back(it->path());
    std::sort(files.begin(), files.end());
    text.clear();
    for (fs::path const& f : files) {
      std::ifstream in(f, std::ios::binary);
      text.append(std::istreambuf_iterator<char>(in), {});
      if (text.size() > limit) break;
    }
    lines.clear();
    for (std::string_view rest = text; !rest.empty();) {
      std::size_t const end = (std::min)(rest.find('\n'), rest.size());
      lines.push_back(rest.substr(0, end));
      rest.remove_prefix((std::min)(end + 1, rest.size()));
    }
  }
};

}  // namespace bench
