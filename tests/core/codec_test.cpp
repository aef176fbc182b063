#include "tartan/core/codec.hpp"

#include <array>
#include <chrono>
#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "support/catch.hpp"

namespace tn = tartan;

namespace {

struct nothing {
  bool operator==(nothing const&) const = default;
};

struct point {
  double x;
  double y;
  bool operator==(point const&) const = default;
};

struct record {
  std::string name;
  std::vector<point> points;
  std::map<std::string, int> tags;
  std::optional<long> born;
  point home;
  bool operator==(record const&) const = default;
};

struct legacy {
  char name[16];
  int values[4];
  std::uint8_t flags;
};

struct mixed_array {
  std::string lines[3];
  int n;
};

struct tree {
  int value;
  std::vector<tree> children;
  bool operator==(tree const&) const = default;
};

class account {
 public:
  account() = default;
  account(std::string owner, long cents) : owner_(std::move(owner)), cents_(cents) {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(owner_, cents_);
  }
  bool operator==(account const&) const = default;

 private:
  std::string owner_;
  long cents_ = 0;
};

class measured {
 public:
  measured() = default;
  explicit measured(float v) : value_(v) {}
  template <class Archive>
  friend void serialize(Archive& archive, measured& m) {
    archive & m.value_;
  }
  bool operator==(measured const&) const = default;

 private:
  float value_ = 0;
};

class money {
 public:
  explicit money(long cents) : cents_(cents) {}
  bool operator==(money const&) const = default;

 private:
  long cents_;
};

class no_default {
 public:
  explicit no_default(int v) : value(v) {}
  int value;
  std::string note = "note";
  bool operator==(no_default const&) const = default;
};

struct move_only {
  explicit move_only(int v) : value(v) {}
  move_only(move_only&&) = default;
  move_only& operator=(move_only&&) = default;
  int value;
};

struct more_than_a_vector : std::vector<int> {
  int extra = 0;
};
class hidden_vector : public std::vector<int> {
 public:
  hidden_vector() {}
  [[nodiscard]] int extra() const { return extra_; }

 private:
  int extra_ = 0;
};

struct with_pointer {
  int a;
  int const* p;
};
struct with_view {
  int a;
  std::string_view text;
};
struct with_reference {
  int& r;
};
struct deep {
  std::vector<std::pair<int, with_pointer>> all;
};
struct derived_point : point {
  int z;
};
union either {
  int i;
  float f;
};
class secretive {
 public:
  explicit secretive(int v) : v_(v) {}
  [[nodiscard]] int get() const { return v_; }

 private:
  int v_;
};

template <class T>
T round_trip(T const& value) {
  return tn::detail::decode<T>(tn::detail::encode(value));
}

template <class T>
void check_round_trip(T const& value) {
  CHECK(round_trip(value) == value);
}

// Whatever the bytes are, decoding gives a value or bad_frame (or the container's own refusal of memory).
template <class T>
void survives(std::vector<std::byte> const& bytes) {
  try {
    (void)tn::detail::decode<T>(bytes);
  } catch (tn::bad_frame const&) {
  }
}

template <class T>
void fuzz(T const& value) {
  auto const good = tn::detail::encode(value);
  for (std::size_t n = 0; n < good.size(); ++n) {
    auto shorter = good;
    shorter.resize(n);
    CHECK_THROWS_AS(tn::detail::decode<T>(shorter), tn::bad_frame);
  }
  auto longer = good;
  longer.push_back(std::byte{1});
  CHECK_THROWS_AS(tn::detail::decode<T>(longer), tn::bad_frame);
  std::mt19937 random(12345);
  for (int i = 0; i != 2000; ++i) {
    auto bad = good;
    for (int k = 0; k != 3; ++k) bad[random() % bad.size()] = static_cast<std::byte>(random());
    survives<T>(bad);
  }
}

}  // namespace

template <>
inline constexpr bool tartan::enable_shipping<money> = true;

