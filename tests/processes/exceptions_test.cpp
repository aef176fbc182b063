#include <chrono>
#include <csignal>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "support/process_main.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;

template <class F>
auto outcome_of(F f) {
  auto r = tn::try_map(tn::processes, std::vector<int>{9}, f);
  return std::move(r[0]);
}

template <class E, class F>
std::string thrown_as(F f) {
  try {
    (void)outcome_of(f).value();
  } catch (E const& e) {
    CHECK(typeid(e) == typeid(E));
    return e.what();
  } catch (std::exception const& e) {
    return std::string("another exception: ") + e.what();
  }
  return "nothing";
}

struct my_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct dangerous_error : std::exception {
  dangerous_error() = default;
  dangerous_error(dangerous_error const&) : std::exception() { throw 1; }
  [[nodiscard]] char const* what() const noexcept override { return "dangerous"; }
};

struct cannot_be_written {
  int value;
};

struct cannot_be_read {
  int value;
};

}  // namespace

template <>
struct tartan::codec<cannot_be_written> {
  static std::size_t size(cannot_be_written const&) { return 4; }
  static void write(frame_writer&, cannot_be_written const&) { throw std::logic_error("write failed"); }
  static cannot_be_written read(frame_reader& in) { return {in.raw<int>()}; }
};

template <>
struct tartan::codec<cannot_be_read> {
  static std::size_t size(cannot_be_read const&) { return 4; }
  static void write(frame_writer& out, cannot_be_read const& x) { out.raw(x.value); }
  static cannot_be_read read(frame_reader&) { throw std::domain_error("read failed"); }
};

TEST_CASE("exceptions: standard types come back as themselves") {
  CHECK(thrown_as<std::runtime_error>([](int) { throw std::runtime_error("a"); }) == "a");
  CHECK(thrown_as<std::out_of_range>([](int x) { throw std::out_of_range("i " + std::to_string(x)); }) == "i 9");
  CHECK(thrown_as<std::invalid_argument>([](int) { throw std::invalid_argument("b"); }) == "b");
  CHECK(thrown_as<std::logic_error>([](int) { throw std::logic_error("c"); }) == "c");
  CHECK(thrown_as<std::overflow_error>([](int) { throw std::overflow_error("d"); }) == "d");
  CHECK(thrown_as<std::bad_alloc>([](int) { throw std::bad_alloc(); }) == std::bad_alloc().what());
  CHECK(thrown_as<std::bad_optional_access>([](int) { (void)std::optional<int>().value(); }) ==
        std::bad_optional_access().what());
  CHECK(thrown_as<tn::bad_argument>([](int) { throw tn::bad_argument("e"); }) == "e");
}

TEST_CASE("exceptions: a system error keeps its code, its category and its text") {
  auto const o = outcome_of([](int) { throw std::system_error(ENOENT, std::generic_category(), "opening x"); });
  try {
    (void)o.value();
    FAIL("no error");
  } catch (std::system_error const& e) {
    CHECK(e.code() == std::error_code(ENOENT, std::generic_category()));
    CHECK(std::string(e.what()) == std::system_error(ENOENT, std::generic_category(), "opening x").what());
  }
}

TEST_CASE("exceptions: others come with the name of their type and their text") {
  auto const check = [](auto const& o, std::string const& type, std::string const& text) {
    try {
      (void)o.value();
      FAIL("no error");
    } catch (tn::remote_error const& e) {
      CHECK_THAT(e.type, tn::test::contains_text(type));
      CHECK_THAT(e.what(), tn::test::contains_text(text));
    }
  };
  check(outcome_of([](int) { throw my_error("mine"); }), "my_error", "mine");
  check(outcome_of([](int) { throw dangerous_error(); }), "dangerous_error", "dangerous");
  check(outcome_of([](int) { throw 42; }), "int", "not derived");
}

TEST_CASE("exceptions: texts without end are cut, and long ones come whole") {
  auto const o = outcome_of([](int) { throw std::runtime_error(std::string(1'000'000, 'x')); });
  CHECK(o.what().size() > 1000);
  auto const p = outcome_of([](int) { throw std::runtime_error(std::string(3000, 'x')); });
  CHECK(p.what().size() == 3000);
}

TEST_CASE("exceptions: what cannot be encoded or decoded fails its task alone") {
  CHECK(thrown_as<std::logic_error>([](int x) { return cannot_be_written{x}; }) == "write failed");
  auto const r = tn::try_map(tn::processes, std::vector<int>{1, 2, 3}, [](int x) { return cannot_be_read{x}; });
  for (auto const& o : r) CHECK_THROWS_AS(o.value(), std::domain_error);
  auto const s = tn::try_map(tn::processes, std::vector<cannot_be_read>{{1}, {2}},
                             [](cannot_be_read const& x) { return x.value; });
  for (auto const& o : s) CHECK_THROWS_AS(o.value(), std::domain_error);
  auto const t = tn::try_map(tn::processes, std::vector<cannot_be_written>{{1}, {2}},
                             [](cannot_be_written const& x) { return x.value; });
  for (auto const& o : t) CHECK_THROWS_AS(o.value(), std::logic_error);
  CHECK(outcome_of([](int x) { return x; }).value() == 9);
}
