#include "check.hpp"

#include <chrono>  // steady_clock
#include <cstdio>  // printf
#include <map>     // map
#include <set>     // set

namespace model {

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The weakenings by one step.
std::vector<std::memory_order> weaker(std::string const& what, std::memory_order order) {
  using enum std::memory_order;
  if (what.ends_with("fence")) return {relaxed};
  bool const reads = what == "load" || what == "cas failure", writes = what == "store";
  switch (order) {
    case seq_cst:
      return {reads ? acquire : writes ? release : acq_rel};
    case acq_rel:
      return {acquire, release};
    case acquire:
    case release:
      return {relaxed};
    default:
      return {};
  }
}

struct row {
  ordering_site where;
  int number;  // among those of the function
  std::memory_order from, to;
  std::string error{}, caught_by{}, buffered{};
  bool bounded = false;
};

std::string change_of(row const& r) {
  return r.where.what.ends_with("fence") ? "removed" : name_of(r.from) + " -> " + name_of(r.to);
}

bool matches(tolerated const& t, row const& r) {
  return t.function == r.where.function && t.what == r.where.what && t.number == r.number && t.change == change_of(r);
}

/// Which check notices the weakening: by a failing execution, else by a load that might be buffered and was not before.
void find_out(row& r, std::vector<check> const& checks, std::vector<std::set<std::string>> const& buffered) {
  for (std::size_t i = 0; i != checks.size(); ++i) {
    options how = checks[i].how;
    how.weakened = mutation{r.where, r.to};
    how.buffered_loads = true;
    result const found = explore(checks[i].body, how);
    r.bounded = r.bounded || !(found.exhaustive || found.bound == checks[i].bound);
    for (std::string const& pair : found.buffered)
      if (r.buffered.empty() && !buffered[i].contains(pair)) r.buffered = pair;
    if (found.ok()) continue;
    r.caught_by = checks[i].name;
    r.error = found.error;
    return;
  }
}

std::string verdict(row const& r) {
  if (!r.caught_by.empty()) return "caught: " + r.error + " [" + r.caught_by + "]";
  if (!r.buffered.empty()) return "only by load buffering: " + r.buffered;
  return r.bounded ? "not caught within the bound" : "not caught";
}

}  // namespace

int run_checks(std::string const& title, std::vector<check> const& checks) {
  std::printf("%s\n", title.c_str());
  int failures = 0;
  for (check const& c : checks) {
    auto const begin = std::chrono::steady_clock::now();
    result const r = explore(c.body, c.how);
    std::printf("  %-64s %9llu executions %8llu blocked %8llu refused %6.2f s  %s\n", c.name.c_str(),
                static_cast<unsigned long long>(r.executions), static_cast<unsigned long long>(r.blocked),
                static_cast<unsigned long long>(r.refused), seconds_since(begin),
                !r.ok()              ? "FAILED"
                : r.exhaustive       ? "holds"
                : r.bound == c.bound ? ("holds with " + r.bound).c_str()
                                     : ("NOT EXHAUSTIVE: " + r.bound).c_str());
    if (!r.ok()) std::printf("    %s\n%s", r.error.c_str(), r.trace.c_str());
    bool holds = r.ok() && (r.exhaustive || r.bound == c.bound);
    for (std::string const& point : c.reaches)
      if (!r.reached.contains(point)) {
        std::printf("    no execution reaches: %s\n", point.c_str());
        holds = false;
      }
    if (!holds) ++failures;
    std::fflush(stdout);
  }
  return failures;
}

int must_fail(check const& c, std::string const& expected) {
  result const r = explore(c.body, c.how);
  bool const as_expected = !r.ok() && r.error.find(expected) != std::string::npos;
  std::printf("  %-64s %s\n", c.name.c_str(),
              as_expected ? ("found: " + r.error).c_str() : ("MISSED: " + expected + " (" + r.error + ")").c_str());
  return as_expected ? 0 : 1;
}

int mutation_table(std::string const& file, std::vector<check> const& checks, std::vector<tolerated> const& expected) {
  auto const begin = std::chrono::steady_clock::now();
  std::map<ordering_site, std::memory_order> all;
  std::vector<std::set<std::string>> buffered;
  for (check const& c : checks) {
    options how = c.how;
    how.buffered_loads = true;
    result const r = explore(c.body, how);
    buffered.push_back(r.buffered);
    for (auto const& [where, order] : r.orderings)
      if (where.file == file) all.emplace(where, order);
  }
  std::vector<row> rows;
  std::map<std::pair<std::string, std::string>, int> numbers;
  for (auto const& [where, order] : all) {
    int const number = ++numbers[{where.file + where.function, where.what}];
    for (std::memory_order to : weaker(where.what, order)) rows.push_back({where, number, order, to});
  }

  int failures = 0;
  std::printf("%s: every ordering weakened in turn\n", file.c_str());
  for (std::size_t i = 0; i != rows.size(); ++i) {
    row r = rows[i];
    find_out(r, checks, buffered);
    bool const caught = !r.caught_by.empty();
    if (!caught)  // then how weak may it be?
      for (std::memory_order to : weaker(r.where.what, r.to)) {
        bool known = false;
        for (row const& other : rows) known = known || (other.where == r.where && other.to == to);
        if (!known) rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(i) + 1, {r.where, r.number, r.from, to});
      }
    tolerated const* reason = nullptr;
    for (tolerated const& t : expected)
      if (matches(t, r)) reason = &t;
    bool const as_expected =
        !r.bounded && caught == (reason == nullptr) && (caught || reason->buffered == !r.buffered.empty());
    if (!as_expected) ++failures;
    std::string const where = std::to_string(r.where.line) + " " + r.where.function;
    std::string const what = r.where.what + " " + std::to_string(r.number);
    std::printf("  %-20s %-14s %-20s %s%s%s\n", where.c_str(), what.c_str(), change_of(r).c_str(), verdict(r).c_str(),
                reason != nullptr ? (" (" + reason->reason + ")").c_str() : "",
                as_expected ? "" : "   <-- NOT AS EXPECTED");
    std::fflush(stdout);
  }
  for (tolerated const& t : expected) {
    bool there = false;
    for (row const& r : rows) there = there || matches(t, r);
    if (there) continue;
    std::printf("  %s %s %d %s: no such ordering any more   <-- NOT AS EXPECTED\n", t.function.c_str(), t.what.c_str(),
                t.number, t.change.c_str());
    ++failures;
  }
  std::printf("  %zu weakenings, %.1f s, %d not as expected\n", rows.size(), seconds_since(begin), failures);
  return failures;
}

}  // namespace model
