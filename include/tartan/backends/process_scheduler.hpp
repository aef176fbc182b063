#pragma once
// Which unit goes to which worker process, and what happens when one dies: written once, over any transport.

#include <algorithm>           // none_of
#include <chrono>              // milliseconds, nanoseconds, seconds
#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <cstdint>             // uint64_t
#include <memory>              // unique_ptr
#include <mutex>               // mutex, unique_lock
#include <thread>              // thread
#include <utility>             // forward, move
#include <vector>              // vector

#include "tartan/backends/process_deaths.hpp"              // memory_kills_seen
#include "tartan/backends/process_job.hpp"                 // process_job
#include "tartan/backends/process_launched.hpp"            // launch_key
#include "tartan/backends/process_peer.hpp"                // monotonic_ns, peer_phase, process_peer, roughly_now
#include "tartan/backends/process_scheduler/clocks.hpp"    // process_clocks
#include "tartan/backends/process_scheduler/crew.hpp"      // process_crew, process_settings, process_stats
#include "tartan/backends/process_scheduler/receiver.hpp"  // process_receiver
#include "tartan/backends/process_scheduler/sender.hpp"    // process_sender
#include "tartan/core/await.hpp"                           // blocking_scope
#include "tartan/core/config.hpp"                          // TARTAN_ABI
#include "tartan/core/errors.hpp"                          // pool_closed, raise
#include "tartan/core/os_thread.hpp"                       // block_asynchronous_signals, name_this_thread
#include "tartan/core/ticks.hpp"                           // cpu_pause, ticks, ticks_per_us
#include "tartan/ipc/process_errors.hpp"                   // process_start_error

namespace tartan::inline TARTAN_ABI::detail {

/// The scheduler. It alone writes its state, under its lock; peers only answer. So a peer that is killed at any
/// instruction has either answered a unit or not, and wedges nobody.
///
/// Every thread that waits for a job drives all of them: it takes messages, buries the dead, sends units. Nobody else
/// is needed, and the thread that waits is the one that is warm when the answer comes.
///
/// How much is sent at once is said at process_peer. Units that wait behind a slow one while another peer idles are
/// recalled: the peer itself hands them back, so none can run twice.
template <class Transport>
class process_scheduler {
 public:
  using settings = process_settings;

  template <class... Args>
  explicit process_scheduler(settings const& s, unsigned spin_us, Args&&... transport_args)
      : spin_ticks_(spin_us * ticks_per_us()), crew_(s, std::forward<Args>(transport_args)...) {
    static_cast<void>(memory_kills_seen());
  }
  process_scheduler(process_scheduler const&) = delete;
  process_scheduler& operator=(process_scheduler const&) = delete;

  /// Waits for what was launched, then for the workers.
  ~process_scheduler() {
    join();
    {
      std::unique_lock const lock(mutex_);
      monitor_ends_ = true;
    }
    work_for_monitor_.notify_one();
    if (monitor_.joinable()) monitor_.join();
  }

  /// Starts the peers that are not there; also done by the first job.
  void start() {
    std::unique_lock const lock(mutex_);
    crew_.start_missing();
  }

  /// Runs the job to its end; the calling thread drives. Inside a task of a thread pool that counts as blocking: the
  /// work is done elsewhere.
  void run(process_job& job) {
    blocking_scope const scope;
    std::unique_lock lock(mutex_);
    if (crew_.closed) raise<pool_closed>();
    admission const stay(crew_, job);
    while (!job.finished()) step(lock, true);
  }

  /// Takes a job of one unit over and returns; a thread of the scheduler's drives it, and tells its news.
  void launch(std::unique_ptr<process_job> job) {
    std::unique_lock const lock(mutex_);
    own(std::move(job), nullptr);
    crew_.launched.add_unit();
    sender_.send_all();
    call_monitor();
  }

