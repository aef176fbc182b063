#pragma once
// How far a call or a loop has come, for those who wait in front of a terminal or elsewhere.

#include <algorithm>   // max, min
#include <array>       // array
#include <atomic>      // atomic, memory_order_*
#include <chrono>      // duration, milliseconds, nanoseconds, steady_clock
#include <cstddef>     // ptrdiff_t, size_t
#include <cstdint>     // int64_t, uint64_t
#include <cstdio>      // FILE, fflush, fputs, snprintf, stderr
#include <functional>  // function
#include <iterator>    // default_sentinel_t, input_iterator_tag
#include <mutex>       // lock_guard, mutex, unique_lock
#include <ranges>      // begin, end, input_range, iterator_t, sentinel_t, sized_range, views::all
#include <string>      // string, to_string
#include <utility>     // exchange, forward, move, swap

#include "tartan/core/config.hpp"             // TARTAN_ABI
#include "tartan/core/padded.hpp"             // line_pair
#include "tartan/core/ticks.hpp"              // ticks, ticks_per_us
#include "tartan/core/unhandled.hpp"          // run_unattended
#include "tartan/observe/terminal.hpp"        // colour_wanted, columns_of, is_terminal, terminal_moves
#include "tartan/observe/terminal_lines.hpp"  // terminal_lines

namespace tartan::inline TARTAN_ABI {

/// How far something has come.
struct progress_report {
  std::string const& description;
  std::string const& unit;
  std::size_t done;
  std::size_t total;  ///< 0 when it is not known
  std::chrono::duration<double> elapsed;
  bool finished;

  /// Units a second, on the average.
  [[nodiscard]] double rate() const noexcept {
    return elapsed.count() > 0 ? static_cast<double>(done) / elapsed.count() : 0;
  }
  /// What is left at this rate; negative when that cannot be told.
  [[nodiscard]] std::chrono::duration<double> left() const noexcept {
    if (total == 0 || done == 0) return std::chrono::duration<double>(-1);
    return elapsed * (static_cast<double>(total - (std::min)(done, total)) / static_cast<double>(done));
  }
};

namespace detail {

/// 75 s is 01:15, 2 h is 2:00:00.
inline std::string clock_text(std::chrono::duration<double> d) {
  if (!(d.count() >= 0) || d.count() > 1e9) return "?";
  long const s = static_cast<long>(d.count());
  char text[40];
  if (s < 3600)
    std::snprintf(text, sizeof text, "%02ld:%02ld", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

/// Three digits that matter: 0.0123, 4.56, 78.9, 1.23k, 45.6M.
inline std::string rate_text(double rate) {
  char const* const suffixes[] = {"", "k", "M", "G", "T"};
  std::size_t i = 0;
  while (rate >= 999.5 && i != 4) rate /= 1000, ++i;
  char text[40];
  std::snprintf(text, sizeof text, "%.3g%s", rate, suffixes[i]);
  return text;
}

/// The line of a report in at most `columns` characters: the bar gives way first, then the rate, then the description.
inline std::string progress_line(progress_report const& r, std::size_t columns) {
  std::string const counts =
      std::to_string(r.done) + (r.total != 0 ? "/" + std::to_string(r.total) : std::string()) + " " + r.unit;
  std::string const times = " [" + clock_text(r.elapsed) +
                            (r.total != 0 && !r.finished ? "<" + clock_text(r.left()) : std::string()) + ", " +
                            rate_text(r.rate()) + " " + r.unit + "/s]";
  std::string line = r.description.empty() ? std::string() : r.description + ": ";
  std::string percent;
  std::size_t bar = 0;
  if (r.total != 0) {
    double const part = static_cast<double>((std::min)(r.done, r.total)) / static_cast<double>(r.total);
    percent = std::to_string(static_cast<int>(100 * part)) + "% ";
    std::size_t const used = line.size() + percent.size() + counts.size() + times.size() + 3;
    bar = used + 5 <= columns ? (std::min)(columns - used, std::size_t{40}) : 0;
    if (bar != 0) {
      auto const full = static_cast<std::size_t>(static_cast<double>(bar) * part);
      percent += "|" + std::string(full, '#') + std::string(bar - full, ' ') + "| ";
    }
  }
  std::size_t const needed = percent.size() + counts.size();
  if (line.size() + needed > columns) line.clear();
  line += percent + counts;
  if (line.size() + times.size() <= columns) line += times;
  if (line.size() > columns) {
    line.resize(columns);
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xc0) == 0x80) line.pop_back();  // UTF-8
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xc0) line.pop_back();
  }
  return line;
}

/// Neighbours for threads that begin one after the other.
inline unsigned number_of_this_thread() noexcept {
  static std::atomic<unsigned> next{0};
  static constinit thread_local unsigned number = 0;
  if (number == 0) number = next.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: a number
  return number;
}

/// Colours the full part of the bar: green when all is done.
inline std::string coloured(std::string line, bool all_done) {
  std::size_t const begin = line.find("% |");
  if (begin == std::string::npos) return line;
  std::size_t const full = line.find_first_not_of('#', begin + 3);
  line.insert(full, "\033[0m");
  line.insert(begin + 3, all_done ? "\033[32m" : "\033[36m");
  return line;
}

}  // namespace detail

