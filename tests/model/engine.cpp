#include "engine.hpp"

#include <sys/mman.h>  // mmap

#include <algorithm>  // find, min
#include <cstdio>     // fprintf, snprintf
#include <cstdlib>    // abort, free, malloc
#include <cstring>    // strcmp, strrchr
#include <new>        // align_val_t, bad_alloc

#include "fiber.hpp"  // fiber

#if defined(__x86_64__)
asm(R"(
.pushsection .text
.globl tartan_model_change_stack
.type tartan_model_change_stack, @function
tartan_model_change_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tartan_model_change_stack, . - tartan_model_change_stack
.popsection
)");
#endif

namespace model {

namespace {

constexpr std::size_t stack_size = std::size_t{128} << 10;
constexpr std::size_t arena_size = std::size_t{1} << 20;

bool is_acquire(std::memory_order o) {
  return o == std::memory_order_acquire || o == std::memory_order_consume || o == std::memory_order_acq_rel ||
         o == std::memory_order_seq_cst;
}
bool is_release(std::memory_order o) {
  return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
}
bool is_read(op k) { return k == op::load || k == op::rmw_read; }
bool is_write(op k) { return k == op::store || k == op::rmw_write || k == op::init; }

std::size_t position_in(std::vector<event_ref> const& writes, event_ref w) {
  return static_cast<std::size_t>(std::find(writes.begin(), writes.end(), w) - writes.begin());
}

/// The oldest write (by position) that may be read by somebody who knows `floor`.
std::size_t lowest(graph const& g, location const& l, vector_clock const& floor) {
  std::size_t low = 0;
  for (std::size_t p = l.writes.size(); p-- > 0;)
    if (floor.covers(l.writes[p])) {
      low = p;
      break;
    }
  for (event_ref r : l.reads)
    if (floor.covers(r)) low = std::max(low, position_in(l.writes, g.at(r).source));
  return low;
}

/// Whether the write at position p is the second half of a read-modify-write, so that nothing fits before it.
bool glued(graph const& g, location const& l, std::size_t p) {
  return p < l.writes.size() && g.at(l.writes[p]).kind == op::rmw_write;
}

vector_clock before(graph const& g, event_ref e) {
  return e.index == 0 ? vector_clock{} : g.at({e.thread, static_cast<std::int16_t>(e.index - 1)}).known;
}

/// Where in the modification order a write that is not yet placed may stand.
std::vector<std::size_t> placements(graph const& g, event_ref a) {
  event const& e = g.at(a);
  location const& l = g.locations[static_cast<std::size_t>(e.location)];
  if (e.kind == op::init) return {0};
  if (e.kind == op::rmw_write) {
    event_ref const source = g.at({a.thread, static_cast<std::int16_t>(a.index - 1)}).source;
    std::size_t const p = position_in(l.writes, source) + 1;
    if (glued(g, l, p)) return {};  // another read-modify-write has read the same value
    return {p};
  }
  std::vector<std::size_t> all;
  for (std::size_t p = lowest(g, l, before(g, a)) + 1; p <= l.writes.size(); ++p)
    if (!glued(g, l, p)) all.push_back(p);
  return all;
}

void place(graph& g, event_ref a, std::size_t position) {
  location& l = g.locations[static_cast<std::size_t>(g.at(a).location)];
  l.writes.insert(l.writes.begin() + static_cast<std::ptrdiff_t>(position), a);
}

/// The graph without the events that came after `stamp` and did not cause the event with clock `prefix`.
graph restricted(graph const& g, std::uint32_t stamp, vector_clock const& prefix) {
  graph next;
  next.next_stamp = g.next_stamp;
  vector_clock keep = prefix;
  for (std::size_t t = 0; t != g.threads.size(); ++t) {
    auto& k = keep.seen[t];
    while (static_cast<std::size_t>(k) < g.threads[t].size() &&
           g.threads[t][static_cast<std::size_t>(k)].stamp <= stamp)
      ++k;
    next.threads[t].assign(g.threads[t].begin(), g.threads[t].begin() + k);
  }
  next.locations.reserve(g.locations.size());
  for (location const& l : g.locations) {
    location kept{l.made, l.plain, l.queue, l.sleepers, {}, {}, {}};
    if (l.destroyed.thread >= 0 && keep.covers(l.destroyed)) kept.destroyed = l.destroyed;
    for (event_ref w : l.writes)
      if (keep.covers(w)) kept.writes.push_back(w);
    for (event_ref r : l.reads)
      if (keep.covers(r)) kept.reads.push_back(r);
    next.locations.push_back(std::move(kept));
  }
  return next;
}

/// Whether event e made the choice that a deleted event must have made, so that of all the graphs that lead to one
/// revisit exactly one performs it.
bool maximally_added(graph const& g, event_ref ref, event_ref a, vector_clock const& prefix) {
  event const& e = g.at(ref);
  auto const previous = [&](event_ref x) { return x != a && (g.at(x).stamp <= e.stamp || prefix.covers(x)); };
  if (e.kind == op::choice) return e.choice == 0;
  if (!is_read(e.kind) && !is_write(e.kind)) return true;
  location const& l = g.locations[static_cast<std::size_t>(e.location)];
  if (is_write(e.kind))
    for (event_ref r : l.reads)
      if (g.at(r).source == ref && previous(r)) return false;
  event_ref const w = is_read(e.kind) ? e.source : ref;
  if (!previous(w)) return false;
  for (std::size_t p = position_in(l.writes, w) + 1; p < l.writes.size(); ++p)
    if (previous(l.writes[p])) return false;
  return true;
}

}  // namespace

// ---- seq_cst -----------------------------------------------------------------------------------------------------

// C++20 [atomics.order]: one total order of all seq_cst operations must agree with strongly-happens-before between them
// and with coherence order, where an access that happens after (before) a fence counts for the fence. Such an order
// exists if and only if those edges have no cycle. Coherence order of two accesses to one location is a comparison of
// positions: a write at position p of the modification order counts 2p, its readers 2p + 1.
// A light fence has edges only to and from heavy fences. A read-modify-write is one operation, though two events.
bool sequentially_consistent(graph const& g) {
  static thread_local std::vector<event_ref> nodes;
  nodes.clear();
  for (std::size_t t = 0; t != g.threads.size(); ++t)
    for (std::size_t i = 0; i != g.threads[t].size(); ++i) {
      event const& e = g.threads[t][i];
      bool const fence = e.kind == op::full_fence || e.kind == op::light_fence || e.kind == op::heavy_fence;
      bool const access = is_read(e.kind) || e.kind == op::store;
      if ((fence || access) && e.order == std::memory_order_seq_cst)
        nodes.push_back({static_cast<std::int16_t>(t), static_cast<std::int16_t>(i)});
    }
  std::size_t const n = nodes.size();
  if (n < 2) return true;

  auto const fence_kind = [](op k) { return k == op::full_fence || k == op::light_fence || k == op::heavy_fence; };
  // Of each location, the first position that counts as after a node and the last that counts as before it. A location
  // that was written only when it was made orders nothing.
  static thread_local std::vector<int> first, last;
  std::size_t shared = 0;
  first.clear();
  last.clear();
  for (location const& l : g.locations) {
    if (l.plain || l.writes.size() < 2) continue;
    first.resize((shared + 1) * n, 1 << 20);
    last.resize((shared + 1) * n, -1);
    int* const low = &first[shared * n];
    int* const high = &last[shared * n];
    ++shared;
    auto const count = [&](event_ref ref, int position) {
      event const& e = g.at(ref);
      event_ref const whole =
          e.kind == op::rmw_write ? event_ref{ref.thread, static_cast<std::int16_t>(ref.index - 1)} : ref;
      for (std::size_t k = 0; k != n; ++k) {
        event const& node = g.at(nodes[k]);
        bool const same = nodes[k] == whole;
        bool const fence = fence_kind(node.kind);
        if ((same || (fence && e.known.covers(nodes[k]))) && position < low[k]) low[k] = position;
        if ((same || (fence && node.known.covers(ref))) && position > high[k]) high[k] = position;
      }
    };
    for (std::size_t p = 0; p != l.writes.size(); ++p) count(l.writes[p], static_cast<int>(2 * p));
    for (event_ref r : l.reads) count(r, static_cast<int>(2 * position_in(l.writes, g.at(r).source) + 1));
  }

  auto const strongly_before = [&](std::size_t i, std::size_t j) {
    event_ref const a = nodes[i], b = nodes[j];
    if (a.thread == b.thread) return a.index < b.index;
    if (fence_kind(g.at(a).kind) && fence_kind(g.at(b).kind)) return g.at(b).known.covers(a);
    event_ref const after_a{a.thread, static_cast<std::int16_t>(a.index + (g.at(a).exclusive ? 2 : 1))};
    return before(g, b).covers(after_a);
  };
  auto const pairs = [&](std::size_t i, std::size_t j) {
    op const a = g.at(nodes[i]).kind, b = g.at(nodes[j]).kind;
    if (a == op::light_fence) return b == op::heavy_fence;
    if (b == op::light_fence) return a == op::heavy_fence;
    return true;
  };
  static thread_local std::vector<char> edges;
  static thread_local std::vector<int> waiting;
  static thread_local std::vector<std::size_t> ready;
  edges.assign(n * n, 0);
  waiting.assign(n, 0);
  ready.clear();
  for (std::size_t i = 0; i != n; ++i)
    for (std::size_t j = 0; j != n; ++j) {
      if (i == j || !pairs(i, j)) continue;
      bool edge = strongly_before(i, j);
      for (std::size_t l = 0; l != shared && !edge; ++l) edge = first[l * n + i] < last[l * n + j];
      edges[i * n + j] = edge ? 1 : 0;
      if (edge) ++waiting[j];
    }
  for (std::size_t i = 0; i != n; ++i)
    if (waiting[i] == 0) ready.push_back(i);
  std::size_t sorted = 0;
  while (!ready.empty()) {
    std::size_t const i = ready.back();
    ready.pop_back();
    ++sorted;
    for (std::size_t j = 0; j != n; ++j)
      if (edges[i * n + j] != 0 && --waiting[j] == 0) ready.push_back(j);
  }
  return sorted == n;
}

// ---- the explorer ------------------------------------------------------------------------------------------------

namespace {

/// True while the checked program runs, false while the checker does: tells operator new whom to serve.
bool in_program = false;

struct outside_program {
  outside_program() : saved(in_program) { in_program = false; }
  outside_program(outside_program const&) = delete;
  outside_program& operator=(outside_program const&) = delete;
  ~outside_program() { in_program = saved; }
  bool saved;
};

/// A reference to a question about a write. Not std::function: an execution may be given up while it is alive.
struct predicate {
  predicate() = default;
  template <class F>
  predicate(F const& f) : object(&f), ask([](void const* o, event_ref w) { return (*static_cast<F const*>(o))(w); }) {}
  void const* object = nullptr;
  bool (*ask)(void const*, event_ref) = nullptr;
};

class explorer {
 public:
  explorer(std::function<void()> const& program, options const& how, std::function<void(graph const&)> const& each)
      : program_(program), how_(how), each_(each) {}

