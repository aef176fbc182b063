#pragma once
// Which pool a call runs on: the default one, one of the user's, or one that is lent for the call.

#include <sched.h>  // sched_yield

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t, uint64_t

#include "tartan/core/errors.hpp"         // bad_argument, error, pool_gone, raise
#include "tartan/core/plain_mutex.hpp"    // mutex_hold, plain_mutex
#include "tartan/core/pool.hpp"           // pool, worker
#include "tartan/core/pool_ref.hpp"       // pool_ref
#include "tartan/core/process_state.hpp"  // number_id, process_object, process_state, slot_id
#include "tartan/core/topology.hpp"       // most_workers, usual_workers

namespace tartan::inline TARTAN_ABI::detail {

/// Makes the object of the slot, unless another thread is first.
template <class T, class Make>
TARTAN_COLD T& begin_process_object(std::atomic<void*>& slot, void* known, Make make) {
  T* const fresh = make();
  // acq_rel: with living_process_object(); acquire, where another thread was first: with that one's release.
  if (slot.compare_exchange_strong(known, fresh, std::memory_order_acq_rel, std::memory_order_acquire)) return *fresh;
  delete fresh;
  return *static_cast<T*>(known);
}

/// As process_object(), for objects that a forked child must not touch, because threads of the parent belong to them:
/// the child leaves the parent's object alone and makes one of its own.
template <class T, class Make>
TARTAN_ALWAYS_INLINE T& living_process_object(slot_id id, Make make) {
  std::atomic<void*>& slot = process_state().slot[static_cast<unsigned>(id)];
  void* const known = slot.load(std::memory_order_acquire);  // with begin_process_object()
  if (known != nullptr && !static_cast<T*>(known)->left_behind()) [[likely]]
    return *static_cast<T*>(known);
  return begin_process_object<T>(slot, known, make);
}

/// What set_default_workers() asked for; 0 when nobody asked.
inline std::atomic<unsigned>& default_workers_wish() noexcept {
  return process_state().number[static_cast<unsigned>(number_id::default_workers)];
}

/// Made at the first call that needs it, never destroyed: a pattern may still run in a static destructor.
inline pool& default_pool() {
  return living_process_object<pool>(slot_id::default_pool, [] {
    unsigned const wish = default_workers_wish().load(std::memory_order_relaxed);  // relaxed: a number
    return new pool(wish != 0 ? wish : usual_workers());
  });
}

/// The same, or null where there is no memory for it.
inline pool* default_pool_or_null() noexcept {
#if TARTAN_EXCEPTIONS
  try {
    return &default_pool();
  } catch (...) {
    return nullptr;
  }
#else
  return &default_pool();
#endif
}

/// Makes none.
inline bool is_default_pool(pool const& p) noexcept {
  // Relaxed: only compared.
  return process_state().slot[static_cast<unsigned>(slot_id::default_pool)].load(std::memory_order_relaxed) == &p;
}

/// The user's pools by number; entries are reused with a new generation and never freed, so that a policy that outlives
/// its pool finds out instead of following a dead pointer.
///
/// No lock, so that a fork at any moment leaves the child a table that it can use. An entry goes
///     free (null) --CAS--> reserved --[generation + 1]--> tenant --> free
/// and find() reads the tenant first, then the generation: a tenant that came later has a later generation.
class pool_table {
  /// A count in the lower half; the upper half says in which process it was counted, since threads of a parent do not
  /// count down in its child.
  class pin_count {
   public:
    void add() noexcept { change(+1); }
    void remove() noexcept { change(-1); }
    /// seq_cst: behind the exchange of remove(), with change() before the load of a pin (see pinned).
    [[nodiscard]] bool held() const noexcept { return of_this_process(word_.load(std::memory_order_seq_cst)) != 0; }

   private:
    [[nodiscard]] static std::uint64_t process() noexcept {
      return std::uint64_t{process_state().forks.load(std::memory_order_relaxed)}  // relaxed: see left_behind()
             << 32;
    }
    [[nodiscard]] static std::uint32_t of_this_process(std::uint64_t word) noexcept {
      return (word >> 32 << 32) == process() ? static_cast<std::uint32_t>(word) : 0;
    }
    void change(int by) noexcept {
      std::uint64_t word = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
      while (!word_.compare_exchange_weak(word, process() | (of_this_process(word) + static_cast<std::uint32_t>(by)),
                                          std::memory_order_seq_cst, std::memory_order_relaxed));  // with held()
    }
    std::atomic<std::uint64_t> word_{0};
  };
  struct entry {
    std::atomic<pool*> tenant{nullptr};
    std::atomic<std::uint32_t> generation{0};
    pin_count pins{};
  };

