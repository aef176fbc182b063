// Catch2's own code, compiled once for all test programs.

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#endif

#include "support/catch.hpp"

int tartan::test::run_catch(int argc, char** argv) { return Catch::Session().run(argc, argv); }