  result run();

  // ---- called on the fibers ----
  void main_thread();
  void child_thread();
  int spawn(std::function<void()> const& function);
  void join(int thread);
  int make(bool plain, std::uint64_t value, bool may_sleep, site where);
  void destroy(int location, site where);
  event_ref read(op kind, int location, std::memory_order order, vector_clock const* floor, predicate wanted,
                 site where);
  std::uint64_t load(int location, std::memory_order order, site where, vector_clock const* floor = nullptr);
  void write(op kind, int location, std::uint64_t value, std::memory_order order, bool wakes, site where);
  std::uint64_t rmw(int location, detail::rmw_request const& request, bool wakes, site where);
  void fence(op kind, std::memory_order order, site where);
  void plain(int location, bool write, site where);
  int choose(int n, site where);
  void assume(bool condition);
  void beyond(char const* bound);
  void reach(char const* point) { result_.reached.insert(point); }
  void require(bool condition, char const* what);
  void futex_wait(int word, std::uint32_t expected, bool timed, site where);
  void futex_wake(int word, int count, site where);
  void pause();
  [[nodiscard]] int running() const { return running_; }
  void* thread_local_memory() { return self().local; }

  std::memory_order ordering(char const* what, std::memory_order order, site where);
  [[nodiscard]] options const& how() const { return how_; }

