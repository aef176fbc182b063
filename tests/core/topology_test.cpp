#include "tartan/core/topology.hpp"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/catch.hpp"

namespace {

namespace detail = tartan::detail;

/// A file system of the test's own, gone when the test ends.
class fake_system {
 public:
  fake_system() {
    char name[] = "/tmp/tartan_topology_XXXXXX";
    root_ = ::mkdtemp(name);
  }
  fake_system(fake_system const&) = delete;
  fake_system& operator=(fake_system const&) = delete;
  ~fake_system() { std::filesystem::remove_all(root_); }

  fake_system& file(std::string const& path, std::string const& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
    return *this;
  }
  [[nodiscard]] detail::system_files files() const { return {root_.c_str()}; }
  [[nodiscard]] detail::control_groups groups() const { return detail::control_groups(files()); }
  [[nodiscard]] unsigned workers(unsigned processors) const { return detail::granted_workers(processors, groups()); }

 private:
  std::string root_;
};

constexpr char const* unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char const* split =
    "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";

TEST_CASE("without control groups the processors decide", "[topology]") {
  fake_system const bare;
  CHECK(bare.workers(8) == 8);
  CHECK(bare.workers(0) == 1);
  CHECK(bare.groups().processors() == detail::no_limit);
  CHECK(bare.groups().memory() == detail::no_limit);
}

TEST_CASE("a quota of version 2 limits the workers and is rounded up", "[topology]") {
  auto [quota, expected] = GENERATE(table<std::string, unsigned>({{"max 100000\n", 16},
                                                                  {"200000 100000\n", 2},
                                                                  {"150000 100000\n", 2},
                                                                  {"1000 100000\n", 1},
                                                                  {"50000 50000\n", 1},
                                                                  {"9900000 100000\n", 16},
                                                                  {"300000\n", 3}}));
  fake_system machine;
  machine.file("/proc/self/cgroup", "0::/app\n")
      .file("/proc/self/mountinfo", unified)
      .file("/sys/fs/cgroup/app/cpu.max", quota);
  CAPTURE(quota);
  CHECK(machine.workers(16) == expected);
}

TEST_CASE("the least quota on the way to the root of version 2 counts", "[topology]") {
  fake_system machine;
  machine.file("/proc/self/cgroup", "0::/system.slice/job/step\n")
      .file("/proc/self/mountinfo", unified)
      .file("/sys/fs/cgroup/system.slice/job/step/cpu.max", "800000 100000\n")
      .file("/sys/fs/cgroup/system.slice/job/cpu.max", "250000 100000\n")
      .file("/sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
  CHECK(machine.workers(16) == 3);
}

TEST_CASE("version 1: quota and period, parents included, -1 is no limit", "[topology]") {
  fake_system machine;
  machine.file("/proc/self/cgroup", "5:memory:/a\n4:cpuacct,cpu:/a/b\n1:name=systemd:/x\n")
      .file("/proc/self/mountinfo", split)
      .file("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n")
      .file("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  CHECK(machine.workers(16) == 16);
  machine.file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "420000\n")
      .file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  CHECK(machine.workers(16) == 5);
}

TEST_CASE("a container sees its group as the mounted root", "[topology]") {
  fake_system machine;  // paths of the host in /proc/self/cgroup, the container's group mounted
  machine.file("/proc/self/cgroup", "4:cpu,cpuacct:/docker/0123/inner\n")
      .file("/proc/self/mountinfo",
            "40 31 0:29 /docker/0123 /sys/fs/cgroup/cpu\\040acct ro - cgroup cgroup rw,cpu,cpuacct\n")
      .file("/sys/fs/cgroup/cpu acct/cpu.cfs_quota_us", "200000\n")
      .file("/sys/fs/cgroup/cpu acct/cpu.cfs_period_us", "100000\n");
  CHECK(machine.workers(16) == 2);
  machine.file("/sys/fs/cgroup/cpu acct/inner/cpu.cfs_quota_us", "100000\n")
      .file("/sys/fs/cgroup/cpu acct/inner/cpu.cfs_period_us", "100000\n");
  CHECK(machine.workers(16) == 1);
  machine.file("/proc/self/cgroup", "4:cpu,cpuacct:/elsewhere\n");
  CHECK(machine.workers(16) == 2);
}

TEST_CASE("both versions may be mounted at once", "[topology]") {
  fake_system machine;
  std::string mounts = split;
  mounts += "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
  machine.file("/proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/b\n")
      .file("/proc/self/mountinfo", mounts)
      .file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "600000\n")
      .file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  CHECK(machine.workers(16) == 6);
  machine.file("/sys/fs/cgroup/unified/b/cpu.max", "400000 100000\n");
  CHECK(machine.workers(16) == 4);
}

TEST_CASE("memory: what the limits leave, file cache counted as free, then MemAvailable", "[topology]") {
  fake_system machine;
  machine.file("/proc/meminfo", "MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n");
  CHECK(detail::available_memory(machine.files(), machine.groups()) == 8000U * 1024);

  SECTION("version 2, a parent is tighter") {
    machine.file("/proc/self/cgroup", "0::/a/b\n")
        .file("/proc/self/mountinfo", unified)
        .file("/sys/fs/cgroup/a/b/memory.max", "max\n")
        .file("/sys/fs/cgroup/a/memory.max", "1000000\n")
        .file("/sys/fs/cgroup/a/memory.current", "700000\n")
        .file("/sys/fs/cgroup/a/memory.stat", "anon 500000\ninactive_file 200000\n");
    CHECK(detail::available_memory(machine.files(), machine.groups()) == 500'000);
    machine.file("/sys/fs/cgroup/a/b/memory.high", "400000\n").file("/sys/fs/cgroup/a/b/memory.current", "500000\n");
    CHECK(detail::available_memory(machine.files(), machine.groups()) == 0);
  }
  SECTION("version 1, where an absurd number means no limit") {
    machine.file("/proc/self/cgroup", "5:memory:/a\n")
        .file("/proc/self/mountinfo", split)
        .file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
        .file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3000000\n")
        .file("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "1000000\n")
        .file("/sys/fs/cgroup/memory/a/memory.stat", "cache 7\ninactive_file 9\ntotal_inactive_file 100000\n");
    CHECK(detail::available_memory(machine.files(), machine.groups()) == 2'100'000);
  }
}

TEST_CASE("more processors than a cpu_set_t has", "[topology]") {
  std::size_t const kernel_bytes = 8192 / 8;
  int refused = 0;
  unsigned const n = detail::count_affinity([&](std::size_t bytes, cpu_set_t* set) {
    if (bytes < kernel_bytes) {
      ++refused;
      errno = EINVAL;
      return -1;
    }
    CPU_ZERO_S(bytes, set);
    for (std::size_t i = 0; i != 3000; ++i) CPU_SET_S(2 * i, bytes, set);
    return 0;
  });
  CHECK(n == 3000);
  CHECK(refused == 3);
  CHECK(detail::count_affinity([](std::size_t, cpu_set_t*) { return errno = EPERM, -1; }) >= 1);
}

TEST_CASE("TARTAN_WORKERS wins, and says what is wrong with it", "[topology]") {
  CHECK(detail::wished_workers(nullptr) == 0);
  CHECK(detail::wished_workers("") == 0);
  CHECK(detail::wished_workers("1") == 1);
  CHECK(detail::wished_workers("4096") == 4096);
  auto const* const wrong = GENERATE("0", "-3", "4097", "many", "2 cores", "99999999999999999999");
  CHECK_THROWS_AS(detail::wished_workers(wrong), tartan::bad_argument);
  CHECK_THROWS_WITH(detail::wished_workers(wrong),
                    tartan::test::contains_text("TARTAN_WORKERS is '" + std::string(wrong)));

  char const* const before = std::getenv("TARTAN_WORKERS");
  std::string const kept = before != nullptr ? before : "";
  ::setenv("TARTAN_WORKERS", "37", 1);
  CHECK(tartan::available_workers() == 37);
  CHECK(tartan::available_workers({.memory_per_worker = 1}) == 37);
  ::setenv("TARTAN_WORKERS", "x", 1);
  CHECK_THROWS_AS(tartan::available_workers(), tartan::bad_argument);
  before != nullptr ? ::setenv("TARTAN_WORKERS", kept.c_str(), 1) : ::unsetenv("TARTAN_WORKERS");
}

TEST_CASE("this machine grants at least one worker, whatever it needs", "[topology]") {
  CHECK(tartan::available_workers() >= 1);
  CHECK(tartan::available_workers({.memory_per_worker = ~std::uint64_t{0}}) == 1);
  CHECK(tartan::available_workers({.memory_per_worker = 1}) == tartan::available_workers());
}

}  // namespace
