// What a user may have called a macro.
#define a hostile
#define b hostile
#define d hostile
#define f hostile
#define t hostile
#define v hostile
#define x hostile
#define x1 hostile

#include "tartan/core/abi_tag.hpp"

namespace {

#define TEST_QUOTE_(text) #text
#define TEST_QUOTE(text) TEST_QUOTE_(text)
constexpr char code_name[] = TEST_QUOTE(TARTAN_ABI);
constexpr char shared_name[] = TEST_QUOTE(TARTAN_SHARED_ABI);
constexpr char error_name[] = TEST_QUOTE(TARTAN_ERROR_ABI);

}  // namespace

#undef a
#undef b
#undef d
#undef f
#undef t
#undef v
#undef x
#undef x1

#include <string>

#include "support/catch.hpp"

namespace {

bool has(std::string const& name, char const* token) { return name.find(token, 1) != std::string::npos; }

#if defined(__cpp_exceptions)
constexpr bool without_exceptions = false;
#else
constexpr bool without_exceptions = true;
#endif
#if defined(__cpp_rtti)
constexpr bool without_rtti = false;
#else
constexpr bool without_rtti = true;
#endif

}  // namespace

TEST_CASE("the names of the inline namespaces are identifiers, whatever macros the user has") {
  for (std::string const name : {code_name, shared_name, error_name}) {
    CHECK(name.rfind("v" TEST_QUOTE(TARTAN_ABI_VERSION), 0) == 0);
    CHECK(name.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string::npos);
  }
}

TEST_CASE("the code's name tells the modes of this build, the shared one only those of layout") {
  CHECK(has(code_name, "0e") == without_exceptions);
  CHECK(has(code_name, "0r") == without_rtti);
  CHECK(has(code_name, "0t") == (TARTAN_TSAN == 1));
  CHECK(has(shared_name, "0t") == (TARTAN_TSAN == 1));
  CHECK_FALSE(has(shared_name, "0e"));
  CHECK_FALSE(has(shared_name, "0r"));
  CHECK(has(error_name, "0r") == without_rtti);
#if defined(__x86_64__) && !defined(__AVX2__)
  CHECK_FALSE(has(code_name, "x3"));
  CHECK_FALSE(has(code_name, "2b"));
#elif defined(__AVX2__)
  CHECK((has(code_name, "x3") || has(code_name, "x4") || has(code_name, "2b")));
#endif
}
