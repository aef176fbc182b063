// Compares the explorer with the axioms of C++20, written down a second time and naively: random straight-line programs
// are run by both, and the explorer must visit exactly the consistent executions, each once.

#include <algorithm>   // next_permutation, sort
#include <cstdint>     // uint64_t
#include <cstdio>      // printf, snprintf
#include <cstdlib>     // atoi, getenv
#include <functional>  // function
#include <set>         // set
#include <string>      // string, to_string
#include <vector>      // vector

#include "atomics.hpp"  // model::atomic, thread_fence

namespace {

enum class kind { load, store, add, cas, fence, light, heavy };

struct instruction {
  kind what;
  int where;  // location
  std::memory_order order, failure;
  int value, expected;
};
using program = std::vector<std::vector<instruction>>;

constexpr int locations = 2;
using enum std::memory_order;

// ---- the axioms, over boolean matrices ---------------------------------------------------------------------------

struct matrix {
  explicit matrix(std::size_t size) : n(size), cells(size * size, false) {}
  std::vector<bool>::reference operator()(std::size_t i, std::size_t j) { return cells[i * n + j]; }
  bool operator()(std::size_t i, std::size_t j) const { return cells[i * n + j]; }
  void close() {
    for (std::size_t k = 0; k != n; ++k)
      for (std::size_t i = 0; i != n; ++i)
        for (std::size_t j = 0; j != n; ++j)
          if (cells[i * n + k] && cells[k * n + j]) cells[i * n + j] = true;
  }
  [[nodiscard]] bool reflexive_somewhere() const {
    for (std::size_t i = 0; i != n; ++i)
      if (cells[i * n + i]) return true;
    return false;
  }
  std::size_t n;
  std::vector<bool> cells;
};
matrix operator*(matrix const& a, matrix const& b) {
  matrix c(a.n);
  for (std::size_t i = 0; i != a.n; ++i)
    for (std::size_t k = 0; k != a.n; ++k)
      if (a(i, k))
        for (std::size_t j = 0; j != a.n; ++j)
          if (b(k, j)) c(i, j) = true;
  return c;
}
matrix operator|(matrix a, matrix const& b) {
  for (std::size_t k = 0; k != a.cells.size(); ++k) a.cells[k] = a.cells[k] || b.cells[k];
  return a;
}

bool acquires(std::memory_order o) { return o == acquire || o == acq_rel || o == seq_cst; }
bool releases(std::memory_order o) { return o == release || o == acq_rel || o == seq_cst; }

/// One candidate execution: nodes 0 .. locations - 1 are the initial writes.
struct candidate {
  program const& p;
  std::vector<std::pair<int, int>> nodes;  // (thread, index); initial writes have thread -1
  std::vector<int> source;                 // of reads, else -1
  std::vector<int> value;                  // written or read
  std::vector<bool> writes, reads;
  std::vector<std::vector<int>> order;  // modification order of each location

