#pragma once
// An exhaustive checker for small concurrent programs under the C++20 memory model. README.md says which model, what is
// sound and what is bounded.

#include <array>       // array
#include <atomic>      // memory_order
#include <cstddef>     // size_t
#include <cstdint>     // uint64_t
#include <functional>  // function
#include <map>         // map
#include <optional>    // optional
#include <set>         // set
#include <string>      // string
#include <tuple>       // tie
#include <vector>      // vector

namespace model {

inline constexpr int max_threads = 8;

// ---- where an operation stands in the checked code ---------------------------------------------------------------

struct site {
  char const* file = "";
  unsigned line = 0;
  char const* function = "";

  static constexpr site here(char const* file = __builtin_FILE(), unsigned line = __builtin_LINE(),
                             char const* function = __builtin_FUNCTION()) {
    return {file, line, function};
  }
};

/// One ordering in the checked code. `what` tells the success and the failure order of a compare_exchange apart.
struct ordering_site {
  std::string file;
  unsigned line = 0;
  std::string function;
  std::string what;  // load, store, rmw, cas, cas failure, full fence, light fence, heavy fence
  friend bool operator<(ordering_site const& a, ordering_site const& b) {
    return std::tie(a.file, a.line, a.what) < std::tie(b.file, b.line, b.what);
  }
  friend bool operator==(ordering_site const& a, ordering_site const& b) {
    return a.line == b.line && a.file == b.file && a.what == b.what;
  }
};

/// Weakens one ordering of the program; a fence weakened to relaxed is no fence.
struct mutation {
  ordering_site where;
  std::memory_order to = std::memory_order_relaxed;
};

// ---- the execution graph -----------------------------------------------------------------------------------------

/// The index-th event of a thread.
struct event_ref {
  std::int16_t thread = -1, index = -1;
  friend bool operator==(event_ref, event_ref) = default;
  friend auto operator<=>(event_ref, event_ref) = default;
};

/// How many events of each thread come before: happens-before and causality are kept as such vectors.
struct vector_clock {
  std::array<std::int16_t, max_threads> seen{};
  [[nodiscard]] bool covers(event_ref e) const { return e.index < seen[static_cast<std::size_t>(e.thread)]; }
  void join(vector_clock const& other) {
    for (std::size_t t = 0; t != seen.size(); ++t)
      if (other.seen[t] > seen[t]) seen[t] = other.seen[t];
  }
};

enum class op : std::uint8_t {
  begin,
  end,
  spawn,
  join,  // of threads
  init,
  destroy,  // of an atomic or plain object
  load,
  store,
  rmw_read,
  rmw_write,  // atomic accesses
  full_fence,
  light_fence,
  heavy_fence,
  plain_read,
  plain_write,  // non-atomic accesses
  choice,
};

struct event {
  op kind{};
  std::memory_order order = std::memory_order_relaxed;
  bool exclusive = false;  // rmw_read: it did write
  std::int16_t location = -1;
  std::int16_t choice = 0;
  std::uint32_t stamp = 0;  // order of insertion into the graph
  event_ref source;         // of a read: the write that it reads from
  std::uint64_t value = 0;  // read or written
  vector_clock known;       // happens-before, with this event
  vector_clock causes;      // program order and reads-from, with this event
  vector_clock message;     // of a write: what an acquire that reads it learns
  vector_clock floor;       // of a read: it reads nothing that these have overwritten
  site where;
};

struct location {
  event_ref made;
  bool plain = false;
  bool queue = false;          // the hidden queue of sleepers of a futex word
  std::int16_t sleepers = -1;  // location of that queue
  event_ref destroyed;
  std::vector<event_ref> writes;  // in modification order
  std::vector<event_ref> reads;
};

struct graph {
  std::array<std::vector<event>, max_threads> threads;
  std::vector<location> locations;
  std::uint32_t next_stamp = 0;

