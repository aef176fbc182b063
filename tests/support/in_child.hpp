#pragma once
// Tests in a child process.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>  // fflush

namespace tartan::test {

inline bool forked_child = false;

/// Runs f in a forked child and gives its exit status; a signal number is negative, a child that hangs is killed.
template <class F>
int in_child(F f) {
  std::fflush(nullptr);
  ::pid_t const child = ::fork();
  if (child == 0) {
    ::alarm(60);
    forked_child = true;
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace tartan::test
