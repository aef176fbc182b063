#include "tartan/cereal.hpp"

#include "support/process_main.hpp"

#if !defined(TARTAN_CEREAL)

TEST_CASE("cereal") { WARN("skipped: cereal is not installed (Debian: libcereal-dev), so its adapter is empty"); }

#else

#include <bitset>
#include <cereal/types/base_class.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tartan/algorithms/map.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;

// Private members, names, and a constructor for cereal alone.
class account {
 public:
  account() = default;
  account(std::string owner, std::vector<double> amounts) : owner_(std::move(owner)), amounts_(std::move(amounts)) {}
  [[nodiscard]] double total() const {
    double sum = 0;
    for (double const a : amounts_) sum += a;
    return sum;
  }
  friend bool operator==(account const&, account const&) = default;

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(owner_), CEREAL_NVP(amounts_));
  }
  std::string owner_;
  std::vector<double> amounts_;
};

// Written one way, read another.
class celsius {
 public:
  explicit celsius(double degrees = 0) : degrees_(degrees) {}
  [[nodiscard]] double degrees() const { return degrees_; }
  template <class Archive>
  void save(Archive& archive, std::uint32_t const version) const {
    archive(version == 1 ? degrees_ + 273.15 : degrees_);
  }
  template <class Archive>
  void load(Archive& archive, std::uint32_t const version) {
    archive(degrees_);
    if (version == 1) degrees_ -= 273.15;
  }

 private:
  double degrees_;
};

struct shape {
  int id = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(id);
  }
};
struct circle : shape {
  double radius = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<shape>(this), radius);
  }
};

// Functions beside the class.
class point {
 public:
  point() = default;
  point(int its_x, int its_y) : x(its_x), y(its_y) {}
  int x = 0, y = 0;
};
template <class Archive>
void save(Archive& archive, point const& p) {
  archive(p.x, p.y);
}
template <class Archive>
void load(Archive& archive, point& p) {
  archive(p.x, p.y);
}

// An aggregate that tartan takes apart, with a part for cereal.
struct node {
  int value = 0;
  std::unique_ptr<int> extra;
  std::vector<account> accounts;
};

template <class T>
T there_and_back(T const& value) {
  auto const bytes = tn::detail::encode(value);
  tn::frame_reader in(bytes.data(), bytes.size());
  T again = tn::detail::decode_from<T>(in);
  CHECK(in.left() == 0);
  for (std::size_t n = 0; n < bytes.size(); n += 1 + n / 7) {
    tn::frame_reader cut(bytes.data(), n);
    CHECK_THROWS_AS(tn::detail::decode_from<T>(cut), tn::bad_frame);
  }
  return again;
}

}  // namespace

CEREAL_CLASS_VERSION(celsius, 1)

TEST_CASE("cereal: types with a cereal function travel; what tartan knows goes its own way") {
  static_assert(tn::detail::by_cereal<account> && tn::detail::by_cereal<celsius> && tn::detail::by_cereal<circle>);
  static_assert(tn::detail::by_cereal<point> && tn::detail::by_cereal<std::unique_ptr<int>>);
  static_assert(!tn::detail::by_cereal<std::vector<double>> && !tn::detail::by_cereal<std::string>);
  static_assert(!tn::detail::by_cereal<node> && tn::shippable<node>);
  static_assert(!tn::shippable<std::vector<int*>>);

  account const a("ann", {1.5, 2.5});
  CHECK(there_and_back(a) == a);
  CHECK(there_and_back(celsius(20)).degrees() > 19.99);
  circle c;
  c.id = 3;
  c.radius = 2.5;
  auto const again = there_and_back(c);
  CHECK(again.id == 3);
  CHECK(again.radius == 2.5);
  CHECK(there_and_back(point(1, -2)).y == -2);
  CHECK(there_and_back(std::bitset<70>(5)) == std::bitset<70>(5));
  auto const shared = there_and_back(std::make_shared<std::string>("shared"));
  CHECK(*shared == "shared");
  CHECK(there_and_back(std::shared_ptr<std::string>()) == nullptr);
}

TEST_CASE("cereal: through worker processes and back") {
  std::vector<account> const accounts{{"ann", {1, 2}}, {"bob", {}}, {"cyd", std::vector<double>(100'000, 0.5)}};
  auto const p = tn::processes.workers(2);
  CHECK(tn::map(p, accounts, [](account const& a) { return a.total(); }) == std::vector<double>{3, 0, 50'000});
  CHECK(tn::map(p, accounts, [](account const& a) { return a; }) == accounts);

  std::vector<node> nodes(2);
  nodes[0].extra = std::make_unique<int>(7);
  nodes[0].accounts = accounts;
  auto const found =
      tn::map(p, nodes, [](node const& n) { return n.extra ? *n.extra + static_cast<int>(n.accounts.size()) : -1; });
  CHECK(found == std::vector<int>{10, -1});
}

#endif