  [[nodiscard]] instruction const* code(std::size_t k) const {
    auto const [t, i] = nodes[k];
    return t < 0 ? nullptr : &p[static_cast<std::size_t>(t)][static_cast<std::size_t>(i)];
  }
  [[nodiscard]] int location(std::size_t k) const { return code(k) == nullptr ? nodes[k].second : code(k)->where; }
  [[nodiscard]] bool is_fence(std::size_t k) const {
    return code(k) != nullptr &&
           (code(k)->what == kind::fence || code(k)->what == kind::light || code(k)->what == kind::heavy);
  }
  [[nodiscard]] std::memory_order order_of(std::size_t k) const {
    auto const* const c = code(k);
    if (c == nullptr) return relaxed;
    return c->what == kind::cas && !writes[k] ? c->failure : c->order;
  }
};

bool consistent(candidate const& c) {
  std::size_t const n = c.nodes.size();
  matrix sb(n), rf(n), mo(n), rb(n), sw(n), same(n);
  for (std::size_t i = 0; i != n; ++i)
    for (std::size_t j = 0; j != n; ++j) {
      if (c.nodes[i].first < 0 && c.nodes[j].first >= 0) sb(i, j) = true;
      if (c.nodes[i].first >= 0 && c.nodes[i].first == c.nodes[j].first && c.nodes[i].second < c.nodes[j].second)
        sb(i, j) = true;
    }
  for (auto const& order : c.order)
    for (std::size_t i = 0; i != order.size(); ++i)
      for (std::size_t j = i + 1; j < order.size(); ++j)
        mo(static_cast<std::size_t>(order[i]), static_cast<std::size_t>(order[j])) = true;
  for (std::size_t r = 0; r != n; ++r)
    if (c.source[r] >= 0) {
      auto const w = static_cast<std::size_t>(c.source[r]);
      rf(w, r) = true;
      for (std::size_t x = 0; x != n; ++x)
        if (mo(w, x) && x != r) rb(r, x) = true;
      if (c.writes[r]) {  // read-modify-write: nothing between
        if (!mo(w, r)) return false;
        for (std::size_t x = 0; x != n; ++x)
          if (mo(w, x) && mo(x, r)) return false;
      }
    }
  // synchronizes-with
  for (std::size_t r = 0; r != n; ++r) {
    if (c.source[r] < 0) continue;
    std::vector<std::size_t> heads{static_cast<std::size_t>(c.source[r])};
    while (c.source[heads.back()] >= 0) heads.push_back(static_cast<std::size_t>(c.source[heads.back()]));
    std::vector<std::size_t> to;
    if (acquires(c.order_of(r))) to.push_back(r);
    for (std::size_t f = 0; f != n; ++f)
      if (c.is_fence(f) && c.code(f)->what != kind::light && acquires(c.order_of(f)) && sb(r, f)) to.push_back(f);
    for (std::size_t h : heads) {
      if (c.nodes[h].first < 0) continue;
      std::vector<std::size_t> from;
      if (releases(c.order_of(h))) from.push_back(h);
      for (std::size_t f = 0; f != n; ++f)
        if (c.is_fence(f) && c.code(f)->what != kind::light && releases(c.order_of(f)) && sb(f, h)) from.push_back(f);
      for (std::size_t a : from)
        for (std::size_t b : to)
          if (c.nodes[a].first != c.nodes[b].first) sw(a, b) = true;
    }
  }
  matrix causes = sb | rf;
  causes.close();
  if (causes.reflexive_somewhere()) return false;
  matrix hb = sb | sw;
  hb.close();
  if (hb.reflexive_somewhere()) return false;
  matrix eco = rf | mo | rb;
  eco.close();
  if (eco.reflexive_somewhere() || (hb * eco).reflexive_somewhere()) return false;

  matrix strong = sb | (sb * sb) | (sb * hb * sb);
  auto const sc = [&](std::size_t k) { return c.nodes[k].first >= 0 && c.order_of(k) == seq_cst; };
  for (std::size_t i = 0; i != n; ++i)
    for (std::size_t j = 0; j != n; ++j)
      if (sw(i, j) && sc(i) && sc(j)) strong(i, j) = true;
  strong.close();
  matrix total(n);
  matrix const after = hb * eco, before = eco * hb, both = hb * eco * hb;
  for (std::size_t i = 0; i != n; ++i)
    for (std::size_t j = 0; j != n; ++j) {
      if (i == j || !sc(i) || !sc(j)) continue;
      bool const fi = c.is_fence(i), fj = c.is_fence(j);
      bool const li = fi && c.code(i)->what == kind::light, lj = fj && c.code(j)->what == kind::light;
      bool const hi = fi && c.code(i)->what == kind::heavy, hj = fj && c.code(j)->what == kind::heavy;
      if ((li && !hj) || (lj && !hi)) continue;
      if (strong(i, j) || (!fi && !fj && eco(i, j)) || (fi && !fj && after(i, j)) || (!fi && fj && before(i, j)) ||
          (fi && fj && both(i, j)))
        total(i, j) = true;
    }
  for (std::size_t i = 0; i != n; ++i)
    if (sc(i) && ((c.is_fence(i) && both(i, i)))) return false;
  total.close();
  return !total.reflexive_somewhere();
}

std::string name(std::pair<int, int> node) {
  return node.first < 0 ? "i" + std::to_string(node.second)
                        : std::to_string(node.first) + "." + std::to_string(node.second);
}

std::string signature(candidate const& c) {
  std::string s;
  for (std::size_t k = 0; k != c.nodes.size(); ++k)
    if (c.source[k] >= 0) s += name(c.nodes[k]) + "<" + name(c.nodes[static_cast<std::size_t>(c.source[k])]) + " ";
  for (auto const& order : c.order) {
    s += "|";
    for (int w : order) s += name(c.nodes[static_cast<std::size_t>(w)]) + " ";
  }
  return s;
}

std::set<std::string> enumerate(program const& p) {
  candidate c{p, {}, {}, {}, {}, {}, std::vector<std::vector<int>>(locations)};
  for (int l = 0; l != locations; ++l) c.nodes.push_back({-1, l});
  for (int t = 0; t != static_cast<int>(p.size()); ++t)
    for (int i = 0; i != static_cast<int>(p[static_cast<std::size_t>(t)].size()); ++i) c.nodes.push_back({t, i});
  std::size_t const n = c.nodes.size();
  c.source.assign(n, -1);
  c.value.assign(n, 0);
  c.writes.assign(n, false);
  c.reads.assign(n, false);
  std::set<std::string> found;

  std::function<void(std::size_t)> const orders = [&](std::size_t l) {
    if (l == locations) {
      if (consistent(c)) found.insert(signature(c));
      return;
    }
    std::vector<int> ws;
    for (std::size_t k = locations; k != n; ++k)
      if (c.writes[k] && c.location(k) == static_cast<int>(l)) ws.push_back(static_cast<int>(k));
    std::sort(ws.begin(), ws.end());
    do {
      c.order[l] = {static_cast<int>(l)};
      c.order[l].insert(c.order[l].end(), ws.begin(), ws.end());
      orders(l + 1);
    } while (std::next_permutation(ws.begin(), ws.end()));
  };
  auto const evaluate = [&] {  // values along program order and reads-from; false when that is cyclic
    std::vector<int> state(n, 0);
    std::function<bool(std::size_t)> const visit = [&](std::size_t k) {
      if (state[k] == 2) return true;
      if (state[k] == 1) return false;
      state[k] = 1;
      auto const* const code = c.code(k);
      if (code == nullptr) {
        c.writes[k] = true;
        c.value[k] = 0;
      } else {
        if (c.nodes[k].second > 0 && !visit(k - 1)) return false;
        int seen = 0;
        if (c.source[k] >= 0) {
          auto const w = static_cast<std::size_t>(c.source[k]);
          if (!visit(w)) return false;
          if (!c.writes[w]) return false;
          seen = c.value[w];
        }
        c.writes[k] =
            code->what == kind::store || code->what == kind::add || (code->what == kind::cas && seen == code->expected);
        c.value[k] = code->what == kind::add ? seen + code->value : code->what == kind::load ? seen : code->value;
      }
      state[k] = 2;
      return true;
    };
    for (std::size_t k = 0; k != n; ++k)
      if (!visit(k)) return false;
    return true;
  };
  std::function<void(std::size_t)> const sources = [&](std::size_t k) {
    if (k == n) {
      if (evaluate()) orders(0);
      return;
    }
    auto const what = c.code(k)->what;
    if (what != kind::load && what != kind::add && what != kind::cas) return sources(k + 1);
    for (std::size_t w = 0; w != n; ++w) {
      auto const* const code = c.code(w);
      bool const may_write =
          code == nullptr || code->what == kind::store || code->what == kind::add || code->what == kind::cas;
      if (w == k || !may_write || c.location(w) != c.location(k)) continue;
      c.source[k] = static_cast<int>(w);
      sources(k + 1);
    }
    c.source[k] = -1;
  };
  sources(locations);
  return found;
}

// ---- the same program in the explorer ----------------------------------------------------------------------------

void run(std::vector<instruction> const& code, std::vector<model::atomic<int>*> const& at) {
  for (instruction const& i : code) switch (i.what) {
      case kind::load:
        at[static_cast<std::size_t>(i.where)]->load(i.order);
        break;
      case kind::store:
        at[static_cast<std::size_t>(i.where)]->store(i.value, i.order);
        break;
      case kind::add:
        at[static_cast<std::size_t>(i.where)]->fetch_add(i.value, i.order);
        break;
      case kind::cas: {
        int expected = i.expected;
        at[static_cast<std::size_t>(i.where)]->compare_exchange_strong(expected, i.value, i.order, i.failure);
        break;
      }
      case kind::fence:
        model::thread_fence(i.order);
        break;
      case kind::light:
        model::atomics::light_fence(true);
        break;
      case kind::heavy:
        model::atomics::heavy_fence(true);
        break;
    }
}

std::string signature(model::graph const& g) {
  auto const named = [&](model::event_ref e) -> std::string {
    if (g.at(e).kind == model::op::init) return "i" + std::to_string(g.at(e).location);
    int index = 0;
    for (std::int16_t i = 1; i < e.index; ++i)
      if (g.at({e.thread, i}).kind != model::op::rmw_write) ++index;
    if (g.at(e).kind == model::op::rmw_write) --index;
    return std::to_string(e.thread - 1) + "." + std::to_string(index);
  };
  std::string s;
  for (std::int16_t t = 1; t != model::max_threads; ++t)
    for (std::int16_t i = 0; i != static_cast<std::int16_t>(g.threads[static_cast<std::size_t>(t)].size()); ++i)
      if (g.at({t, i}).source.thread >= 0) s += named({t, i}) + "<" + named(g.at({t, i}).source) + " ";
  for (auto const& l : g.locations) {
    s += "|";
    for (auto const w : l.writes) s += named(w) + " ";
  }
  return s;
}

// ---- random programs ---------------------------------------------------------------------------------------------

struct dice {
  std::uint64_t state;
  int roll(int n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<int>((state >> 11) % static_cast<std::uint64_t>(n));
  }
};

program random_program(dice& d) {
  program p(static_cast<std::size_t>(2 + d.roll(2)));
  int const budget = p.size() == 2 ? 4 : 3;
  int const style = d.roll(4);  // all orders; mostly seq_cst; fences; asymmetric fences
  int next_value = 1;
  for (auto& thread : p) {
    int const length = 1 + d.roll(budget);
    for (int k = 0; k != length; ++k) {
      instruction i{};
      int const what = d.roll(style >= 2 ? 12 : 9);
      i.what = what < 3     ? kind::load
               : what < 6   ? kind::store
               : what < 7   ? kind::add
               : what < 8   ? kind::cas
               : style == 3 ? (d.roll(2) != 0   ? kind::light
                               : d.roll(3) != 0 ? kind::heavy
                                                : kind::fence)
                            : kind::fence;
      i.where = d.roll(locations);
      i.value = next_value++;
      i.expected = d.roll(next_value);
      static constexpr std::memory_order loads[] = {relaxed, acquire, seq_cst}, stores[] = {relaxed, release, seq_cst},
                                         all[] = {relaxed, acquire, release, acq_rel, seq_cst};
      bool const sc = style == 1 && d.roll(4) != 0;
      bool const lax = style >= 2 && d.roll(3) != 0;
      i.order = i.what == kind::load ? loads[d.roll(3)] : i.what == kind::store ? stores[d.roll(3)] : all[d.roll(5)];
      if (i.what == kind::fence) i.order = all[1 + d.roll(4)];
      if (lax && i.what != kind::fence) i.order = relaxed;
      i.failure = loads[d.roll(3)];
      if (sc || i.what == kind::light || i.what == kind::heavy ||
          (style >= 2 && i.what == kind::fence && d.roll(3) != 0))
        i.order = seq_cst;
      thread.push_back(i);
    }
  }
  return p;
}

void print(program const& p) {
  static char const* const names[] = {"load", "store", "add", "cas", "fence", "light", "heavy"};
  for (auto const& thread : p) {
    for (auto const& i : thread)
      std::printf("  %s %c %d (%d) %s/%s;", names[static_cast<int>(i.what)], 'x' + i.where, i.value, i.expected,
                  model::name_of(i.order).c_str(), model::name_of(i.failure).c_str());
    std::printf("\n");
  }
}

bool agree(program const& p, std::uint64_t& executions) {
  std::set<std::string> visited;
  bool twice = false;
  model::result const r = model::explore(
      [&] {
        model::atomic<int> x{0}, y{0};
        std::vector<model::atomic<int>*> const at{&x, &y};
        std::vector<std::function<void()>> threads;
        for (auto const& code : p) threads.push_back([&code, &at] { run(code, at); });
        model::parallel(threads);
      },
      {}, [&](model::graph const& g) { twice = !visited.insert(signature(g)).second || twice; });
  executions += r.executions;
  std::set<std::string> const expected = enumerate(p);
  if (r.ok() && !twice && visited == expected) return true;
  std::printf("the explorer and the axioms differ%s %s:\n", twice ? " (visited twice)" : "", r.error.c_str());
  print(p);
  for (auto const& s : visited)
    if (!expected.contains(s)) std::printf("  only the explorer: %s\n", s.c_str());
  for (auto const& s : expected)
    if (!visited.contains(s)) std::printf("  only the axioms:   %s\n", s.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  int const programs = argc > 1 ? std::atoi(argv[1]) : 1500;
  dice d{0x9e3779b97f4a7c15ULL};
  std::uint64_t executions = 0;
  for (int k = 0; k != programs; ++k)
    if (!agree(random_program(d), executions)) return 1;
  std::printf("%d random programs, %llu executions: exactly those that the axioms allow, each visited once\n", programs,
              static_cast<unsigned long long>(executions));
}
