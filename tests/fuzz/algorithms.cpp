// Algorithms with a comparator that answers whatever the input says: nothing is lost, nothing is read or written
// outside, and with an honest comparator the result is that of the standard library. Built for libFuzzer where the
// compiler has it (then the input grows by what it reaches), otherwise fed by driver.cpp.
#include <tartan/by_key.hpp>
#include <tartan/fill.hpp>
#include <tartan/merge.hpp>
#include <tartan/nth_element.hpp>
#include <tartan/set_operations.hpp>
#include <tartan/shuffle.hpp>
#include <tartan/sort.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tn = tartan;

namespace {

void require(bool condition, char const* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

/// The bytes of the input, one after the other; zeros behind its end.
class reader {
 public:
  reader(std::uint8_t const* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t next() { return at_ < size_ ? data_[at_++] : std::uint8_t{0}; }
  std::vector<std::uint8_t> rest() {
    std::vector<std::uint8_t> all(data_ + (std::min)(at_, size_), data_ + size_);
    at_ = size_;
    return all;
  }

 private:
  std::uint8_t const* data_;
  std::size_t size_, at_ = 0;
};

struct element {  // owns memory, so that a lost or doubled one is seen
  std::unique_ptr<int> value;
  int tag;
  element(int v, int t) : value(std::make_unique<int>(v)), tag(t) {}
  element(element const& other) : element(*other.value, other.tag) {}
  element(element&&) noexcept = default;
  element& operator=(element const& other) { return *this = element(other); }
  element& operator=(element&&) noexcept = default;
};

std::vector<element> elements(std::vector<std::uint8_t> const& bytes, std::size_t repeat, int first_tag) {
  std::vector<element> v;
  for (std::size_t r = 0; r != repeat; ++r)
    for (std::uint8_t const b : bytes) v.emplace_back(b * static_cast<int>(r % 3 + 1), first_tag++);
  return v;
}

void require_all(std::vector<element> const& v, std::size_t n) {
  require(v.size() == n, "the number of elements has changed");
  std::vector<bool> seen(n);
  for (element const& e : v) {
    require(e.value != nullptr, "an element is empty");
    auto const tag = static_cast<std::size_t>(e.tag);
    require(tag < n && !seen[tag], "an element is there twice");
    seen[tag] = true;
  }
}

/// Answers as the bytes say, round and round; perhaps throws at one call.
class liar {
 public:
  liar(std::vector<std::uint8_t> answers, std::uint64_t throws_at)
      : answers_(std::move(answers)), throws_at_(throws_at) {}
  bool operator()(element const& a, element const& b) {
    require(a.value != nullptr && b.value != nullptr, "a comparison sees an element that was moved away");
    std::uint64_t const call = calls_.fetch_add(1, std::memory_order_relaxed);  // relaxed: only a number
    if (call == throws_at_) throw std::runtime_error("enough");
    return answers_.empty() || (answers_[call / 8 % answers_.size()] >> call % 8 & 1) != 0;
  }

 private:
  std::vector<std::uint8_t> answers_;
  std::uint64_t throws_at_;
  std::atomic<std::uint64_t> calls_{0};
};

template <class F>
void unless_it_throws(F f) {
  try {
    f();
  } catch (std::runtime_error const&) {
  }
}

template <class P>
void with_a_liar(P const& policy, std::uint8_t what, std::vector<element> v, liar& lies) {
  std::size_t const n = v.size(), half = n / 2;
  auto const order = std::ref(lies);
  std::vector<element> const left(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(half)),
      right(v.begin() + static_cast<std::ptrdiff_t>(half), v.end());
  unless_it_throws([&] {
    if (what == 0) tn::sort(policy, v, order);
    if (what == 1) tn::nth_element(policy, v, v.begin() + static_cast<std::ptrdiff_t>(n / 3), order);
    if (what == 2) require_all(tn::merge(policy, left, right, order), n);
    if (what == 3) require(tn::set_union(policy, left, right, order).size() <= n, "a union is too long");
    if (what == 4) require(tn::set_intersection(policy, left, right, order).size() <= half, "too many in common");
    if (what == 5) require(tn::set_symmetric_difference(policy, left, right, order).size() <= n, "too many differ");
    if (what == 6) tn::stable_sort(policy, v, order);
  });
  require_all(v, n);
}

/// The same as the standard library, for strings of bytes.
template <class P>
void honestly(P const& policy, std::uint8_t what, std::vector<std::uint8_t> const& bytes, std::size_t repeat) {
  std::vector<std::string> v;
  for (std::size_t r = 0; r != repeat; ++r)
    for (std::size_t i = 0; i < bytes.size(); i += bytes[i] % 9 + 1U)
      v.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     bytes.begin() + static_cast<std::ptrdiff_t>((std::min)(bytes.size(), i + bytes[i] % 9)));
  auto sorted = v;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> const other(sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 3), sorted.end());
  std::vector<std::string> expected;
  auto const out = std::back_inserter(expected);
  if (what == 0) {
    tn::sort(policy, v);
    require(v == sorted, "sort");
  } else if (what == 1) {
    std::merge(sorted.begin(), sorted.end(), other.begin(), other.end(), out);
    require(tn::merge(policy, sorted, other) == expected, "merge");
  } else if (what == 2) {
    std::set_union(sorted.begin(), sorted.end(), other.begin(), other.end(), out);
    require(tn::set_union(policy, sorted, other) == expected, "set_union");
  } else if (what == 3) {
    std::set_difference(sorted.begin(), sorted.end(), other.begin(), other.end(), out);
    require(tn::set_difference(policy, sorted, other) == expected, "set_difference");
  } else if (what == 4 && !v.empty()) {
    tn::nth_element(policy, v, v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2));
    require(v[v.size() / 2] == sorted[v.size() / 2], "nth_element");
  } else if (what == 5) {
    std::map<std::string, std::vector<std::string>> groups;
    for (std::string const& s : v) groups[s.substr(0, 1)].push_back(s);
    auto const first = [](std::string const& s) { return std::string_view(s).substr(0, 1); };
    require(tn::group_by(policy, v, first, tn::sorted_by_key) == groups, "group_by");
    require(tn::count_by(policy, v, std::identity{}).size() ==
                static_cast<std::size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin()),
            "count_by");
  } else {
    tn::shuffle(policy, v, repeat);
    std::sort(v.begin(), v.end());
    require(v == sorted, "shuffle");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  reader in(data, size);
  std::uint8_t const what = in.next(), shape = in.next();
  std::uint64_t const throws_at = shape % 4 == 0 ? in.next() * (in.next() + 1U) : ~std::uint64_t{0};
  // Few bytes become many elements now and then, beyond the lengths at which algorithms begin to share work.
  std::size_t const repeat = shape % 16 == 1 ? 64 : shape % 3 + 1U;
  auto const bytes = in.rest();
  auto const with = [&](auto const& policy) {
    if (what % 2 == 0) {
      liar lies(bytes, throws_at);
      with_a_liar(policy, what / 2 % 7, elements(bytes, repeat, 0), lies);
    } else {
      honestly(policy, what / 2 % 7, bytes, repeat);
    }
  };
  if (shape % 2 == 0)
    with(tn::seq);
  else
    with(tn::par.workers(2));
  return 0;
}