  void* allocate(std::size_t size, std::size_t align);
  [[nodiscard]] bool owns(void const* p) const {
    auto const* const c = static_cast<char const*>(p);
    return c >= memory_ && c < memory_ + max_threads * (stack_size + arena_size);
  }

 private:
  enum class state : std::uint8_t {
    absent,
    ready,      // runs when resumed
    replaying,  // waits for an event of another thread to be replayed
    frontier,   // has replayed all its events; goes on in the second phase
    joining,    // waits for the end of another thread
    stuck,      // waits for a value that it did not read
    spinning,   // a loop read the same again
    dropped,    // assume(false)
    ended,
  };

  struct thread {
    fiber where;
    state now = state::absent;
    std::int16_t next = 0;  // events executed
    std::size_t used = 0;   // of its arena
    vector_clock known, causes;
    vector_clock pending;     // read by relaxed loads, learnt at the next acquire fence
    vector_clock released;    // known at the last release fence
    event_ref awaited;        // replaying: for whom; stuck: which read
    bool writing = false;     // between the halves of a read-modify-write
    bool looped = false;      // has paused once
    std::int16_t window = 0;  // events up to the last pause
    int empty_pauses = 0;
    std::int16_t polled = -1;  // location of the load right before the last pause
    unsigned polled_line = 0;
    std::function<void()> function;
    alignas(16) char local[64] = {};
  };

  void execute(graph&& start);
  bool replay();
  void go_on();
  void conclude();
  void note_buffered();
  void resume(int t);
  void leave();  // back to the scheduler
  thread& self() { return threads_[static_cast<std::size_t>(running_)]; }
  event_ref here() { return {static_cast<std::int16_t>(running_), self().next}; }
  bool arrive();  // true: the next event is recorded in the graph
  event& recorded(op kind, int location);
  event& append(op kind, int location, std::memory_order order, site where);
  void finish(event& e);
  void settle();
  void await_replay(event_ref e);
  void apply_read(event& e);
  bool add_to_order(event_ref ref);
  void push_revisits(event_ref a);
  void check_alive(int location, event_ref e, bool atomic_access);
  [[noreturn]] void fail(std::string const& what);
  [[noreturn]] void drop(state why);
  [[noreturn]] void hit_bound(std::string const& which);
  char* stack_of(int t) { return memory_ + static_cast<std::size_t>(t) * (stack_size + arena_size); }
  location& at(int l) { return graph_.locations[static_cast<std::size_t>(l)]; }
  bool reads_latest(event_ref r) {
    event_ref const latest = at(graph_.at(r).location).writes.back();
    event_ref const own{r.thread,
                        static_cast<std::int16_t>(r.index + 1)};  // of a read-modify-write that changed nothing
    return latest == graph_.at(r).source || (graph_.at(r).exclusive && latest == own);
  }
  /// Whether an event of a spin loop leaves everything as it was.
  bool changes_nothing(event_ref e) {
    op const k = graph_.at(e).kind;
    if (k == op::rmw_write) {
      event_ref const half{e.thread, static_cast<std::int16_t>(e.index - 1)};
      return graph_.at(half).value == graph_.at(e).value;
    }
    return is_read(k) || k == op::full_fence || k == op::light_fence || k == op::heavy_fence || k == op::plain_read;
  }

  std::function<void()> const& program_;
  options const how_;
  std::function<void(graph const&)> const& each_;
  result result_;

  struct known_site {
    char const* file;
    unsigned line;
    char const* what;
    bool weakened;
    std::memory_order to;
  };
  std::vector<known_site> sites_;

