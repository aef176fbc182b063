// A data frame's job: reads a table of measurements from a CSV file in parallel, drops the bad rows, gives the mean and
// the range of each group, normalises the columns of every row, and writes the result as CSV.
//
// Shows: map over pieces of a text, copy_if, group_by, sort, map_into, and zip with set_intersection row by row.
// Build: g++ -std=c++20 -O2 csv_stats.cpp $(pkg-config --cflags --libs tartan) -o csv_stats
// Run:   ./csv_stats [FILE [RESULT]]     (default: makes measurements.csv first; writes normalised.csv)
//        The file has a header, then a name and one or more numbers in each line: station,a,b,c
#include <tartan/tartan.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct row {
  std::string name;
  std::vector<double> values;
  bool operator==(row const&) const = default;
};

/// Pieces of about 256 KB that end where a line ends.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    std::size_t const end = text.find('\n', std::min(text.size() - 1, std::size_t{1} << 18));
    std::size_t const length = end == std::string_view::npos ? text.size() : end + 1;
    pieces.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return pieces;
}

/// The number that the field holds, or a not-a-number.
double number(std::string_view field) {
  char digits[64] = {};
  if (field.empty() || field.size() >= sizeof(digits)) return std::nan("");
  std::copy(field.begin(), field.end(), digits);
  char* end = nullptr;
  double const value = std::strtod(digits, &end);
  return end == digits + field.size() ? value : std::nan("");
}

/// A line as a row; a field that is no number becomes a not-a-number.
row parse_line(std::string_view line) {
  std::size_t comma = std::min(line.find(','), line.size());
  row r{std::string(line.substr(0, comma)), {}};
  while (comma != line.size()) {
    line.remove_prefix(comma + 1);
    comma = std::min(line.find(','), line.size());
    r.values.push_back(number(line.substr(0, comma)));
  }
  return r;
}

std::vector<row> parse_lines(std::string_view piece) {
  std::vector<row> rows;
  while (!piece.empty()) {
    std::size_t const end = std::min(piece.find('\n'), piece.size());
    if (end != 0) rows.push_back(parse_line(piece.substr(0, end)));
    piece.remove_prefix(std::min(end + 1, piece.size()));
  }
  return rows;
}

template <class Policy>
std::vector<row> parse(Policy const& policy, std::string_view text) {
  auto const parts = tartan::map(policy, pieces_of(text), parse_lines);
  std::vector<std::size_t> first(parts.size());
  tartan::exclusive_scan(policy, tartan::map(policy, parts, &std::vector<row>::size), first, std::size_t{0});
  std::vector<row> rows(parts.empty() ? 0 : first.back() + parts.back().size());
  tartan::for_each(policy, tartan::zip(parts, first), [&](auto const& entry) {
    auto& [part, begin] = entry;
    std::copy(part.begin(), part.end(), rows.begin() + static_cast<std::ptrdiff_t>(begin));
  });
  return rows;
}

/// Rows that have values, all of them numbers.
template <class Policy>
std::vector<row> good_rows(Policy const& policy, std::vector<row> const& rows) {
  return tartan::copy_if(policy, rows, [](row const& r) {
    return !r.values.empty() && std::ranges::none_of(r.values, [](double x) { return std::isnan(x); });
  });
}

/// Values from 0 to 1, the least and the largest of the row; a row of equal values becomes zeros.
row normalised(row r) {
  auto const [low, high] = std::ranges::minmax(r.values);
  for (double& x : r.values) x = high > low ? (x - low) / (high - low) : 0.0;
  return r;
}

struct summary {
  std::string name;
  std::size_t rows;
  double mean, low, high;
};

template <class Policy>
std::vector<summary> summaries(Policy const& policy, std::vector<row> const& rows) {
  auto groups = tartan::group_by(policy, rows, &row::name);
  std::vector<std::pair<std::string, std::vector<row>>> const list(std::move_iterator(groups.begin()),
                                                                   std::move_iterator(groups.end()));
  auto result = tartan::map(policy, list, [](auto const& group) {
    summary s{group.first, group.second.size(), 0, group.second[0].values[0], group.second[0].values[0]};
    std::size_t n = 0;
    for (row const& r : group.second)
      for (double const x : r.values) {
        s.mean += (x - s.mean) / static_cast<double>(++n);
        s.low = std::min(s.low, x);
        s.high = std::max(s.high, x);
      }
    return s;
  });
  tartan::sort(policy, result, {}, &summary::name);
  return result;
}