  /// The same for one unit more of a job that may be there already: `make()` gives a job without units, `append(job)`
  /// puts one into it. Units of one key go together, as many in a message as pays.
  template <class Make, class Append>
  void launch(launch_key const& key, Make make, Append append) {
    std::unique_lock const lock(mutex_);
    if (crew_.closed) raise<pool_closed>();
    process_job* job = crew_.launched.find(key);
    if (job == nullptr) {
      auto fresh = make();
      append(*fresh);
      fresh->end = 1;
      job = own(std::move(fresh), &key);
    } else {
      append(*job);
      ++job->end;
      crew_.jobs.enqueue(*job);
    }
    crew_.launched.add_unit();
    if (worth_sending(*job)) sender_.send_all();
    call_monitor();
  }

  // ---- a job whose units come one by one; one thread at a time

  void enter(process_job& job) {
    std::unique_lock const lock(mutex_);
    if (crew_.closed) raise<pool_closed>();
    crew_.admit(job);
  }

  /// One unit more; make(unit) comes first, under the lock.
  template <class Make>
  void extend(process_job& job, Make make) {
    std::unique_lock const lock(mutex_);
    if (crew_.closed) raise<pool_closed>();
    make(job.end);
    if (job.stopped) {
      job.next = ++job.end;
      return job.dropped({job.end - 1, 1});
    }
    ++job.end;
    crew_.jobs.enqueue(job);
    sender_.send_all();
  }

  /// One look at everything, then f under the lock.
  template <class F>
  void look(F f) {
    std::unique_lock lock(mutex_);
    turn();
    if (crew_.launched.has_news()) tell_news(lock, false);
    f();
  }

  /// Drives until ready(), which is asked under the lock.
  template <class Ready>
  void drive_until(Ready ready) {
    std::unique_lock lock(mutex_);
    while (!ready()) step(lock, true);
  }

  /// What has not begun of the job will not.
  void skip_rest(process_job& job) noexcept {
    std::unique_lock const lock(mutex_);
    job.skip_rest();
  }

  /// After skip_rest(): waits for what has begun.
  void leave(process_job& job) {
    std::unique_lock lock(mutex_);
    while (job.outstanding != 0) step(lock, true);
    crew_.dismiss(job);
  }

  void close() noexcept {
    std::unique_lock const lock(mutex_);
    crew_.closed = true;
  }

  /// After close(): waits for the calls that run, then for the workers to end.
  void join() {
    {
      std::unique_lock lock(mutex_);
      crew_.closed = true;
      while (!crew_.jobs.empty() || crew_.launched.untold() != 0) step(lock, false);
    }
    end_peers(std::chrono::seconds(2));
  }

  /// Kills every peer; what runs or waits fails with pool_closed.
  void terminate() {
    std::unique_lock const lock(mutex_);
    crew_.closed = true;
    for (std::size_t i = 0; i != crew_.peers.size(); ++i)
      if (crew_.peers[i].phase != peer_phase::absent) crew_.transport.kill(i);
    crew_.fail_all(pool_closed());
    crew_.transport.wake();
    work_for_monitor_.notify_one();
  }

  /// Sends a signal to every worker that lives.
  void signal(int number) {
    std::unique_lock const lock(mutex_);
    for (std::size_t i = 0; i != crew_.peers.size(); ++i)
      if (crew_.peers[i].phase != peer_phase::absent) crew_.transport.signal(i, number);
  }

  [[nodiscard]] process_stats stats() const {
    std::unique_lock const lock(mutex_);
    return crew_.stats;
  }

  [[nodiscard]] std::size_t size() const noexcept { return crew_.peers.size(); }

  /// Process numbers of the workers that live.
  [[nodiscard]] std::vector<int> pids() {
    std::unique_lock lock(mutex_);
    crew_.start_missing();
    std::vector<int> found;
    for (std::size_t i = 0; i != crew_.peers.size(); ++i) {
      while (crew_.peers[i].phase == peer_phase::starting) step(lock, false);
      if (crew_.peers[i].phase == peer_phase::ready) found.push_back(crew_.transport.pid(i));
    }
    return found;
  }

