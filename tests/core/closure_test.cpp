#include "tartan/core/closure.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace tn = tartan;

namespace {

double scale(double factor, double x) { return factor * x; }
int no_throw(int x) noexcept { return x + 1; }

template <class T>
T over(T const& value) {
  return tn::detail::decode<T>(tn::detail::encode(value));
}

}  // namespace

TEST_CASE("closure: state stands before the arguments") {
  auto const f = tn::closure(2.5, [](double factor, double x) { return factor * x; });
  CHECK(f(4.0) == 10.0);
  std::vector<int> const table{1, 2, 3};
  auto const g = tn::closure(table, std::string("x"), [](std::vector<int> const& t, std::string const& s, int i) {
    return s + std::to_string(t[static_cast<std::size_t>(i)]);
  });
  CHECK(g(1) == "x2");
  CHECK(tn::closure([](int x) { return x; })(3) == 3);
}

TEST_CASE("closure: travels with its state") {
  auto const f =
      tn::closure(std::string("k"), 3, [](std::string const& s, int n, int m) { return s + std::to_string(n + m); });
  STATIC_REQUIRE(tn::shippable<std::remove_const_t<decltype(f)>>);
  CHECK(over(f)(4) == "k7");
  auto const g = tn::closure(2.0, scale);
  CHECK(over(g)(21.0) == 42.0);
}

TEST_CASE("code address: functions of the program and of libraries") {
  CHECK(over(&scale)(2, 3) == 6);
  CHECK(over(&no_throw)(1) == 2);
  double (*const root)(double) = ::sqrt;
  CHECK(over(root)(9) == 3);
  int (*none)() = nullptr;
  CHECK_THROWS_AS(tn::detail::encode(none), tn::not_shippable);
}

TEST_CASE("code address: an offset outside of the module's code is refused") {
  CHECK_THROWS_AS(tn::detail::resolve_code({{}, 0}), tn::bad_frame);
  CHECK_THROWS_AS(tn::detail::resolve_code({{}, ~std::uint64_t{0} / 2}), tn::bad_frame);
  CHECK_THROWS_AS(tn::detail::resolve_code({"/nowhere/libnothing.so", 64}), tn::not_shippable);
  auto const* const heap = new int(1);
  CHECK_THROWS_AS(tn::detail::code_address_of(heap), tn::not_shippable);
  delete heap;
}