  std::vector<graph> stack_;
  graph graph_;
  std::array<thread, max_threads> threads_;
  fiber scheduler_;
  int running_ = -1;
  int scheduled_ = -1;  // second phase: who may add events
  bool replaying_ = true;
  bool cut_ = false;   // this execution is over
  bool stop_ = false;  // all are
  char* memory_ = nullptr;
};

explorer* current = nullptr;

void start_main() {
  current->main_thread();
  std::abort();
}
void start_child() {
  current->child_thread();
  std::abort();
}

result explorer::run() {
  memory_ = static_cast<char*>(mmap(nullptr, max_threads * (stack_size + arena_size), PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (memory_ == MAP_FAILED) throw std::bad_alloc();
  explorer* const outer = current;
  current = this;
  stack_.emplace_back();
  while (!stack_.empty() && !stop_) {
    graph next = std::move(stack_.back());
    stack_.pop_back();
    execute(std::move(next));
    if (result_.executions + result_.blocked + result_.refused >= how_.max_executions && !stack_.empty()) {
      result_.exhaustive = false;
      result_.bound = "number of executions";
      break;
    }
  }
  current = outer;
  munmap(memory_, max_threads * (stack_size + arena_size));
  return std::move(result_);
}

void explorer::execute(graph&& start) {
  graph_ = std::move(start);
  for (thread& t : threads_) t = thread{};
  replaying_ = true;
  cut_ = false;
  scheduled_ = -1;
  threads_[0].where.prepare(stack_of(0), stack_size, &start_main);
  threads_[0].now = state::ready;
  if (!replay()) {
    ++result_.refused;
    return;
  }
  replaying_ = false;
  go_on();
  if (!cut_) conclude();
}

/// First phase: every thread runs through its part of the graph, reads after their sources.
bool explorer::replay() {
  for (bool progress = true; progress;) {
    progress = false;
    for (int t = 0; t < max_threads; ++t) {
      thread& th = threads_[static_cast<std::size_t>(t)];
      bool const released =
          th.now == state::replaying && threads_[static_cast<std::size_t>(th.awaited.thread)].next > th.awaited.index;
      if (th.now != state::ready && !released) continue;
      resume(t);
      progress = true;
      if (cut_) return true;
    }
  }
  for (std::size_t t = 0; t != threads_.size(); ++t)
    if (static_cast<std::size_t>(threads_[t].next) != graph_.threads[t].size()) {
      std::fprintf(stderr, "model: the program is not deterministic: thread %zu left its recorded path\n%s\n", t,
                   describe(graph_).c_str());
      std::abort();
    }
  return sequentially_consistent(graph_);
}

/// Second phase: the thread that is chosen by the graph alone adds events until nobody can.
void explorer::go_on() {
  while (!cut_) {
    int chosen = -1;
    for (int t = max_threads; t-- > 0;) {
      thread const& th = threads_[static_cast<std::size_t>(t)];
      bool const joined =
          th.now == state::joining && threads_[static_cast<std::size_t>(th.awaited.thread)].now == state::ended;
      if (th.now == state::frontier || th.now == state::ready || joined) chosen = t;
    }
    for (int t = max_threads; t-- > 0;)
      if (threads_[static_cast<std::size_t>(t)].writing) chosen = t;
    if (chosen < 0) return;
    scheduled_ = chosen;
    resume(chosen);
  }
}

/// All have ended, or nobody can go on: is that an execution of its own, one that another covers, or a deadlock?
void explorer::conclude() {
  bool all_ended = true;
  for (thread const& th : threads_) all_ended = all_ended && (th.now == state::ended || th.now == state::absent);
  if (how_.daemons && threads_[0].now == state::ended) all_ended = true;
  if (all_ended) {
    ++result_.executions;
    if (how_.buffered_loads) note_buffered();
    if (each_) each_(graph_);
    return;
  }
  std::string waiting;
  for (int t = 0; t < max_threads; ++t) {
    thread& th = threads_[static_cast<std::size_t>(t)];
    if (th.now == state::ended || th.now == state::joining || th.now == state::absent) continue;
    bool final = th.now != state::dropped;
    if (th.now == state::stuck) final = reads_latest(th.awaited);
    if (th.now == state::spinning)
      for (auto i = th.window; i < th.next; ++i) {
        event_ref const e{static_cast<std::int16_t>(t), i};
        if (is_read(graph_.at(e).kind)) final = final && reads_latest(e);
      }
    if (!final) {
      ++result_.blocked;
      return;
    }
    waiting += (waiting.empty() ? "T" : ", T") + std::to_string(t) + (th.now == state::stuck ? " asleep" : " spinning");
  }
  result_.error = "deadlock or lost wake-up: " + waiting;
  result_.trace = describe(graph_);
  stop_ = true;
}

/// See result::buffered.
void explorer::note_buffered() {
  auto const text = [](event const& e) {
    char const* const slash = std::strrchr(e.where.file, '/');
    return std::string(slash != nullptr ? slash + 1 : e.where.file) + ":" + std::to_string(e.where.line);
  };
  for (location const& l : graph_.locations) {
    if (l.plain || l.queue) continue;
    for (event_ref r : l.reads) {
      event const& read = graph_.at(r);
      for (std::size_t p = position_in(l.writes, read.source) + 1; p < l.writes.size(); ++p) {
        event_ref const w = l.writes[p];
        if (w.thread == r.thread || !graph_.at(w).causes.covers(r)) continue;
        bool coherent = !graph_.at(w).known.covers(r);  // no access that happens after r is coherence-before w
        for (std::size_t q = 0; q != p && coherent; ++q) coherent = !graph_.at(l.writes[q]).known.covers(r);
        for (event_ref x : l.reads)
          coherent =
              coherent && (x == r || !graph_.at(x).known.covers(r) || position_in(l.writes, graph_.at(x).source) >= p);
        if (coherent) result_.buffered.insert(text(read) + " might read " + text(graph_.at(w)));
      }
    }
  }
}

void explorer::resume(int t) {
  running_ = t;
  threads_[static_cast<std::size_t>(t)].now = state::ready;
  fiber::change(scheduler_, threads_[static_cast<std::size_t>(t)].where);
  running_ = -1;
}

void explorer::leave() { fiber::change(self().where, scheduler_); }

void explorer::main_thread() {
  if (!arrive())
    append(op::begin, -1, std::memory_order_relaxed, {});
  else
    recorded(op::begin, -1);
  event& e = graph_.at(here());
  finish(e);
  settle();
  in_program = true;
  program_();
  in_program = false;
  if (!arrive())
    append(op::end, -1, std::memory_order_relaxed, {});
  else
    recorded(op::end, -1);
  finish(graph_.at(here()));
  settle();
  self().now = state::ended;
  leave();
}

void explorer::child_thread() {
  if (!arrive())
    append(op::begin, -1, std::memory_order_relaxed, {});
  else
    recorded(op::begin, -1);
  finish(graph_.at(here()));
  settle();
  in_program = true;
  self().function();
  in_program = false;
  if (!arrive())
    append(op::end, -1, std::memory_order_relaxed, {});
  else
    recorded(op::end, -1);
  finish(graph_.at(here()));
  settle();
  self().now = state::ended;
  leave();
}

bool explorer::arrive() {
  for (;;) {
    if (cut_) leave();
    thread& t = self();
    if (static_cast<std::size_t>(t.next) < graph_.threads[static_cast<std::size_t>(running_)].size()) return true;
    if (!replaying_ && scheduled_ == running_) {
      if (t.next >= how_.max_events) hit_bound("events of one thread");
      return false;
    }
    t.now = state::frontier;
    leave();
  }
}

event& explorer::recorded(op kind, int location) {
  event& e = graph_.at(here());
  if (e.kind != kind || e.location != location) {
    std::fprintf(stderr, "model: the program is not deterministic: T%d executes another event %d on replay\n%s\n",
                 running_, static_cast<int>(self().next), describe(graph_).c_str());
    std::abort();
  }
  return e;
}

event& explorer::append(op kind, int location, std::memory_order order, site where) {
  auto& events = graph_.threads[static_cast<std::size_t>(running_)];
  event e;
  e.kind = kind;
  e.location = static_cast<std::int16_t>(location);
  e.order = order;
  e.stamp = graph_.next_stamp++;
  e.where = where;
  events.push_back(e);
  return events.back();
}

/// Counts the event in its thread's clocks. What it acquires was joined before, what it releases is computed after.
void explorer::finish(event& e) {
  thread& t = self();
  ++t.next;
  t.known.seen[static_cast<std::size_t>(running_)] = t.next;
  t.causes.seen[static_cast<std::size_t>(running_)] = t.next;
  e.known = t.known;
  e.causes = t.causes;
}

/// After an event: on replay the last one does not return to the program before the whole graph is known to be
/// consistent, for the program might act on a value that it can never see.
void explorer::settle() {
  thread& t = self();
  while (replaying_ && static_cast<std::size_t>(t.next) == graph_.threads[static_cast<std::size_t>(running_)].size()) {
    t.now = state::frontier;
    leave();
  }
}

void explorer::await_replay(event_ref e) {
  while (threads_[static_cast<std::size_t>(e.thread)].next <= e.index) {
    self().awaited = e;
    self().now = state::replaying;
    leave();
  }
}

void explorer::fail(std::string const& what) {
  while (replaying_ || (scheduled_ != running_)) {
    self().now = state::frontier;
    leave();
  }
  result_.error = what + " (T" + std::to_string(running_) + ")";
  result_.trace = describe(graph_);
  cut_ = stop_ = true;
  for (;;) leave();
}

void explorer::drop(state why) {
  for (;;) {
    self().now = why;
    leave();
  }
}

void explorer::hit_bound(std::string const& which) {
  result_.exhaustive = false;
  result_.bound = which;
  ++result_.blocked;
  cut_ = true;
  for (;;) leave();
}

std::memory_order explorer::ordering(char const* what, std::memory_order order, site where) {
  for (known_site const& k : sites_)
    if (k.line == where.line && k.file == where.file && k.what == what) return k.weakened ? k.to : order;
  char const* const slash = std::strrchr(where.file, '/');
  std::string const function(where.function);
  ordering_site const s{slash != nullptr ? slash + 1 : where.file, where.line, function.substr(0, function.find('<')),
                        what};
  result_.orderings.emplace(s, order);
  bool const weakened = how_.weakened && how_.weakened->where == s;
  sites_.push_back({where.file, where.line, what, weakened, weakened ? how_.weakened->to : order});
  return sites_.back().weakened ? sites_.back().to : order;
}

// ---- objects -----------------------------------------------------------------------------------------------------

int explorer::make(bool plain, std::uint64_t value, bool may_sleep, site where) {
  int location = 0;
  if (arrive()) {
    location = graph_.at(here()).location;
    recorded(op::init, location);
  } else {
    location = static_cast<int>(graph_.locations.size());
    event_ref const ref = here();
    event& e = append(op::init, location, std::memory_order_relaxed, where);
    e.value = value;
    graph_.locations.push_back({ref, plain, false, -1, {}, {ref}, {}});
  }
  event& e = graph_.at(here());
  finish(e);
  e.message = {};
  settle();
  if (may_sleep) {
    int const sleepers = make(false, 0, false, where);
    at(sleepers).queue = true;
    at(location).sleepers = static_cast<std::int16_t>(sleepers);
  }
  return location;
}

void explorer::check_alive(int location, event_ref e, bool atomic_access) {
  if (location < 0 || static_cast<std::size_t>(location) >= graph_.locations.size() ||
      at(location).destroyed.thread >= 0)
    fail("access to a destroyed object");
  if (atomic_access && !before(graph_, e).covers(at(location).made))
    fail("data race: access to an object whose construction does not happen before");
}

void explorer::destroy(int location, site where) {
  if (arrive()) {
    recorded(op::destroy, location);
  } else {
    event_ref const ref = here();
    append(op::destroy, location, std::memory_order_relaxed, where);
    check_alive(location, ref, false);
    vector_clock const known = before(graph_, ref);
    for (event_ref a : at(location).writes)
      if (!known.covers(a)) fail("data race: object destroyed while another thread writes it");
    for (event_ref a : at(location).reads)
      if (!known.covers(a)) fail("data race: object destroyed while another thread reads it");
    at(location).destroyed = ref;
  }
  finish(graph_.at(here()));
  settle();
}

void explorer::plain(int location, bool write, site where) {
  op const kind = write ? op::plain_write : op::plain_read;
  if (arrive()) {
    recorded(kind, location);
  } else {
    event_ref const ref = here();
    append(kind, location, std::memory_order_relaxed, where);
    check_alive(location, ref, false);
    vector_clock const known = before(graph_, ref);
    for (event_ref a : at(location).writes)
      if (!known.covers(a)) fail(write ? "data race: two unordered writes" : "data race: read of an unordered write");
    if (write)
      for (event_ref a : at(location).reads)
        if (!known.covers(a)) fail("data race: write to what another thread reads");
    (write ? at(location).writes : at(location).reads).push_back(ref);
  }
  finish(graph_.at(here()));
  settle();
}

// ---- atomic accesses ---------------------------------------------------------------------------------------------

void explorer::apply_read(event& e) {
  thread& t = self();
  event const& source = graph_.at(e.source);
  e.value = source.value;
  t.causes.join(source.causes);
  if (!at(e.location).queue) {
    if (is_acquire(e.order)) t.known.join(source.message);
    t.pending.join(source.message);
  }
  finish(e);
}

/// `floor` raises what may be read beyond what the thread knows; `wanted` keeps, of the older writes, only those that
/// let the thread go on.
event_ref explorer::read(op kind, int location, std::memory_order order, vector_clock const* floor, predicate wanted,
                         site where) {
  bool const old = arrive();
  event_ref const ref = here();
  if (old) {
    recorded(kind, location).order = order;
    await_replay(graph_.at(ref).source);
  } else {
    append(kind, location, order, where);
    check_alive(location, ref, true);
  }
  vector_clock limit = self().known;
  if (floor != nullptr) limit.join(*floor);
  graph_.at(ref).floor = limit;
  if (!old) {
    auto const& writes = at(location).writes;
    std::size_t const low = lowest(graph_, at(location), limit);
    event_ref const latest = writes.back();
    at(location).reads.push_back(ref);
    for (std::size_t p = low; p + 1 < writes.size(); ++p) {
      if (wanted.ask != nullptr && !wanted.ask(wanted.object, writes[p])) continue;
      graph_.at(ref).source = writes[p];
      stack_.push_back(graph_);
    }
    graph_.at(ref).source = latest;
  }
  return ref;
}

std::uint64_t explorer::load(int location, std::memory_order order, site where, vector_clock const* floor) {
  thread& t = self();
  if (t.looped && t.window == t.next && t.polled == location && t.polled_line == where.line) {  // see pause()
    if (++t.empty_pauses > 100) {
      t.window = static_cast<std::int16_t>(t.next - 1);
      settle();
      drop(state::spinning);
    }
    return graph_.at({static_cast<std::int16_t>(running_), static_cast<std::int16_t>(t.next - 1)}).value;
  }
  event_ref const ref = read(op::load, location, order, floor, predicate(), where);
  apply_read(graph_.at(ref));
  settle();
  return graph_.at(ref).value;
}

void explorer::write(op kind, int location, std::uint64_t value, std::memory_order order, bool wakes, site where) {
  thread& t = self();
  bool const old = arrive();
  event_ref const ref = here();
  if (old) {
    recorded(kind, location);
  } else {
    append(kind, location, order, where);
    check_alive(location, ref, true);
  }
  event& e = graph_.at(ref);
  e.value = value;
  e.order = order;
  finish(e);
  bool const queue = at(location).queue;
  e.message = queue ? (wakes ? t.known : vector_clock{}) : (is_release(order) ? t.known : t.released);
  if (kind == op::rmw_write)
    e.message.join(graph_.at(graph_.at({ref.thread, static_cast<std::int16_t>(ref.index - 1)}).source).message);
  if (!old && !add_to_order(ref)) {
    ++result_.refused;
    cut_ = true;
    for (;;) leave();
  }
  settle();
}

/// Explores every place in the modification order for the new write; false when this execution has none.
bool explorer::add_to_order(event_ref ref) {
  push_revisits(ref);
  auto const places = placements(graph_, ref);
  if (places.empty()) return false;
  for (std::size_t k = 0; k + 1 < places.size(); ++k) {
    stack_.push_back(graph_);
    place(stack_.back(), ref, places[k]);
  }
  bool const latest = places.back() == at(graph_.at(ref).location).writes.size();
  place(graph_, ref, places.back());
  return latest || sequentially_consistent(graph_);
}

/// The new write a may be what a read of the past should have read, unless that read caused a.
void explorer::push_revisits(event_ref a) {
  event const& write = graph_.at(a);
  vector_clock const prefix = write.causes;
  for (event_ref r : at(write.location).reads) {
    if (prefix.covers(r)) continue;
    std::uint32_t const stamp = graph_.at(r).stamp;
    bool allowed = maximally_added(graph_, r, a, prefix);
    for (std::size_t t = 0; t != graph_.threads.size() && allowed; ++t)
      for (std::size_t i = graph_.threads[t].size(); i-- > 0 && allowed;) {
        event_ref const e{static_cast<std::int16_t>(t), static_cast<std::int16_t>(i)};
        if (graph_.at(e).stamp <= stamp || prefix.covers(e)) break;  // stamps grow along a thread
        allowed = maximally_added(graph_, e, a, prefix);
      }
    if (!allowed) continue;
    graph next = restricted(graph_, stamp, prefix);
    next.at(r).source = a;
    for (std::size_t p : placements(next, a)) {
      graph one = next;
      place(one, a, p);
      location const& l = one.locations[static_cast<std::size_t>(write.location)];
      if (lowest(one, l, one.at(r).floor) > p) continue;  // r knows of something newer
      stack_.push_back(std::move(one));
    }
  }
}

std::uint64_t explorer::rmw(int location, detail::rmw_request const& request, bool wakes, site where) {
  // A retried compare_exchange succeeds on the very write that the look before it saw: a failure, or another write with
  // the same value, is the execution in which that look saw more.
  event_ref look;
  if (request.retried && self().next > 0) {
    event const& previous =
        graph_.at({static_cast<std::int16_t>(running_), static_cast<std::int16_t>(self().next - 1)});
    if (previous.kind == op::load && previous.location == location) look = previous.source;
  }
  auto const useful = [&](event_ref w) {
    return request.change(graph_.at(w).value, request.context).has_value() && (look.thread < 0 || w == look);
  };
  event_ref const ref =
      read(op::rmw_read, location, request.order, nullptr, request.retried ? predicate(useful) : predicate(), where);
  if (request.retried && !useful(graph_.at(ref).source)) {
    event& failed = graph_.at(ref);
    failed.order = request.failure;
    apply_read(failed);
    settle();
    self().awaited = ref;
    drop(request.blocks ? state::stuck : state::dropped);
  }
  event& e = graph_.at(ref);
  auto const changed = request.change(graph_.at(e.source).value, request.context);
  e.order = changed ? request.order : request.failure;
  e.exclusive = changed.has_value();
  apply_read(e);
  self().writing = changed.has_value();
  settle();
  std::uint64_t const seen = graph_.at(ref).value;
  if (changed) {
    write(op::rmw_write, location, *changed, request.order, wakes, where);
    self().writing = false;
    if (!replaying_) scheduled_ = -1;  // whose turn it is depends on the graph alone
  }
  return seen;
}

void explorer::fence(op kind, std::memory_order order, site where) {
  if (arrive())
    recorded(kind, -1);
  else
    append(kind, -1, order, where);
  event& e = graph_.at(here());
  e.order = order;
  thread& t = self();
  bool const orders_own = kind != op::light_fence;
  if (orders_own && is_acquire(order)) t.known.join(t.pending);
  finish(e);
  if (orders_own && is_release(order)) t.released = t.known;
  settle();
}

// ---- threads, choices, waiting -----------------------------------------------------------------------------------

int explorer::spawn(std::function<void()> const& function) {
  if (arrive()) {
    recorded(op::spawn, -1);
  } else {
    int fresh = 0;
    while (fresh != max_threads && threads_[static_cast<std::size_t>(fresh)].now != state::absent) ++fresh;
    if (fresh == max_threads) {
      std::fprintf(stderr, "model: too many threads\n");
      std::abort();
    }
    append(op::spawn, -1, std::memory_order_relaxed, {}).value = static_cast<std::uint64_t>(fresh);
  }
  event& e = graph_.at(here());
  int const t = static_cast<int>(e.value);
  finish(e);
  thread& child = threads_[static_cast<std::size_t>(t)];
  child.where.prepare(stack_of(t), stack_size, &start_child);
  child.known = self().known;
  child.causes = self().causes;
  child.function = function;
  child.now = state::ready;
  settle();
  return t;
}

void explorer::join(int t) {
  thread& other = threads_[static_cast<std::size_t>(t)];
  if (arrive()) {
    recorded(op::join, -1);
    auto const events = graph_.threads[static_cast<std::size_t>(t)].size();
    await_replay({static_cast<std::int16_t>(t), static_cast<std::int16_t>(events - 1)});
  } else {
    while (other.now != state::ended || scheduled_ != running_) {
      self().awaited.thread = static_cast<std::int16_t>(t);
      self().now = state::joining;
      leave();
    }
    append(op::join, -1, std::memory_order_relaxed, {}).value = static_cast<std::uint64_t>(t);
  }
  self().known.join(other.known);
  self().causes.join(other.causes);
  finish(graph_.at(here()));
  settle();
}

int explorer::choose(int n, site where) {
  if (arrive()) {
    recorded(op::choice, -1);
  } else {
    event_ref const ref = here();
    append(op::choice, -1, std::memory_order_relaxed, where);
    for (int k = n; --k > 0;) {
      graph_.at(ref).choice = static_cast<std::int16_t>(k);
      stack_.push_back(graph_);
    }
    graph_.at(ref).choice = 0;
  }
  event& e = graph_.at(here());
  int const chosen = e.choice;
  e.value = static_cast<std::uint64_t>(chosen);
  finish(e);
  settle();
  return chosen;
}

void explorer::beyond(char const* bound) {
  result_.exhaustive = false;
  result_.bound = bound;
  settle();
  drop(state::dropped);
}

void explorer::assume(bool condition) {
  if (!condition) drop(state::dropped);
}

void explorer::require(bool condition, char const* what) {
  if (!condition) fail(what);
}

// The queue of sleepers of a word is one hidden location whose value lists the sleepers, oldest in the low byte. Its
// read-modify-writes are in one order as the kernel's are under its lock. They make nothing known to the program; only
// the kernel's own look at the word sees what any earlier wake knew.
void explorer::futex_wait(int word, std::uint32_t expected, bool timed, site where) {
  auto const me = static_cast<std::uint64_t>(running_ + 1);
  int const queue = at(word).sleepers;
  if (static_cast<std::uint32_t>(load(word, std::memory_order_relaxed, where)) != expected) return;

  auto const enter = [](std::uint64_t sleepers, void const* c) -> std::optional<std::uint64_t> {
    int shift = 0;
    while ((sleepers >> shift) != 0) shift += 8;
    return sleepers | (*static_cast<std::uint64_t const*>(c) << shift);
  };
  rmw(queue, {enter, &me, std::memory_order_relaxed, std::memory_order_relaxed, false}, false, where);
  vector_clock const woken_knew =
      graph_.at({static_cast<std::int16_t>(running_), static_cast<std::int16_t>(self().next - 1)}).message;
  if (static_cast<std::uint32_t>(load(word, std::memory_order_relaxed, where, &woken_knew)) != expected)
    drop(state::dropped);  // the first look would have seen that value too: another execution has it

  auto const listed = [me](std::uint64_t sleepers) {
    for (; sleepers != 0; sleepers >>= 8)
      if ((sleepers & 255) == me) return true;
    return false;
  };
  if ((how_.spurious_wakes || (timed && how_.timeouts)) && choose(2, where) == 1) {
    auto const remove = [](std::uint64_t sleepers, void const* c) -> std::optional<std::uint64_t> {
      std::uint64_t kept = 0;
      for (int shift = 0; sleepers != 0; sleepers >>= 8)
        if ((sleepers & 255) != *static_cast<std::uint64_t const*>(c)) {
          kept |= (sleepers & 255) << shift;
          shift += 8;
        }
      return kept;
    };
    rmw(queue, {remove, &me, std::memory_order_relaxed, std::memory_order_relaxed, false}, false, where);
    return;
  }
  auto const released = [&](event_ref w) { return !listed(graph_.at(w).value); };
  event_ref const ref = read(op::load, queue, std::memory_order_relaxed, nullptr, released, where);
  apply_read(graph_.at(ref));
  settle();
  if (listed(graph_.at(ref).value)) {
    self().awaited = ref;
    drop(state::stuck);
  }
}

void explorer::futex_wake(int word, int count, site where) {
  auto const wake = [](std::uint64_t sleepers, void const* c) -> std::optional<std::uint64_t> {
    int const n = *static_cast<int const*>(c);
    return n >= 8 ? 0 : sleepers >> (8 * n);
  };
  rmw(at(word).sleepers, {wake, &count, std::memory_order_relaxed, std::memory_order_relaxed, false}, true, where);
}

/// Spin loops. A loop of one load polls: the load is not made again, for whatever a later poll would see, the first may
/// see in another execution; so loops with a limit run to it. A loop of more loads that changes nothing stops here when
/// it comes by the second time, for the same reason. Stopped threads make a deadlock when nothing newer is there to be
/// seen.
void explorer::pause() {
  if (!how_.pause_blocks) return;
  thread& t = self();
  if (t.looped && t.window != t.next) {
    bool pure = true;
    for (auto i = t.window; i < t.next; ++i) pure = pure && changes_nothing({static_cast<std::int16_t>(running_), i});
    if (pure && t.next - t.window > 1) {
      settle();
      drop(state::spinning);
    }
    t.empty_pauses = 0;
  }
  if (t.looped && t.window == t.next && t.polled < 0 && ++t.empty_pauses > 1000)
    hit_bound("a loop of pauses that looks at nothing");
  event const& last = graph_.at({static_cast<std::int16_t>(running_), static_cast<std::int16_t>(t.next - 1)});
  if (t.window != t.next || !t.looped) t.polled = last.kind == op::load ? last.location : std::int16_t{-1};
  t.polled_line = last.where.line;
  t.looped = true;
  t.window = t.next;
}

void* explorer::allocate(std::size_t size, std::size_t align) {
  thread& t = self();
  t.used = (t.used + align - 1) & ~(align - 1);
  if (t.used + size > arena_size) {
    in_program = false;
    std::fprintf(stderr, "model: the program allocates too much\n");
    std::abort();
  }
  char* const p = stack_of(running_) + stack_size + t.used;
  t.used += size;
  return p;
}

void* allocate(std::size_t size, std::size_t align) {
  if (in_program && current != nullptr) return current->allocate(size, align);
  void* const p = align <= alignof(std::max_align_t) ? std::malloc(size != 0 ? size : 1)
                                                     : std::aligned_alloc(align, (size + align - 1) & ~(align - 1));
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

void release(void* p) noexcept {
  if (current != nullptr && current->owns(p)) return;  // reused only by the next execution
  std::free(p);
}

}  // namespace

// ---- what programs and atomics call ------------------------------------------------------------------------------

result explore(std::function<void()> const& program, options const& how,
               std::function<void(graph const&)> const& each) {
  return explorer(program, how, each).run();
}

int spawn(std::function<void()> const& function) {
  outside_program const guard;
  return current->spawn(function);
}
void join(int thread) {
  outside_program const guard;
  current->join(thread);
}
int this_thread() { return current->running(); }
void parallel(std::vector<std::function<void()>> const& threads) {
  outside_program const guard;
  std::array<int, max_threads> started{};  // no allocation: an execution may be given up here
  for (std::size_t k = 0; k != threads.size(); ++k) started[k] = current->spawn(threads[k]);
  for (std::size_t k = 0; k != threads.size(); ++k) current->join(started[k]);
}
void require(bool condition, char const* what) {
  outside_program const guard;
  current->require(condition, what);
}
void assume(bool condition) {
  outside_program const guard;
  current->assume(condition);
}
void beyond(char const* bound) {
  outside_program const guard;
  current->beyond(bound);
}
void reach(char const* point) {
  outside_program const guard;
  current->reach(point);
}
int choose(int n) {
  outside_program const guard;
  return current->choose(n, {});
}

namespace detail {

int make(bool plain, std::uint64_t value, bool may_sleep, site where) {
  outside_program const guard;
  return current->make(plain, value, may_sleep, where);
}
void destroy(int location, site where) {
  outside_program const guard;
  current->destroy(location, where);
}
std::uint64_t load(int location, std::memory_order order, site where) {
  outside_program const guard;
  return current->load(location, current->ordering("load", order, where), where);
}
void store(int location, std::uint64_t value, std::memory_order order, site where) {
  outside_program const guard;
  current->write(op::store, location, value, current->ordering("store", order, where), false, where);
}
std::uint64_t rmw(int location, rmw_request const& request, site where) {
  outside_program const guard;
  rmw_request mine = request;
  mine.order = current->ordering(request.conditional ? "cas" : "rmw", request.order, where);
  if (request.conditional) mine.failure = current->ordering("cas failure", request.failure, where);
  return current->rmw(location, mine, false, where);
}
void fence(op kind, std::memory_order order, site where) {
  outside_program const guard;
  char const* const what = kind == op::full_fence    ? "full fence"
                           : kind == op::light_fence ? "light fence"
                                                     : "heavy fence";
  current->fence(kind, current->ordering(what, order, where), where);
}
void plain(int location, bool write, site where) {
  outside_program const guard;
  current->plain(location, write, where);
}
void futex_wait(int word, std::uint32_t expected, bool timed, site where) {
  outside_program const guard;
  current->futex_wait(word, expected, timed, where);
}
void futex_wake(int word, int count, site where) {
  outside_program const guard;
  current->futex_wake(word, count, where);
}
void pause() {
  outside_program const guard;
  current->pause();
}
bool asymmetric_available() { return current->how().asymmetric; }
void* thread_local_memory() { return current->thread_local_memory(); }

}  // namespace detail

// ---- telling -----------------------------------------------------------------------------------------------------

std::string name_of(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
      return "consume";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
  }
  return "?";
}

namespace {

char const* kind_name(op kind) {
  static constexpr char const* names[] = {
      "begin",    "end",       "spawn",      "join",        "make",        "destroy",    "load",        "store",
      "rmw read", "rmw write", "full fence", "light fence", "heavy fence", "plain read", "plain write", "choice"};
  return names[static_cast<std::size_t>(kind)];
}

std::string value_text(std::uint64_t v) {
  char text[32];
  auto const s = static_cast<std::int64_t>(v);
  if (s > -1000 && s < 100000)
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(s));
  else
    std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(v));
  return text;
}

std::string line_of(graph const& g, event_ref ref) {
  event const& e = g.at(ref);
  char text[256];
  char const* const slash = std::strrchr(e.where.file, '/');
  std::string what = kind_name(e.kind);
  if (e.location >= 0) {
    location const& l = g.locations[static_cast<std::size_t>(e.location)];
    what += (l.plain ? " p" : l.queue ? " q" : " a") + std::to_string(e.location);
  }
  if (is_read(e.kind)) {
    what += " -> " + value_text(e.value);
    if (e.source.thread >= 0) what += " from " + std::to_string(e.source.thread) + "." + std::to_string(e.source.index);
  }
  if (is_write(e.kind)) what += " := " + value_text(e.value);
  if (e.kind == op::choice) what += " " + value_text(e.value);
  bool const ordered = is_read(e.kind) || (is_write(e.kind) && e.kind != op::init) || e.kind == op::full_fence;
  std::snprintf(text, sizeof text, "  %*sT%d.%-3d %-44s %-8s %s:%u %s\n", 2 * ref.thread, "", ref.thread, ref.index,
                what.c_str(), ordered ? name_of(e.order).c_str() : "", slash != nullptr ? slash + 1 : e.where.file,
                e.where.line, e.where.function);
  return text;
}

}  // namespace

/// One line an event, in an order in which reads follow what they read.
std::string describe(graph const& g) {
  std::array<std::size_t, max_threads> done{};
  std::string text;
  for (;;) {
    event_ref best;
    for (std::size_t t = 0; t != g.threads.size(); ++t) {
      if (done[t] == g.threads[t].size()) continue;
      event_ref const ref{static_cast<std::int16_t>(t), static_cast<std::int16_t>(done[t])};
      event const& e = g.at(ref);
      bool const has_source = is_read(e.kind) && e.source.thread >= 0;
      if (has_source && static_cast<std::size_t>(e.source.index) >= done[static_cast<std::size_t>(e.source.thread)])
        continue;
      if (best.thread < 0 || e.stamp < g.at(best).stamp) best = ref;
    }
    if (best.thread < 0) return text;
    ++done[static_cast<std::size_t>(best.thread)];
    text += line_of(g, best);
  }
}

}  // namespace model

// Memory of the checked program lies at the same addresses on every replay, so that pointers in the graph stay valid.
void* operator new(std::size_t n) { return model::allocate(n, alignof(std::max_align_t)); }
void* operator new(std::size_t n, std::align_val_t a) { return model::allocate(n, static_cast<std::size_t>(a)); }
void operator delete(void* p) noexcept { model::release(p); }
void operator delete(void* p, std::size_t) noexcept { model::release(p); }
void operator delete(void* p, std::align_val_t) noexcept { model::release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { model::release(p); }