 private:
  // ---- jobs ---------------------------------------------------------------------------------------------------

  /// The time in which a job is known here. If it ends early, by an exception, answers that still come are dropped.
  class admission {
   public:
    admission(process_crew<Transport>& crew, process_job& job) : crew_(crew), job_(job) { crew_.admit(job_); }
    admission(admission const&) = delete;
    admission& operator=(admission const&) = delete;
    ~admission() { crew_.dismiss(job_); }

   private:
    process_crew<Transport>& crew_;
    process_job& job_;
  };

  // ---- launched jobs

  /// Makes the job the scheduler's own. Throws before it has changed anything.
  process_job* own(std::unique_ptr<process_job> job, launch_key const* key) {
    if (crew_.closed) raise<pool_closed>();
    if (!monitor_.joinable()) monitor_ = std::thread([this] { watch(); });
    crew_.launched.make_room();
    crew_.admit(*job);
    job->owned = true;
    crew_.launched.add(*job, key);
    return job.release();
  }

  void call_monitor() {
    if (monitor_idles_)
      work_for_monitor_.notify_one();
    else if (crew_.launched.any_ended())
      crew_.transport.wake();  // a unit that could not be encoded has ended already
  }

  /// Whether a unit more shall go at once. Where every peer has some on its way, or one that is quick has, answers will
  /// ask for the next message; where the monitor is about to look again, it sends what there is. Until then more come
  /// together: to wake a peer that sleeps costs as much as many quick units. (One that was quick and is so no more does
  /// not keep them: process_clocks has the monitor look after a millisecond.)
  [[nodiscard]] bool worth_sending(process_job const& job) const noexcept {
    constexpr std::uint64_t enough_for_a_message = 128, enough_on_the_way = 2;
    if (job.waiting() >= enough_for_a_message) return true;
    if (monitor_tells_) return false;
    if (std::ranges::none_of(crew_.peers,
                             [](process_peer const& w) { return w.ready() && w.outstanding() < enough_on_the_way; }))
      return false;
    auto const now = roughly_now();
    return std::ranges::none_of(crew_.peers, [&](process_peer const& w) { return w.will_answer_soon(now); });
  }

  void tell_news(std::unique_lock<std::mutex>& lock, bool by_monitor) {
    monitor_tells_ |= by_monitor;
    auto news = crew_.launched.take_news();
    lock.unlock();
    auto const told = news.tell();
    lock.lock();
    if (by_monitor) monitor_tells_ = false;
    crew_.launched.told(told);
    if (crew_.launched.untold() == 0) crew_.transport.wake();  // join() may wait for it
  }

  /// One look, and a rest if nothing moved.
  void step(std::unique_lock<std::mutex>& lock, bool may_spin, bool by_monitor = false) {
    ++drivers_;
    bool const moved = turn();
    if (crew_.launched.has_news())
      tell_news(lock, by_monitor);
    else if (!moved)
      rest(lock, may_spin);
    --drivers_;
  }

  /// The life of the scheduler's own thread: drives while there are launched jobs.
  void watch() {
    block_asynchronous_signals();
    name_this_thread("tartan-watch", 0);
    std::unique_lock lock(mutex_);
    while (!monitor_ends_) {
      if (crew_.launched.untold() != 0) {
        step(lock, false, true);
      } else {
        monitor_idles_ = true;
        work_for_monitor_.wait(lock);
        monitor_idles_ = false;
      }
    }
  }

  // ---- one look at everything -----------------------------------------------------------------------------------