/// Where a progress bar is shown.
enum class progress_output {
  terminal,  ///< on stderr if that is a terminal
  always,    ///< on the stream, one line a report if it is no terminal
  never,     ///< the callback alone
};

struct progress_options {
  std::string description{};
  std::size_t total = 0;  ///< 0: not known
  std::string unit = "item";
  progress_output output = progress_output::terminal;
  std::chrono::milliseconds interval{100};  ///< between two reports
  bool colour = true;                       ///< on a terminal, unless the environment sets NO_COLOR
  std::function<void(progress_report const&)> callback{};
  std::FILE* stream = stderr;
};

/// Counts what is done and shows it: how much, how fast, how long it will still take.
///
///     tartan::progress bar{"Resizing", files.size(), "image"};
///     tartan::map(tartan::par.progress(bar), files, resize);
///     for (auto&& x : tartan::progress(lines, "Reading", "line")) parse(x);
///
/// Patterns tell it what has ended, not what was handed out. Reports come at most once an interval, and one at the end;
/// the last one comes with the destructor, which must be after the calls that count. Several bars at once have a line
/// each, at the bottom of the terminal; each one's last line stays.
/// Thread safety: advance() from any thread. Callbacks come from whichever thread counts, one at a time, and must not
/// call the bar; what they throw goes to the handler of set_unhandled().
template <class View = void>
class progress;

template <>
class progress<void> {
 public:
  explicit progress(progress_options options)
      : options_(std::move(options)),
        shown_(options_.output == progress_output::always ||
               (options_.output == progress_output::terminal && detail::is_terminal(options_.stream))),
        on_line_(shown_ && detail::is_terminal(options_.stream) && detail::terminal_moves()),
        colour_(on_line_ && options_.colour && detail::colour_wanted()),
        reports_(shown_ || options_.callback),
        part_of_interval_(static_cast<std::uint64_t>((std::max<std::int64_t>)(options_.interval.count(), 0)) * 1000 *
                          detail::ticks_per_us() / 16),
        begin_(clock::now()),
        next_report_((begin_ + options_.interval).time_since_epoch().count()) {}

  explicit progress(std::string description, std::size_t total = 0, std::string unit = "item")
      : progress(progress_options{.description = std::move(description), .total = total, .unit = std::move(unit)}) {}

  progress(progress const&) = delete;
  progress& operator=(progress const&) = delete;
  ~progress() { report(true); }

  /// n more are done.
  void advance(std::size_t n = 1) noexcept {
    counter& mine = counters_[detail::number_of_this_thread() % counters_.size()];
    std::size_t const now = mine.done.fetch_add(n, std::memory_order_relaxed) + n;              // relaxed: a count
    if (reports_ && now >= mine.next_look.load(std::memory_order_relaxed)) look(mine, now, n);  // relaxed: a hint
  }

  [[nodiscard]] std::size_t done() const noexcept {
    std::size_t sum = 0;
    for (counter const& c : counters_) sum += c.done.load(std::memory_order_relaxed);  // relaxed: a count
    return sum;
  }

 private:
  using clock = std::chrono::steady_clock;

  template <class View>
  friend class progress;

  /// What some of the threads have counted: they write to lines of their own as far as there are enough.
  struct alignas(detail::line_pair) counter {
    std::atomic<std::size_t> done{0};
    std::atomic<std::size_t> next_look{1}, step{1};          // at which count, and how many calls behind the one before
    std::atomic<std::uint64_t> last_look{0}, last_clock{0};  // ticks
  };

  /// For a loop, which counts for itself: n more are done; how many it may count until it must come again.
  [[nodiscard]] std::size_t counted(std::size_t n) noexcept {
    counter& c = counters_[0];
    std::size_t const now = c.done.load(std::memory_order_relaxed) + n;  // relaxed: nobody else writes
    c.done.store(now, std::memory_order_relaxed);                        // relaxed: a count
    if (!reports_) return longest_step;
    look(c, now, 1);
    return c.step.load(std::memory_order_relaxed);  // relaxed: nobody else writes
  }

  /// A look costs as much as a short loop's body: while there are many calls of advance(n) an interval, only at each
  /// 64th. No more, since the next ones may be slow. The clock itself is read some ten times an interval.
  void look(counter& c, std::size_t done, std::size_t n) noexcept {
    std::uint64_t const now = detail::ticks();
    std::uint64_t const before = c.last_look.exchange(now, std::memory_order_relaxed);  // relaxed here: all is a guess
    bool const seldom = now - before > part_of_interval_;
    std::size_t const step = seldom ? 1 : (std::min)(2 * c.step.load(std::memory_order_relaxed), longest_step);
    c.step.store(step, std::memory_order_relaxed);
    c.next_look.store(done + step * n, std::memory_order_relaxed);
    if (now - c.last_clock.load(std::memory_order_relaxed) <= part_of_interval_) return;
    c.last_clock.store(now, std::memory_order_relaxed);
    clock::rep const time = clock::now().time_since_epoch().count();
    if (time >= next_report_.load(std::memory_order_relaxed)) report_at(time);  // report_at() looks again
  }

