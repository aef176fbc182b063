// Runs the workloads and prints one table. See bench/run --help for the options.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness.hpp"
#include "memory.hpp"

namespace bench {
namespace {

struct named_workload {
  std::string name;
  workload add;
};

std::vector<named_workload>& workloads() {
  static std::vector<named_workload> all;
  return all;
}

/// What the command line says, beyond what Google Benchmark takes.
struct request {
  options opts;
  std::string only;
  std::vector<std::string> passed_on;
};

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    auto const comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return parts;
}

double number(std::string const& text, std::string_view option) {
  char* end = nullptr;
  double const value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || value < 1)
    throw std::runtime_error(fmt::format("{} needs numbers of at least 1, not '{}'", option, text));
  return value;
}

request parse(int argc, char** argv) {
  request r;
  for (int i = 1; i < argc; ++i) {
    std::string const arg = argv[i];
    auto const value = [&]() -> std::string {
      if (i + 1 == argc) throw std::runtime_error(arg + " needs a value");
      return argv[++i];
    };
    if (arg == "--quick") {
      r.opts.quick = true;
    } else if (arg == "--only") {
      r.only = value();
    } else if (arg == "--json") {
      r.passed_on.push_back("--benchmark_out=" + value());
      r.passed_on.emplace_back("--benchmark_out_format=json");
    } else if (arg == "--workers") {
      r.opts.workers.clear();
      for (std::string const& n : split(value())) r.opts.workers.push_back(static_cast<unsigned>(number(n, arg)));
    } else if (arg == "--grain") {
      r.opts.grains.clear();
      for (std::string const& n : split(value()))
        r.opts.grains.push_back(n == "auto" ? 0 : static_cast<std::size_t>(number(n, arg)));
    } else if (arg.starts_with("--benchmark_")) {
      r.passed_on.push_back(arg);
    } else {
      throw std::runtime_error(fmt::format("unknown option '{}'; see bench/run --help", arg));
    }
  }
  return r;
}

/// Under which names the JSON file holds what a contender measures itself, and by how much memory rises.
char const* figure_name(contender const& c) { return c.counted ? "events" : c.in_bytes ? "bytes" : "seconds"; }
constexpr char const* memory_name = "memory";

/// Collects the repetitions of each contender and prints their medians, beside the baseline of the same pattern.
class table : public benchmark::BenchmarkReporter {
 public:
  struct row {
    std::string workload;
    contender const* who;
    std::vector<double> figures, cpu;  // seconds, or what the contender measures itself
    double memory = -1;                // bytes, if they were measured
    bool failed = false;
  };

  explicit table(std::map<std::string, row>& rows) : rows_(rows) {}

  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const& runs) override {
    for (Run const& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      row& r = rows_.at(run.run_name.function_name);
      if (run.error_occurred) {
        r.failed = true;
        continue;
      }
      auto const times = static_cast<double>(run.iterations);
      auto const own = run.counters.find(figure_name(*r.who));
      r.figures.push_back(own != run.counters.end() ? own->second.value : run.real_accumulated_time / times);
      r.cpu.push_back(run.cpu_accumulated_time / times);
      if (auto const bytes = run.counters.find(memory_name); bytes != run.counters.end())
        r.memory = (std::max)(r.memory, bytes->second.value);
    }
  }
  void Finalize() override {}

 private:
  std::map<std::string, row>& rows_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

std::string human_bytes(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.1f} KB", bytes * 1e-3);
  return fmt::format("{:.1f} MB", bytes * 1e-6);
}

