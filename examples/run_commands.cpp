// Runs shell commands at once: their output in their order, exit codes, a time limit for each, and a summary. Ends with
// status 1 if any command failed, so that it serves as a parallel test runner.
//
// Shows: imap in order over work that waits (child processes), on a pool of as many threads as commands may run.
// Build: g++ -std=c++20 -O2 run_commands.cpp $(pkg-config --cflags --libs tartan) -o run_commands
// Run:   ./run_commands [-j N] [-t SECONDS] COMMAND...     or one command a line:  ls *.sh | ./run_commands -
//        (without commands it runs some of its own, and checks)
#include <tartan/imap.hpp>
#include <tartan/thread_pool.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct result {
  std::string command, output;
  int status = 0;  // exit code; 128 + signal, as the shell says it; 124 when the time was up
  std::chrono::duration<double> time{};
};

/// A shell in a process group of its own, stdout and stderr in one pipe.
pid_t start(std::string const& command, int output) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", 0, 0);
  posix_spawn_file_actions_adddup2(&files, output, 1);
  posix_spawn_file_actions_adddup2(&files, output, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);  // threads of a pool block signals; the command must not
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  std::string shell = "sh", option = "-c", line = command;
  char* const arguments[] = {shell.data(), option.data(), line.data(), nullptr};
  pid_t pid = -1;
  if (posix_spawn(&pid, "/bin/sh", &files, &attributes, arguments, environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return pid;
}

/// Reads until the end of the output or of the time. False when the time was up.
bool read_all(int from, clock_type::time_point until, std::string& output) {
  for (;;) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_type::now()).count();
    if (left <= 0) return false;
    pollfd waits{from, POLLIN, 0};
    if (::poll(&waits, 1, static_cast<int>(std::min<long long>(left, 60'000))) <= 0) continue;
    char buffer[4096];
    ssize_t const got = ::read(from, buffer, sizeof buffer);
    if (got <= 0) return true;
    output.append(buffer, static_cast<std::size_t>(got));
  }
}

/// The command may have closed its output and go on.
bool wait_for_end(pid_t pid, clock_type::time_point until, int& how) {
  while (::waitpid(pid, &how, WNOHANG) == 0) {
    if (clock_type::now() >= until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

result run(std::string const& command, std::chrono::duration<double> limit) {
  result r{command, {}, 0, {}};
  auto const begin = clock_type::now();
  auto const until = begin + std::chrono::duration_cast<clock_type::duration>(limit);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return r.status = 126, r;
  pid_t const pid = start(command, ends[1]);
  ::close(ends[1]);
  if (pid < 0) return ::close(ends[0]), r.status = 126, r;
  int how = 0;
  bool const in_time = read_all(ends[0], until, r.output) && wait_for_end(pid, until, how);
  if (!in_time) {
    ::kill(-pid, SIGKILL);  // with all that it has started
    ::waitpid(pid, &how, 0);
  }
  ::close(ends[0]);
  r.status = !in_time ? 124 : WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  r.time = clock_type::now() - begin;
  return r;
}

/// Shows each command's output when its turn has come; returns the exit codes.
std::vector<int> run_all(std::vector<std::string> const& commands, int jobs, double limit) {
  tartan::thread_pool pool{jobs};
  std::vector<int> statuses;
  auto const begin = clock_type::now();
  auto const one = [limit](std::string const& c) { return run(c, std::chrono::duration<double>(limit)); };
  for (result const& r : tartan::imap(tartan::par.on(pool).in_flight(16 * jobs), commands, one)) {
    std::fwrite(r.output.data(), 1, r.output.size(), stdout);
    if (r.status != 0)
      std::printf("%s (%d) after %.2f s: %s\n", r.status == 124 ? "TIME IS UP" : "FAILED", r.status, r.time.count(),
                  r.command.c_str());
    std::fflush(stdout);
    statuses.push_back(r.status);
  }
  auto const failed = statuses.size() - static_cast<std::size_t>(std::count(statuses.begin(), statuses.end(), 0));
  std::printf("%zu commands, %zu failed, %.2f s\n", statuses.size(), failed,
              std::chrono::duration<double>(clock_type::now() - begin).count());
  return statuses;
}

}  // namespace

int main(int argc, char** argv) {
  int jobs = static_cast<int>(tartan::available_workers());
  double limit = 1e6;
  std::vector<std::string> commands;
  for (int i = 1; i < argc; ++i) {
    std::string const word = argv[i];
    if (word == "-j" && i + 1 < argc)
      jobs = std::max(1, std::atoi(argv[++i]));
    else if (word == "-t" && i + 1 < argc)
      limit = std::atof(argv[++i]);
    else if (word == "-")
      for (std::string line; std::getline(std::cin, line);) commands.push_back(line);
    else
      commands.push_back(word);
  }
  if (argc == 1) {
    std::vector<int> const statuses = run_all(
        {"sleep 0.2; echo first", "echo second", "exit 3", "sleep 60 & sleep 60", "kill -TERM $$", "echo last"}, 3, 3);
    return statuses == std::vector{0, 0, 3, 124, 128 + SIGTERM, 0} ? 0 : 1;
  }
  for (int const status : run_all(commands, jobs, limit))
    if (status != 0) return 1;
}
