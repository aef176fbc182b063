#include "tartan/core/errors.hpp"

#include "support/catch.hpp"
#include "tartan/core/config.hpp"

namespace {

TEST_CASE("every error of the core says what to do", "[errors]") {
  CHECK_THAT(tartan::cancelled{}.what(), tartan::test::contains_text("a stop was requested"));
  CHECK_THAT(tartan::pool_gone{}.what(), tartan::test::contains_text("keep the pool alive"));
  CHECK_THAT(tartan::pool_closed{}.what(), tartan::test::contains_text("submit before close()"));
}

TEST_CASE("raise throws the very type, with its arguments", "[errors]") {
  CHECK_THROWS_AS(tartan::detail::raise<tartan::pool_gone>(), tartan::pool_gone);
  CHECK_THROWS_WITH(tartan::detail::raise<tartan::bad_argument>("grain must be at least 1"),
                    "grain must be at least 1");
}

TEST_CASE("errors are caught by their bases", "[errors]") {
  CHECK_THROWS_AS(tartan::detail::raise<tartan::cancelled>(), tartan::error);
  CHECK_THROWS_AS(tartan::detail::raise<tartan::pool_closed>(), std::runtime_error);
  CHECK_THROWS_AS(tartan::detail::raise<tartan::bad_argument>("x"), std::invalid_argument);
}

TEST_CASE("the configuration knows that this program has exceptions", "[config]") {
  STATIC_REQUIRE(TARTAN_EXCEPTIONS == 1);
  STATIC_REQUIRE(TARTAN_VERSION_MAJOR >= 0);
}

}  // namespace