std::string human(double seconds) {
  if (seconds < 1e-8) return fmt::format("{:.2f} ns", seconds * 1e9);
  if (seconds < 1e-6) return fmt::format("{:.1f} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.2f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
  return fmt::format("{:.3f} s", seconds);
}

std::string human_figure(contender const& c, double figure) {
  return c.counted ? fmt::format("{:.0f}", figure) : c.in_bytes ? human_bytes(figure) : human(figure);
}

/// What one of the items of a run takes.
std::string human_each(contender const& c, double figure) {
  if (c.items <= 0 || c.counted) return "";
  return c.in_bytes ? fmt::format("{:.0f} B", figure / c.items) : human(figure / c.items);
}

/// Prints the table; returns the number of wrong answers.
int print(std::vector<std::string> const& order, std::map<std::string, table::row> const& rows) {
  std::map<std::string, double> limits;  // CPU time, by pattern: one thread each, and the machine may be busy
  for (auto const& [key, r] : rows)
    if (r.who->limit && !r.cpu.empty()) limits[r.who->pattern] = median(r.cpu);
  fmt::print("{:<18} {:<24} {:<30} {:>7} {:>11} {:>11} {:>9} {:>8} {:>9} {:>10}\n", "workload", "pattern", "backend",
             "workers", "median", "CPU time", "speed-up", "GB/s", "each", limits.empty() ? "memory" : "of limit");
  int wrong = 0;
  double base = 0;
  std::string last;
  for (std::string const& key : order) {
    table::row const& r = rows.at(key);
    if (r.figures.empty() && !r.failed) continue;  // filtered out
    if (r.workload != last) base = 0;
    if (r.workload != last) fmt::print("{}\n", std::string(145, '-'));
    last = r.workload;
    contender const& c = *r.who;
    if (r.failed) {
      ++wrong;
      fmt::print("{:<18} {:<24} {:<30} {:>7} WRONG ANSWER, not timed\n", r.workload, c.pattern, c.backend, c.workers);
      continue;
    }
    double const t = median(r.figures);
    if (c.baseline) base = t;
    fmt::print("{:<18} {:<24} {:<30} {:>7} {:>11} {:>11} {:>9} {:>8} {:>9} {:>10}\n", r.workload, c.pattern, c.backend,
               c.workers, human_figure(c, t), human(median(r.cpu)),
               base > 0 && t > 0 && !c.in_bytes && !c.counted ? fmt::format("{:.2f}x", base / t) : "",
               c.bytes > 0 ? fmt::format("{:.1f}", c.bytes / t * 1e-9) : "", human_each(c, t),
               r.memory >= 0                ? human_bytes(r.memory)
               : limits.contains(c.pattern) ? fmt::format("{:.2f}", limits.at(c.pattern) / median(r.cpu))
                                            : "");
  }
  return wrong;
}

/// Bytes a second where both count bytes, else runs a second, of a by those of b: medians, or the fastest runs.
double times_as_fast(table::row const& a, table::row const& b, double (*pick)(std::vector<double>)) {
  bool const by_bytes = a.who->bytes > 0 && b.who->bytes > 0;
  double const work = by_bytes ? a.who->bytes / b.who->bytes : 1;
  return work * pick(b.figures) / pick(a.figures);
}

double fastest(std::vector<double> values) { return *std::min_element(values.begin(), values.end()); }

/// The second table: rows beside the yardsticks of their pattern and number of workers, of this run.
void print_yardsticks(std::vector<std::string> const& order, std::map<std::string, table::row> const& rows) {
  bool any = false;
  for (std::string const& key : order) {
    table::row const& r = rows.at(key);
    if (r.who->yardstick || r.who->baseline || r.who->counted || r.figures.empty()) continue;
    std::string line;
    for (std::string const& other : order) {
      table::row const& y = rows.at(other);
      if (!y.who->yardstick || y.figures.empty() || y.workload != r.workload || y.who->pattern != r.who->pattern ||
          y.who->workers != r.who->workers)
        continue;
      line += fmt::format("  {:.2f}x ({:.2f}x) {}", times_as_fast(r, y, median), times_as_fast(r, y, fastest),
                          y.who->backend);
    }
    if (line.empty()) continue;
    if (!any) fmt::print("\nTimes as fast as others with as many workers: medians (fastest runs)\n");
    any = true;
    fmt::print("{:<18} {:<24} {:<30} {:>7}{}\n", r.workload, r.who->pattern, r.who->backend, r.who->workers, line);
  }
}

/// What is found out once about a contender, however often it is timed.
struct findings {
  bool checked = false, right = false;
  double memory = -1;
};

void find_out(contender const& c, findings& found) {
  found.checked = true;
  found.right = c.right();
  if (!found.right || !c.memory) return;
  auto const once = [&] { c.figure ? static_cast<void>(c.figure()) : c.run(); };
  once();  // what is kept for later runs is no matter of this one
  found.memory = memory_of(once);
}

void time_it(benchmark::State& state, contender const& c, findings& found) {
  if (!found.checked) find_out(c, found);
  if (!found.right) {
    state.SkipWithError("wrong answer");
    return;
  }
  if (found.memory >= 0) state.counters[memory_name] = found.memory;
  std::vector<double> figures;
  for (auto _ : state) {
    if (c.figure)
      figures.push_back(c.figure());
    else
      c.run();
  }
  if (c.figure) state.counters[figure_name(c)] = median(figures);
  if (c.items > 0) state.SetItemsProcessed(static_cast<std::int64_t>(c.items) * state.iterations());
  if (c.bytes > 0) state.SetBytesProcessed(static_cast<std::int64_t>(c.bytes) * state.iterations());
}

int run(int argc, char** argv) {
  request r = parse(argc, argv);
  std::vector<std::pair<std::string, std::vector<contender>>> chosen;
  std::string names;
  auto all = workloads();
  std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
  for (named_workload const& w : all) {
    names += (names.empty() ? "" : ", ") + w.name;
    if (!r.only.empty() && r.only != w.name) continue;
    w.add(r.opts, chosen.emplace_back(w.name, std::vector<contender>{}).second);
  }
  if (chosen.empty()) throw std::runtime_error(fmt::format("there is no workload '{}'; there are: {}", r.only, names));

  std::map<std::string, table::row> rows;
  std::vector<std::string> order;
  for (auto const& [name, contenders] : chosen)
    for (contender const& c : contenders) {
      std::string const key = fmt::format("{}/{}/{}/{}", name, c.pattern, c.backend, c.workers);
      rows[key] = {name, &c, {}, {}, -1, false};
      order.push_back(key);
      auto* const measured = benchmark::RegisterBenchmark(
          key.c_str(), [&c, found = std::make_shared<findings>()](benchmark::State& s) { time_it(s, c, *found); });
      measured->Repetitions(r.opts.quick || c.slow ? 3 : 7)->MeasureProcessCPUTime()->UseRealTime();
      if (c.figure)
        measured->Iterations(1);
      else
        measured->MinTime(r.opts.quick ? 0.005 : 0.05);
    }

  std::vector<std::string> args{argv[0], "--benchmark_enable_random_interleaving=true"};
  args.insert(args.end(), r.passed_on.begin(), r.passed_on.end());
  std::vector<char*> raw;
  for (std::string& a : args) raw.push_back(a.data());
  int count = static_cast<int>(raw.size());
  benchmark::Initialize(&count, raw.data());
  table reporter(rows);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  fmt::print("tartan benchmarks on {} hardware threads, medians of interleaved repetitions, answers checked\n",
             std::thread::hardware_concurrency());
  int const wrong = print(order, rows);
  print_yardsticks(order, rows);
  if (wrong != 0) fmt::print("{} wrong answers\n", wrong);
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

registration::registration(std::string name, workload add) { workloads().push_back({std::move(name), add}); }

}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(argc, argv);
  } catch (std::exception const& e) {
    fmt::print(stderr, "tartan_bench: {}\n", e.what());
    return EXIT_FAILURE;
  }
}