template <>
struct tartan::codec<no_default> {
  static std::size_t size(no_default const& x) { return sizeof(int) + codec<std::string>::size(x.note); }
  static void write(frame_writer& out, no_default const& x) {
    out.raw(x.value);
    codec<std::string>::write(out, x.note);
  }
  static no_default read(frame_reader& in) {
    no_default x(in.raw<int>());
    x.note = codec<std::string>::read(in);
    return x;
  }
};

template <>
struct tartan::codec<move_only> {
  static std::size_t size(move_only const&) { return sizeof(int); }
  static void write(frame_writer& out, move_only const& x) { out.raw(x.value); }
  static move_only read(frame_reader& in) { return move_only(in.raw<int>()); }
};

TEST_CASE("codec: values come back equal") {
  check_round_trip(0);
  check_round_trip(std::numeric_limits<std::uint64_t>::max());
  check_round_trip(-1.5);
  check_round_trip(true);
  check_round_trip('x');
  check_round_trip(std::byte{7});
  check_round_trip(std::memory_order_acquire);
  check_round_trip(std::chrono::milliseconds(5));
  check_round_trip(std::chrono::steady_clock::now());
  check_round_trip(std::complex<double>(1, -2));
  check_round_trip(std::string());
  check_round_trip(std::string("with \0 inside", 13));
  check_round_trip(std::u16string(u"\u20ac"));
  check_round_trip(std::filesystem::path("/tmp/a b"));
  check_round_trip(nothing{});
  check_round_trip(point{1, 2});
  check_round_trip(money(12));
  check_round_trip(std::monostate{});
}