 public:
  static pool_table& instance() {
    return process_object<pool_table>(slot_id::pool_table, [] { return new pool_table; });
  }

  pool_table() = default;
  pool_table(pool_table const&) = delete;
  pool_table& operator=(pool_table const&) = delete;

  /// Owns the pool until remove(), unless this throws.
  pool_ref add(pool* owned) {
    for (std::uint32_t slot = 0;; ++slot) {
      entry& e = at(slot);
      pool* expected = nullptr;
      if (!e.tenant.compare_exchange_strong(expected, reserved(), std::memory_order_acquire,  // with remove()
                                            std::memory_order_relaxed))
        continue;
      std::uint32_t const generation = e.generation.load(std::memory_order_relaxed) + 1;  // relaxed: ours alone
      e.generation.store(generation, std::memory_order_relaxed);                          // relaxed: carried by tenant
      owned->be_called({slot, generation});
      e.tenant.store(owned, std::memory_order_release);  // with find()
      return {slot, generation};
    }
  }

  /// The pool of that name, no longer in the table and pinned by nobody; the caller deletes it. In a forked child
  /// null: the parent's pool is left alone.
  [[nodiscard]] pool* remove(pool_ref ref) noexcept {
    entry& e = at(ref.slot);
    pool* const tenant = e.tenant.exchange(nullptr, std::memory_order_seq_cst);  // with add(), find() and pin
    while (e.pins.held()) ::sched_yield();                                       // for a submission at most
    return tenant->left_behind() ? nullptr : tenant;
  }

  /// The same for a pool that is never freed: others may refer to it still. It is kept where leak checkers find it.
  void remove_for_ever(pool_ref ref) noexcept {
    pool* const mine = remove(ref);
    if (mine == nullptr) return;
    mine->be_called({});
    mine->kept_before = kept_.load(std::memory_order_relaxed);  // relaxed, all: nobody follows the list
    while (!kept_.compare_exchange_weak(mine->kept_before, mine, std::memory_order_relaxed,
                                        std::memory_order_relaxed));  // as above
  }

  /// A pool that is not destroyed meanwhile, for threads whose end its owner cannot await: what they submit may end,
  /// and be known to have ended, before submit() returns.
  ///
  /// The pin counts (seq_cst), then finds; remove() takes the tenant out (seq_cst), then looks at the count: either the
  /// pin finds no pool, or remove() sees the count.
  /// Exceptions: pool_gone.
  class pinned {
   public:
    explicit pinned(pool_ref ref) : pinned(instance(), ref) {
      pool* const tenant = entry_.tenant.load(std::memory_order_seq_cst);                     // with remove(), as above
      bool const same = entry_.generation.load(std::memory_order_acquire) == ref.generation;  // after the tenant
      if (tenant == nullptr || tenant == reserved() || !same) raise<pool_gone>();
      pool_ = tenant;
    }
    pinned(pinned const&) = delete;
    pinned& operator=(pinned const&) = delete;
    ~pinned() { entry_.pins.remove(); }
    [[nodiscard]] pool& get() const noexcept { return *pool_; }

   private:
    pinned(pool_table& all, pool_ref ref) noexcept : entry_(all.at(ref.slot)) { entry_.pins.add(); }
    entry& entry_;
    pool* pool_ = nullptr;
  };

  /// The name of a pool that lives; not named() if it is not in the table.
  [[nodiscard]] pool_ref name_of(pool const& p) noexcept {
    pool_ref const ref = p.ref();
    return ref.named() && tenant_of(at(ref.slot), ref) == &p ? ref : pool_ref{};
  }

  /// Whether the pool of that name is in the table still.
  [[nodiscard]] bool holds(pool_ref ref) noexcept { return tenant_of(at(ref.slot), ref) != nullptr; }

  /// Throws pool_gone if the pool of that name has been destroyed. In a forked child the pool begins anew.
  pool& find(pool_ref ref) {
    entry& e = at(ref.slot);
    pool* const tenant = tenant_of(e, ref);
    if (tenant == nullptr) raise<pool_gone>();
    if (tenant->left_behind()) [[unlikely]]
      return begin_anew(e, tenant);
    return *tenant;
  }

