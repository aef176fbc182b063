// Bars on a terminal: a pseudo-terminal, and a small emulator that shows what a user would see.
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "tartan/observe/progress.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;

namespace {

/// Both ends of a pseudo-terminal, and its screen.
class terminal {
 public:
  terminal(int rows, int columns) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    usable = master_ >= 0 && ::grantpt(master_) == 0 && ::unlockpt(master_) == 0;
    if (!usable) return;
    int const slave = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    usable = slave >= 0;
    if (!usable) return;
    stream = ::fdopen(slave, "w");
    resize(rows, columns);
  }
  ~terminal() {
    if (stream != nullptr) std::fclose(stream);
    ::close(master_);
  }
  terminal(terminal const&) = delete;
  terminal& operator=(terminal const&) = delete;

  /// What is on the screen stays, cut at the right.
  void resize(int rows, int columns) {
    pump();
    winsize size{};
    size.ws_row = static_cast<unsigned short>(rows), size.ws_col = static_cast<unsigned short>(columns);
    ::ioctl(master_, TIOCSWINSZ, &size);
    rows_ = rows, columns_ = static_cast<std::size_t>(columns);
    for (std::string& line : screen_)
      if (line.size() > columns_) line.resize(columns_);
  }

  /// All lines that have ever been there, without what is empty at the end.
  std::vector<std::string> lines() {
    pump();
    std::vector<std::string> all = screen_;
    for (std::string& line : all) line.erase(line.find_last_not_of(' ') + 1);
    while (!all.empty() && all.back().empty()) all.pop_back();
    return all;
  }

  std::FILE* stream = nullptr;
  bool usable = false;
  int wraps = 0, colours = 0, unknown = 0;

 private:
  /// The system carries what was written to this end some time later: a mark behind it says that all has come.
  void pump() {
    std::fputc(mark, stream);
    std::fflush(stream);
    for (pollfd waits{master_, POLLIN, 0}; ::poll(&waits, 1, 20'000) > 0;) {
      char text[4096];
      ssize_t const n = ::read(master_, text, sizeof text);
      if (n <= 0) return;
      for (ssize_t i = 0; i != n; ++i) put(text[i]);
      if (text[n - 1] == mark) return;
    }
  }

  void put(char c) {
    if (c == mark) return;
    if (!sequence_.empty()) return control(c);
    if (c == '\033') {
      sequence_ = "\033";
    } else if (c == '\r') {
      column_ = 0;
    } else if (c == '\n') {
      ++row_;
    } else {
      if (column_ == columns_) ++wraps, ++row_, column_ = 0;
      std::string& line = current();
      if (line.size() <= column_) line.resize(column_ + 1, ' ');
      line[column_++] = c;
    }
  }

  void control(char c) {
    sequence_ += c;
    if (c == '[' || std::isdigit(static_cast<unsigned char>(c))) return;
    std::size_t const n = sequence_.size() > 3 ? std::stoul(sequence_.substr(2)) : 0;
    std::size_t const top =
        screen_.size() > static_cast<std::size_t>(rows_) ? screen_.size() - static_cast<std::size_t>(rows_) : 0;
    if (c == 'K')
      current().resize(std::min(current().size(), column_));
    else if (c == 'A')
      row_ = std::max(top, row_ - std::min(row_, n));
    else if (c == 'B')
      row_ = std::min(row_ + n, std::max(screen_.size(), std::size_t{1}) - 1);
    else if (c == 'm')
      ++colours;
    else
      ++unknown;
    sequence_.clear();
  }

  std::string& current() {
    if (screen_.size() <= row_) screen_.resize(row_ + 1);
    return screen_[row_];
  }

  static constexpr char mark = '\a';  // which no bar writes

  int master_, rows_ = 0;
  std::size_t columns_ = 0, row_ = 0, column_ = 0;
  std::vector<std::string> screen_;
  std::string sequence_;
};

tn::progress_options on(terminal& t, std::string what, std::size_t total, bool colour = false) {
  return {.description = std::move(what), .total = total, .interval = 0ms, .colour = colour, .stream = t.stream};
}

void step(tn::progress<>& bar, int n = 1) {
  for (int i = 0; i != n; ++i) bar.advance();
}

}  // namespace

TEST_CASE("one bar uses one line, whatever the width", "[terminal]") {
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  for (int columns : {10, 20, 40, 80, 200}) {
    terminal t(24, columns);
    if (!t.usable) TARTAN_SKIP("this machine has no pseudo-terminals");
    {
      tn::progress bar{on(t, "Resizing", 100)};
      step(bar, 40);
      CHECK(t.lines().size() == 1);
      step(bar, 60);
    }
    std::fputs("after", t.stream);
    auto const lines = t.lines();
    REQUIRE(lines.size() == 2);
    CHECK(lines[1] == "after");
    CHECK(lines[0].find("100") != std::string::npos);
    CHECK(t.wraps == 0);
    CHECK(t.colours == 0);
    CHECK(t.unknown == 0);
  }
}