TEST_CASE("codec: containers and composites come back equal") {
  check_round_trip(std::vector<int>{});
  check_round_trip(std::vector<int>{1, 2, 3});
  check_round_trip(std::vector<bool>{true, false, true});
  check_round_trip(std::vector<std::string>{"a", "", "ccc"});
  check_round_trip(std::vector<nothing>(3));
  check_round_trip(std::vector<std::vector<double>>{{1}, {}, {2, 3}});
  check_round_trip(std::vector<money>{money(1), money(2)});
  check_round_trip(std::deque<short>{1, 2});
  check_round_trip(std::list<std::string>{"x", "y"});
  check_round_trip(std::set<int>{3, 1});
  check_round_trip(std::multimap<int, std::string>{{1, "a"}, {1, "b"}});
  check_round_trip(std::unordered_map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  check_round_trip(std::pair<int, std::string>(1, "one"));
  check_round_trip(std::tuple<int, double, std::string>(1, 2, "three"));
  check_round_trip(std::tuple<>());
  check_round_trip(std::array<int, 3>{1, 2, 3});
  check_round_trip(std::array<std::string, 2>{"a", "b"});
  check_round_trip(std::array<int, 0>{});
  check_round_trip(std::optional<int>());
  check_round_trip(std::optional<std::string>("there"));
  check_round_trip(std::variant<int, std::string>(std::string("second")));
  check_round_trip(record{"r", {{1, 2}, {3, 4}}, {{"k", 1}}, 1970, {5, 6}});
  check_round_trip(tree{1, {{2, {}}, {3, {{4, {}}}}}});
  check_round_trip(account("a", 100));
  check_round_trip(std::vector<account>{{"a", 1}, {"b", 2}});
  check_round_trip(measured(2.5f));
  check_round_trip(no_default(3));
  check_round_trip(std::vector<no_default>{no_default(1), no_default(2)});
  CHECK(round_trip(move_only(4)).value == 4);
}

TEST_CASE("codec: built-in arrays inside of aggregates") {
  legacy const out{"name", {1, 2, 3, 4}, 7};
  auto const in = round_trip(out);
  CHECK(std::string_view(in.name) == "name");
  CHECK(in.values[3] == 4);
  CHECK(in.flags == 7);
  mixed_array lines{{"a", "b", "c"}, 3};
  auto const back = round_trip(lines);
  CHECK(back.lines[2] == "c");
  CHECK(back.n == 3);
}

TEST_CASE("codec: unaligned bytes of a block are read all the same") {
  using value = std::tuple<char, std::vector<double>>;
  value const v('x', {1.5, 2.5});
  CHECK(round_trip(v) == v);
}

TEST_CASE("codec: plain aggregates and blocks cost no more than their bytes") {
  CHECK(tn::detail::encode(point{1, 2}).size() == sizeof(point));
  CHECK(tn::detail::encode(std::vector<point>(10)).size() == 8 + 10 * sizeof(point));
  CHECK(tn::detail::encode(legacy{}).size() == sizeof(legacy));
}

TEST_CASE("codec: what may travel") {
  STATIC_REQUIRE(tn::shippable<int>);
  STATIC_REQUIRE(tn::shippable<std::string>);
  STATIC_REQUIRE(tn::shippable<record>);
  STATIC_REQUIRE(tn::shippable<tree>);
  STATIC_REQUIRE(tn::shippable<legacy>);
  STATIC_REQUIRE(tn::shippable<account>);
  STATIC_REQUIRE(tn::shippable<money>);
  STATIC_REQUIRE(tn::shippable<std::plus<>>);
  STATIC_REQUIRE(tn::shippable<double point::*>);
  auto const captureless = [](int x) { return x; };
  STATIC_REQUIRE(tn::shippable<std::remove_const_t<decltype(captureless)>>);
}

TEST_CASE("codec: what may not") {
  int local = 1;
  auto const by_reference = [&local] { return local; };
  auto const by_value = [local] { return local; };
  (void)by_reference;
  (void)by_value;
  STATIC_REQUIRE_FALSE(tn::shippable<int*>);
  STATIC_REQUIRE_FALSE(tn::shippable<char const*>);
  STATIC_REQUIRE_FALSE(tn::shippable<int&>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::nullptr_t>);
  STATIC_REQUIRE_FALSE(tn::shippable<int (nothing::*)()>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::string_view>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::span<int>>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::unique_ptr<int>>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::shared_ptr<int>>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::function<int()>>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::vector<int*>>);
  STATIC_REQUIRE_FALSE(tn::shippable<with_pointer>);
  STATIC_REQUIRE_FALSE(tn::shippable<with_view>);
  STATIC_REQUIRE_FALSE(tn::shippable<with_reference>);
  STATIC_REQUIRE_FALSE(tn::shippable<deep>);
  STATIC_REQUIRE_FALSE(tn::shippable<derived_point>);
  STATIC_REQUIRE_FALSE(tn::shippable<either>);
  STATIC_REQUIRE_FALSE(tn::shippable<secretive>);
  STATIC_REQUIRE_FALSE(tn::shippable<more_than_a_vector>);
  STATIC_REQUIRE_FALSE(tn::shippable<hidden_vector>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::reference_wrapper<int>>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::remove_const_t<decltype(by_reference)>>);
  STATIC_REQUIRE_FALSE(tn::shippable<std::remove_const_t<decltype(by_value)>>);
  STATIC_REQUIRE(tn::detail::refusal_of<deep>() == tn::detail::form::pointer);
  STATIC_REQUIRE(tn::detail::refusal_of<with_view>() == tn::detail::form::view);
  STATIC_REQUIRE(tn::detail::refusal_of<std::remove_const_t<decltype(by_value)>>() == tn::detail::form::capture);
}

TEST_CASE("codec: malformed bytes give a typed error and touch nothing outside") {
  fuzz(std::string("some text"));
  fuzz(std::vector<std::string>{"a", "bb", "ccc"});
  fuzz(record{"r", {{1, 2}, {3, 4}}, {{"k", 1}}, 1970, {5, 6}});
  fuzz(tree{1, {{2, {}}, {3, {{4, {}}}}}});
  fuzz(std::variant<int, std::string>(std::string("second")));
  fuzz(std::vector<bool>{true, false});
  fuzz(std::vector<nothing>(3));
}

TEST_CASE("codec: a codec that lies about its size is told so") {
  std::vector<std::byte> room(3);
  tn::frame_writer out(room.data(), room.size());
  CHECK_THROWS_AS(out.raw(1.0), tn::bad_frame);
}