 private:
  struct chunk {
    static constexpr std::uint32_t length = 64;
    entry entries[length];
    std::atomic<chunk*> next{nullptr};
  };

  static pool* reserved() noexcept { return reinterpret_cast<pool*>(alignof(pool)); }

  /// The pool of that name, or null if it is in the table no more.
  [[nodiscard]] static pool* tenant_of(entry const& e, pool_ref ref) noexcept {
    pool* const tenant = e.tenant.load(std::memory_order_acquire);                     // with add()
    bool const same = e.generation.load(std::memory_order_acquire) == ref.generation;  // after the tenant
    return same && tenant != reserved() ? tenant : nullptr;
  }

  entry& at(std::uint32_t slot) {
    chunk* c = &first_;
    for (; slot >= chunk::length; slot -= chunk::length) {
      chunk* next = c->next.load(std::memory_order_acquire);  // with the exchange below
      if (next == nullptr) {
        auto* const fresh = new chunk;
        // acq_rel: with the load above; acquire, where another thread was first: with that one's release.
        if (c->next.compare_exchange_strong(next, fresh, std::memory_order_acq_rel, std::memory_order_acquire))
          next = fresh;
        else
          delete fresh;
      }
      c = next;
    }
    return c->entries[slot];
  }

  TARTAN_COLD static pool& begin_anew(entry& e, pool* parents) {
    auto* const fresh = new pool(parents->setup());
    fresh->be_called(parents->ref());  // a thread that reads no name here is not the first below either
    if (parents->closing()) fresh->close();
    pool* tenant = parents;
    // acq_rel: with the loads of the tenant; acquire, where another thread was first: with that one's release.
    if (e.tenant.compare_exchange_strong(tenant, fresh, std::memory_order_acq_rel, std::memory_order_acquire)) {
      parents->be_called({});  // what the parent's task forks by that name goes where its loops go
      return *fresh;
    }
    delete fresh;
    return *tenant;
  }

  chunk first_;
  std::atomic<pool*> kept_{nullptr};  // those that are never freed
};

/// Pools for calls that ask for a number of workers that the default pool does not have. Each serves one call at a
/// time; they are kept, because a thread that sleeps costs nothing and one that starts costs 20 us.
class lent_pools {
 public:
  static lent_pools& instance() {
    return living_process_object<lent_pools>(slot_id::lent_pools, [] { return new lent_pools; });
  }

  [[nodiscard]] bool left_behind() const noexcept {
    return forks_ != process_state().forks.load(std::memory_order_relaxed);  // relaxed: changes in a new process only
  }

  /// The caller owns it until it gives it back.
  [[nodiscard]] pool* take(unsigned size) {
    {
      mutex_hold const hold(mutex_);
      for (pool** link = &idle_; *link != nullptr; link = &(*link)->next_idle)
        if (pool* const found = *link; found->size() == size) {
          *link = found->next_idle;
          return found;
        }
    }
    return new pool(size);
  }

  void give_back(pool* owned) noexcept {
    if (owned->left_behind()) return;  // the call forked
    mutex_hold const hold(mutex_);
    owned->next_idle = idle_;
    idle_ = owned;
  }

 private:
  unsigned const forks_ = process_state().forks.load(std::memory_order_relaxed);  // relaxed: as above
  plain_mutex mutex_;
  pool* idle_ = nullptr;
};

}  // namespace tartan::inline TARTAN_ABI::detail

namespace tartan::inline TARTAN_ABI {

/// Sets the size of the default pool, before its first use.
///
/// Exceptions: bad_argument unless 1 <= n <= 4096; error if the default pool exists already with another size.
/// Thread safety: any thread, but a first use at the same time may win.
inline void set_default_workers(std::ptrdiff_t n) {
  if (n < 1 || n > static_cast<std::ptrdiff_t>(detail::most_workers))
    detail::raise<bad_argument>("tartan: set_default_workers(n) needs 1 <= n <= 4096");
  std::atomic<unsigned>& wish = detail::default_workers_wish();
  unsigned const before = wish.exchange(static_cast<unsigned>(n), std::memory_order_relaxed);  // relaxed: a number
  if (detail::default_pool().size() == static_cast<unsigned>(n)) return;
  wish.store(before, std::memory_order_relaxed);  // relaxed: likewise
  detail::raise<error>(
      "tartan: set_default_workers(n) came after the first use of the default pool; call it first in "
      "main(), set TARTAN_WORKERS, or use a thread_pool of your own");
}

}  // namespace tartan::inline TARTAN_ABI