  event& at(event_ref e) { return threads[static_cast<std::size_t>(e.thread)][static_cast<std::size_t>(e.index)]; }
  event const& at(event_ref e) const {
    return threads[static_cast<std::size_t>(e.thread)][static_cast<std::size_t>(e.index)];
  }
};

// ---- exploring ---------------------------------------------------------------------------------------------------

struct options {
  bool asymmetric = true;       // what atomics::asymmetric_available() says
  bool timeouts = false;        // timed waits may expire
  bool spurious_wakes = false;  // futex waits may return for nothing
  bool pause_blocks = true;     // see README: spin loops
  bool buffered_loads = false;  // report result::buffered
  bool daemons = false;         // the program is over when its first thread is; the others may sleep for ever
  std::uint64_t max_executions = 2'000'000;  // beyond it the result is not exhaustive
  int max_events = 800;                      // of one thread
  std::optional<mutation> weakened;
};

struct result {
  std::uint64_t executions = 0;                          // complete ones, no two alike
  std::uint64_t blocked = 0;                             // cut because another one covers them (stale spin, assume)
  std::uint64_t refused = 0;                             // inconsistent under the model, found after replay
  bool exhaustive = true;                                // false: a bound was hit
  std::string bound;                                     // which
  std::string error;                                     // empty: no execution fails
  std::set<std::string> reached;                         // see reach()
  std::string trace;                                     // of the failing execution
  std::map<ordering_site, std::memory_order> orderings;  // every ordering that ran
  /// Pairs (read, write) of one location where only causality, not happens-before, keeps the read from seeing the
  /// write: a machine that buffers loads might let it. Beyond the model; see README.
  std::set<std::string> buffered;
  [[nodiscard]] bool ok() const { return error.empty(); }
};

/// Runs `program` in every execution that the model allows, until one fails. `each` sees every complete execution.
result explore(std::function<void()> const& program, options const& how = {},
               std::function<void(graph const&)> const& each = {});

// ---- what a program may say --------------------------------------------------------------------------------------

/// Starts a thread; join() returns when it has ended.
int spawn(std::function<void()> const& function);
void join(int thread);
/// The number of the calling thread; the one that runs the program is 0.
int this_thread();
/// Runs the functions as concurrent threads and returns when all have ended.
void parallel(std::vector<std::function<void()>> const& threads);
/// Fails the execution, with a trace.
void require(bool condition, char const* what);
/// Drops the execution: it is not interesting.
void assume(bool condition);
/// Drops the execution because it goes beyond a bound of the program: the result is not exhaustive.
void beyond(char const* bound);
/// Notes that some execution comes by here, so that a check cannot hold because nothing happened.
void reach(char const* point);
/// Each of 0 .. n - 1, in executions of their own.
int choose(int n);

std::string name_of(std::memory_order order);
std::string describe(graph const& g);

/// The axioms of seq_cst for one graph (fences and accesses; asymmetric fences as pairs).
bool sequentially_consistent(graph const& g);

namespace detail {

/// What the atomics call; every function is one or two events of the calling thread.
int make(bool plain, std::uint64_t value, bool may_sleep, site where);
void destroy(int location, site where);
std::uint64_t load(int location, std::memory_order order, site where);
void store(int location, std::uint64_t value, std::memory_order order, site where);
/// `change` gives the new value, or nothing when the operation does not write (a failed compare_exchange).
struct rmw_request {
  std::optional<std::uint64_t> (*change)(std::uint64_t old, void const* context);
  void const* context;
  std::memory_order order, failure;
  bool conditional;
  bool retried = false;  // compare_exchange_weak: a failure only leads to another try
  bool blocks = false;   // a lock: where the change fails, the thread waits until it can be made
};
std::uint64_t rmw(int location, rmw_request const& request, site where);
void fence(op kind, std::memory_order order, site where);
void plain(int location, bool write, site where);
void futex_wait(int word, std::uint32_t expected, bool timed, site where);
void futex_wake(int word, int count, site where);
void pause();
bool asymmetric_available();
/// 64 bytes of the calling thread, zero when it starts.
void* thread_local_memory();

}  // namespace detail

}  // namespace model