std::string as_csv(row const& r) {
  std::string line = r.name;
  char digits[32];
  for (double const x : r.values) {
    auto const end = std::to_chars(digits, digits + sizeof(digits), x, std::chars_format::general, 6).ptr;
    (line += ',').append(digits, end);
  }
  return line += '\n';
}

/// Rows whose values are known, one in 50 of them with a field that is no number, one in 100 with equal values.
std::string made_up_table(std::size_t rows) {
  std::string text = "station,a,b,c\n";
  char const* const names[] = {"Aberdeen", "Bergen", "Cork", "Dover"};
  for (std::size_t i = 0; i != rows; ++i) {
    text += names[i % 4];
    for (std::size_t column = 0; column != 3; ++column)
      text += i % 50 == 7 && column == 1 ? std::string(",missing")
                                         : ',' + std::to_string(i % 100 == 3 ? 5 : (i * 7919 + column * 31) % 1000);
    text += '\n';
  }
  return text;
}

/// What two rows have in common, for all pairs of rows side by side.
template <class Policy>
std::vector<std::size_t> values_in_common(Policy const& policy, std::vector<row> a, std::vector<row> b) {
  auto const sort_values = [](row& r) { std::ranges::sort(r.values); };
  tartan::for_each(policy, a, sort_values);
  tartan::for_each(policy, b, sort_values);
  return tartan::map(policy, tartan::zip(a, b), [](auto const& pair) {
    auto& [left, right] = pair;
    return tartan::set_intersection(tartan::seq, left.values, right.values).size();
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::string const file = argc > 1 ? argv[1] : "measurements.csv", result = argc > 2 ? argv[2] : "normalised.csv";
  constexpr std::size_t made_up = 100'000;
  if (argc < 2) std::ofstream(file) << made_up_table(made_up);
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::fprintf(stderr, "csv_stats: cannot read %s\n", file.c_str()), EXIT_FAILURE;
  std::string const text(std::istreambuf_iterator<char>(in), {});
  std::string_view body = text;
  body.remove_prefix(std::min(body.find('\n') + 1, body.size()));  // the header

  auto const begin = std::chrono::steady_clock::now();
  auto const rows = parse(tartan::par, body);
  auto const good = good_rows(tartan::par, rows);
  auto const table = summaries(tartan::par, good);
  auto const scaled = tartan::map(tartan::par, good, normalised);
  auto const lines = tartan::map(tartan::par, scaled, as_csv);
  auto const common = values_in_common(tartan::par, good, scaled);
  std::ofstream out(result, std::ios::binary);
  out << text.substr(0, text.size() - body.size());
  for (std::string const& line : lines) out << line;
  out.close();
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
  if (!out) return std::fprintf(stderr, "csv_stats: cannot write %s\n", result.c_str()), EXIT_FAILURE;

  for (summary const& s : table)
    std::printf("%-20s %8zu rows, mean %10.3f, from %g to %g\n", s.name.c_str(), s.rows, s.mean, s.low, s.high);
  std::printf("%zu of %zu rows are good; %zu values are their own normal; %.1f MB in %.0f ms (%u workers)\n",
              good.size(), rows.size(), tartan::reduce(tartan::par, common), static_cast<double>(text.size()) * 1e-6,
              took.count() * 1e3, tartan::available_workers());

  bool right =
      good == good_rows(tartan::seq, parse(tartan::seq, body)) && scaled == tartan::map(tartan::seq, good, normalised);
  for (row const& r : scaled)
    for (double const x : r.values) right = right && x >= 0 && x <= 1;  // so no not-a-number either
  if (argc < 2)
    right = right && rows.size() == made_up && good.size() == made_up - made_up / 50 && table.size() == 4 &&
            scaled[3].values == std::vector<double>{0, 0, 0};
  if (!right) std::fputs("csv_stats: the answer is wrong\n", stderr);
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