  void report_at(clock::rep now) noexcept {
    std::unique_lock const hold(reporting_, std::try_to_lock);                            // somebody else reports: good
    if (!hold.owns_lock() || now < next_report_.load(std::memory_order_relaxed)) return;  // relaxed: under the mutex
    write(false);
    next_report_.store((clock::now() + options_.interval).time_since_epoch().count(),
                       std::memory_order_relaxed);  // relaxed: decided under the mutex
  }

  void report(bool finished) noexcept {
    std::lock_guard const hold(reporting_);
    write(finished);
  }

  void write(bool finished) noexcept {
    progress_report const r{options_.description, options_.unit,         done(),
                            options_.total,       clock::now() - begin_, finished};
    if (options_.callback) detail::run_unattended([&] { options_.callback(r); });
    if (!shown_) return;
    // The last column stays empty: some terminals wrap there.
    std::size_t const columns = on_line_ ? (std::max)(detail::columns_of(options_.stream), std::size_t{2}) - 1 : 200;
    std::string line = detail::progress_line(r, columns);
    if (colour_) line = detail::coloured(std::move(line), r.total != 0 && r.done >= r.total);
    auto& lines = detail::terminal_lines::instance();
    if (!on_line_) {
      line += '\n';
      std::fputs(line.c_str(), options_.stream);
      std::fflush(options_.stream);
    } else if (finished) {
      lines.end(this, options_.stream, line);
    } else {
      lines.show(this, options_.stream, std::move(line));
    }
  }

  progress_options const options_;
  bool const shown_, on_line_, colour_, reports_;
  std::uint64_t const part_of_interval_;  // ticks
  clock::time_point const begin_;
  static constexpr std::size_t longest_step = 64;
  std::array<counter, 8> counters_;
  std::atomic<clock::rep> next_report_;
  std::mutex reporting_;
};

/// The range form: counts an element when the loop asks for the next one.
template <class View>
class progress {
 public:
  /// Counts some elements on its own before it tells the bar, so that a loop keeps its speed; hence it cannot be
  /// copied.
  class iterator {
   public:
    using value_type = std::ranges::range_value_t<View>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator(iterator&& other) noexcept
        : range_(other.range_),
          at_(std::move(other.at_)),
          given_(std::exchange(other.given_, 1)),
          left_(std::exchange(other.left_, 1)) {}
    iterator& operator=(iterator&& other) noexcept {
      range_ = other.range_;
      at_ = std::move(other.at_);
      std::swap(given_, other.given_);
      std::swap(left_, other.left_);
      return *this;
    }
    ~iterator() {
      if (left_ != given_) static_cast<void>(range_->bar_.counted(given_ - left_));
    }

    [[nodiscard]] decltype(auto) operator*() const { return *at_; }
    iterator& operator++() {
      ++at_;
      if (--left_ == 0) [[unlikely]]
        given_ = left_ = range_->bar_.counted(given_);
      return *this;
    }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const { return at_ == std::ranges::end(range_->view_); }

   private:
    friend class progress;
    iterator(progress* range, std::ranges::iterator_t<View> at) : range_(range), at_(std::move(at)) {}
    progress* range_;
    std::ranges::iterator_t<View> at_;
    std::size_t given_ = 1, left_ = 1;
  };

  /// An lvalue is referred to, any other range is moved in. The total is known if the range knows its size.
  template <std::ranges::input_range R>
  progress(R&& r, std::string description, std::string unit = "item")
      : progress(std::forward<R>(r), progress_options{.description = std::move(description), .unit = std::move(unit)}) {
  }
  template <std::ranges::input_range R>
  progress(R&& r, progress_options options)
      : view_(std::views::all(std::forward<R>(r))), bar_(with_total(std::move(options))) {}

  [[nodiscard]] iterator begin() { return iterator(this, std::ranges::begin(view_)); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  progress_options with_total(progress_options options) {
    if constexpr (std::ranges::sized_range<View>)
      if (options.total == 0) options.total = static_cast<std::size_t>(std::ranges::size(view_));
    return options;
  }

  View view_;
  progress<void> bar_;
};

progress(std::string) -> progress<void>;
progress(std::string, std::size_t) -> progress<void>;
progress(std::string, std::size_t, std::string) -> progress<void>;
progress(progress_options) -> progress<void>;
template <std::ranges::input_range R>
progress(R&&, std::string) -> progress<std::views::all_t<R>>;
template <std::ranges::input_range R>
progress(R&&, std::string, std::string) -> progress<std::views::all_t<R>>;
template <std::ranges::input_range R>
progress(R&&, progress_options) -> progress<std::views::all_t<R>>;

}  // namespace tartan::inline TARTAN_ABI