TEST_CASE("a terminal that is made narrower or wider is filled anew", "[terminal]") {
  terminal t(24, 100);
  if (!t.usable) TARTAN_SKIP("this machine has no pseudo-terminals");
  {
    tn::progress bar{on(t, "Reading a description that is long", 100)};
    step(bar, 20);
    CHECK(t.lines()[0].find("| 20/100 item") != std::string::npos);
    t.resize(24, 30);
    step(bar, 20);
    CHECK(t.lines() == std::vector<std::string>{"40% 40/100 item"});
    t.resize(24, 120);
    step(bar, 20);
    CHECK(t.lines()[0].find("Reading a description") == 0);
  }
  CHECK(t.lines().size() == 1);
  CHECK(t.wraps == 0);
}

TEST_CASE("several bars have a line each, and those that have ended stay above", "[terminal]") {
  terminal t(24, 60);
  if (!t.usable) TARTAN_SKIP("this machine has no pseudo-terminals");
  auto const begins = [&](std::vector<std::string> const& expected) {
    auto const lines = t.lines();
    std::vector<std::string> words;
    for (std::string const& line : lines) words.push_back(line.substr(0, line.find(' ', line.find(' ') + 1)));
    CHECK(words == expected);
  };
  {
    tn::progress outer{on(t, "all", 4)};
    step(outer);
    auto first = std::make_unique<tn::progress<>>(on(t, "first", 10));
    auto second = std::make_unique<tn::progress<>>(on(t, "second", 100));
    step(*first, 5), step(*second, 10), step(outer), step(*first);
    begins({"all: 50%", "first: 60%", "second: 10%"});
    step(*first, 4);
    first.reset();
    begins({"first: 100%", "all: 50%", "second: 10%"});
    step(*second), step(outer);
    auto third = std::make_unique<tn::progress<>>(on(t, "third", 2));
    step(*third);
    begins({"first: 100%", "all: 75%", "second: 11%", "third: 50%"});
    tn::progress{on(t, "unseen", 1)};
    second.reset();
    third.reset();
    step(outer);
  }
  begins({"first: 100%", "unseen: 0%", "second: 11%", "third: 50%", "all: 100%"});
  CHECK(t.wraps == 0);
}

TEST_CASE("more bars than rows: the first ones are shown, the others when there is room", "[terminal]") {
  terminal t(4, 40);
  if (!t.usable) TARTAN_SKIP("this machine has no pseudo-terminals");
  std::vector<std::unique_ptr<tn::progress<>>> bars;
  for (char name = 'a'; name != 'h'; ++name) {
    bars.push_back(std::make_unique<tn::progress<>>(on(t, {name}, 10)));
    step(*bars.back());
  }
  CHECK(t.lines().size() == 3);
  bars.front().reset();
  auto const lines = t.lines();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].starts_with("a: 10%"));
  CHECK(lines[3].starts_with("d: 10%"));
  bars.clear();
  CHECK(t.lines().size() == 7);
}

TEST_CASE("colour is for terminals that want it", "[terminal]") {
  for (bool wanted : {true, false}) {
    wanted ? ::unsetenv("NO_COLOR") : ::setenv("NO_COLOR", "1", 1);
    terminal t(24, 80);
    if (!t.usable) TARTAN_SKIP("this machine has no pseudo-terminals");
    {
      tn::progress bar{on(t, "Painting", 10, true)};
      step(bar, 10);
    }
    CHECK(t.lines()[0].find("100% |####") != std::string::npos);
    CHECK((t.colours > 0) == wanted);
  }
  ::unsetenv("NO_COLOR");
  CHECK(tn::detail::coloured("a: 50% |##  | 2/4", false) == "a: 50% |\033[36m##\033[0m  | 2/4");
  CHECK(tn::detail::coloured("no bar", true) == "no bar");
}

TEST_CASE("a line is not cut within a character", "[terminal]") {
  std::string const what = "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc", unit = "\u00fc\u00fc\u00fc";
  for (std::size_t columns = 1; columns != 60; ++columns) {
    std::string const line = tn::detail::progress_line({what, unit, 1, 0, 1s, false}, columns);
    CHECK(line.size() <= columns);
    CHECK((line.empty() || static_cast<unsigned char>(line.back()) < 0xc0));
  }
}

TEST_CASE("many threads with bars of their own leave one line each", "[terminal]") {
  terminal t(24, 60);
  if (!t.usable) TARTAN_SKIP("this machine has no pseudo-terminals");
  std::vector<std::thread> threads;
  for (int i = 0; i != 6; ++i)
    threads.emplace_back([&, i] {
      tn::progress bar{on(t, "bar" + std::to_string(i), 20)};
      step(bar, 20);  // few: the terminal is read at the end only, and holds some pages
    });
  for (std::thread& thread : threads) thread.join();
  auto const lines = t.lines();
  CHECK(lines.size() == 6);
  for (std::string const& line : lines) CHECK(line.find("100%") != std::string::npos);
}
