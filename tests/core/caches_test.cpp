#include "tartan/core/caches.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include "support/catch.hpp"

namespace td = tartan::detail;

TEST_CASE("sizes are read with their units", "[caches]") {
  char name[] = "/tmp/tartan_caches_XXXXXX";
  int const file = ::mkstemp(name);
  REQUIRE(file >= 0);
  auto const size_of = [&](std::string const& text) {
    REQUIRE(::ftruncate(file, 0) == 0);
    REQUIRE(::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return td::size_in_file(name);
  };
  CHECK(size_of("32768K\n") == 32768.0 * 1024);
  CHECK(size_of("2M\n") == 2.0 * 1024 * 1024);
  CHECK(size_of("512") == 512);
  CHECK(size_of("3\n") == 3);
  CHECK(size_of("") == 0);
  CHECK(size_of("Unified\n") == 0);
  ::close(file);
  std::remove(name);
  CHECK(td::size_in_file(name) == 0);
}

TEST_CASE("the caches have sizes that caches can have", "[caches]") {
  CHECK(td::cache_of_level(9) == 0);
  CHECK(td::caches().middle >= 32.0 * 1024);
  CHECK(td::caches().last >= td::caches().middle / 4);
  CHECK(td::caches().last <= 4.0 * 1024 * 1024 * 1024);
}
