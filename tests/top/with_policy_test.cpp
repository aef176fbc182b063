#include "tartan/policies.hpp"

#include <string>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"

namespace tn = tartan;

namespace {

/// Tells which policy it was called with.
constexpr auto tell = [](auto policy) {
  using backend = typename decltype(policy)::backend_type;
  return std::string(backend::name) + '/' + std::to_string(policy.props().workers);
};

}  // namespace

TEST_CASE("with_policy chooses by name") {
  CHECK(tn::with_policy("seq", tell) == "seq/0");
  CHECK(tn::with_policy(std::string("par"), tell) == "par/0");
  int calls = 0;
  tn::with_policy("par", [&](auto policy) {
    auto [a, b] = policy.backend().fork_join(policy.props(), [] { return 1; }, [] { return 2; });
    calls += a + b;
  });
  CHECK(calls == 3);
  int x = 0;
  int& same = tn::with_policy("seq", [&](auto) -> int& { return x; });
  CHECK(&same == &x);
}

TEST_CASE("with_policy chooses among given policies") {
  CHECK(tn::with_policy("par", tell, tn::seq, tn::par.workers(3)) == "par/3");
  CHECK_THROWS_AS(tn::with_policy("par", tell, tn::seq), tn::bad_argument);
}

TEST_CASE("with_policy answers an unknown name with the list") {
  CHECK_THROWS_AS(tn::with_policy("bar", tell), tn::bad_argument);
  CHECK_THROWS_WITH(tn::with_policy("bar", tell),
                    "tartan: there is no policy \"bar\" in this program; choose one of: seq, par");
  CHECK_THROWS_WITH(tn::with_policy("", tell, tn::par),
                    "tartan: there is no policy \"\" in this program; choose one of: par");
}