  /// Takes what has come, sends what can go. Returns whether anything moved.
  bool turn() {
    bool moved = false;
    crew_.finished_jobs = false;
    for (std::size_t i = 0; i != crew_.peers.size(); ++i) {
      if (crew_.peers[i].phase == peer_phase::absent) continue;
      bool const ended = crew_.transport.ended(i);  // before receive(): its last words are then there
      moved |= receiver_.receive_all(i);
      if (ended) {
        crew_.bury(i);
        moved = true;
      }
    }
    crew_.jobs.obey_stops();
    moved |= sender_.send_all();
    clocks_.check();
    if (crew_.finished_jobs && drivers_ > 1) crew_.transport.wake();  // their threads may sleep
    return moved;
  }

  // ---- waiting --------------------------------------------------------------------------------------------------

  /// Nothing moved: spins a little, then sleeps until something can have changed.
  void rest(std::unique_lock<std::mutex>& lock, bool may_spin) {
    auto const limit = clocks_.next_look();
    lock.unlock();
    bool something = may_spin ? spin() : crew_.transport.anything();
    if (!something) {
      auto const token = crew_.transport.arm();
      if (!crew_.transport.anything()) crew_.transport.sleep(token, limit);
      something = crew_.transport.anything();
    }
    lock.lock();
    if (!something && !crew_.transport.can_replace()) zygote_gone();
  }

  [[nodiscard]] bool spin() const noexcept {
    if (spin_ticks_ == 0) return crew_.transport.anything();
    auto const until = ticks() + spin_ticks_;
    do {
      if (crew_.transport.anything()) return true;
      cpu_pause();
    } while (ticks() < until);
    return false;
  }

  void zygote_gone() {
    for (std::size_t i = 0; i != crew_.peers.size(); ++i) receiver_.receive_all(i);
    crew_.fail_all(
        process_start_error("tartan: the process that starts workers was killed, and all workers with it; a program "
                            "with threads cannot make another: restart the program"));
    for (process_peer& w : crew_.peers) w.phase = peer_phase::absent;
  }

  void end_peers(std::chrono::nanoseconds patience) {
    std::unique_lock lock(mutex_);
    auto const until = monotonic_ns() + patience.count();
    for (std::size_t i = 0; i != crew_.peers.size(); ++i)
      if (crew_.peers[i].phase == peer_phase::ready) crew_.retire(i);
    bool killed = false;
    for (;;) {
      bool any = false;
      for (std::size_t i = 0; i != crew_.peers.size(); ++i) {
        if (crew_.peers[i].phase == peer_phase::starting && crew_.transport.receive(i)) {
          crew_.transport.received(i);
          crew_.peers[i].phase = peer_phase::ready;
          crew_.retire(i);
        }
        if (crew_.peers[i].phase != peer_phase::absent && crew_.transport.ended(i)) {
          crew_.transport.bury(i);
          crew_.peers[i].phase = peer_phase::absent;
        }
        any |= crew_.peers[i].phase != peer_phase::absent;
      }
      if (!any || !crew_.transport.can_replace()) return;
      if (!killed && monotonic_ns() > until) {
        for (std::size_t i = 0; i != crew_.peers.size(); ++i)
          if (crew_.peers[i].phase != peer_phase::absent) crew_.transport.kill(i);
        killed = true;
      }
      lock.unlock();
      auto const token = crew_.transport.arm();
      if (!crew_.transport.anything()) crew_.transport.sleep(token, std::chrono::milliseconds(20));
      lock.lock();
    }
  }

  std::uint64_t const spin_ticks_;
  mutable std::mutex mutex_;
  process_crew<Transport> crew_;
  process_receiver<Transport> receiver_{crew_};
  process_sender<Transport> sender_{crew_};
  process_clocks<Transport> clocks_{crew_};
  std::thread monitor_;
  std::condition_variable work_for_monitor_;
  bool monitor_idles_ = false;
  bool monitor_tells_ = false;  // without the lock; then it looks at everything again
  bool monitor_ends_ = false;
  unsigned drivers_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI::detail
