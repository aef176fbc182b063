#include "tartan/leaves/wrapping.hpp"

#include <cstdint>
#include <limits>
#include <type_traits>

#include "support/catch.hpp"
#include "tartan/leaves/cast.hpp"

namespace {

using namespace tartan::lanes;

/// The same expression on numbers and on packs, against unsigned arithmetic that is cut off at the end.
template <class T, class From, std::size_t N>
void check_lanes() {
  From a[N], b[N];
  for (std::size_t i = 0; i != N; ++i) {
    a[i] = static_cast<From>(i * 37 + 200);
    b[i] = static_cast<From>(i * i + 251);
  }
  auto const f = [](auto x, auto y) {
    return (wrapping<T>(x) * 5 - wrapping<T>(y) + 3 * wrapping<T>(y) + (wrapping<T>(x) << 2)) >> 1;
  };
  auto const lanes = to<T>(f(pack<From, N>::load(a), pack<From, N>::load(b)));
  static_assert(std::is_same_v<decltype(lanes), pack<T, N> const>);
  for (std::size_t i = 0; i != N; ++i) {
    auto const x = static_cast<std::uint64_t>(static_cast<T>(a[i])),
               y = static_cast<std::uint64_t>(static_cast<T>(b[i]));
    auto const expected = static_cast<T>(static_cast<T>(x * 5 - y + 3 * y + (x << 2)) >> 1);
    REQUIRE(lanes[i] == expected);
    REQUIRE(to<T>(f(a[i], b[i])) == expected);
  }
}

}  // namespace

TEST_CASE("wrapping arithmetic stays in its type, on packs as on numbers", "[pack]") {
  check_lanes<std::uint8_t, std::uint8_t, 64>();
  check_lanes<std::uint16_t, std::uint8_t, 32>();
  check_lanes<std::uint16_t, std::uint8_t, 8>();
  check_lanes<std::uint16_t, std::int16_t, 16>();
  check_lanes<std::uint32_t, std::uint16_t, 32>();
  check_lanes<std::uint64_t, std::int32_t, 8>();
}

TEST_CASE("wrapping of one type does not become int in between", "[pack]") {
  constexpr auto most = (std::numeric_limits<std::uint16_t>::max)();
  static_assert(to<std::uint16_t>(wrapping<std::uint16_t>(most) + 1) == 0);
  static_assert(to<std::uint16_t>(wrapping<std::uint16_t>(most) * most) == 1);
  static_assert(to<int>(wrapping<std::uint8_t>(0) - 1) == 255);
  static_assert(to<std::uint8_t>(wrapping<std::uint16_t>(0x1ff) >> 1) == 0xff);
}
