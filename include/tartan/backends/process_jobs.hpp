#pragma once
// The jobs that a scheduler of processes has, and whose turn it is.

#include <cstddef>  // size_t
#include <deque>    // deque, erase
#include <vector>   // erase, vector

#include "tartan/backends/process_job.hpp"  // process_job
#include "tartan/core/config.hpp"           // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// All calls come under the scheduler's lock.
class process_jobs {
 public:
  /// So that the next add() finds room among all.
  void make_room() {
    if (all_.size() == all_.capacity()) all_.reserve(2 * all_.size() + 8);
  }

  void add(process_job& job) {
    job.place = all_.size();
    all_.push_back(&job);
    if (job.watched) watched_.push_back(&job);
    enqueue(job);
  }

  void remove(process_job& job) noexcept {
    all_[job.place] = all_.back();
    all_[job.place]->place = job.place;
    all_.pop_back();
    if (job.watched) std::erase(watched_, &job);
    if (job.queued) std::erase(ready_, &job);
  }

  /// Among the jobs that may have work; each is there once.
  void enqueue(process_job& job) {
    if (job.queued) return;
    ready_.push_back(&job);
    job.queued = true;
  }

  /// Takes the one whose turn it is out of them; there is one.
  [[nodiscard]] process_job& dequeue() {
    process_job& job = *ready_.front();
    ready_.pop_front();
    job.queued = false;
    return job;
  }

  [[nodiscard]] std::size_t in_turn() const noexcept { return ready_.size(); }
  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  [[nodiscard]] std::vector<process_job*> const& all() const noexcept { return all_; }
  [[nodiscard]] bool any_watched() const noexcept { return !watched_.empty(); }

  [[nodiscard]] bool any_work() const {
    for (process_job* const job : ready_)
      if (job->has_work()) return true;
    return false;
  }

  /// Those whose call shall stop skip what has not begun.
  void obey_stops() {
    for (process_job* const job : watched_)
      if (job->has_work() && job->stops()) job->skip_rest();
  }

 private:
  std::vector<process_job*> all_;
  std::deque<process_job*> ready_;     // those that may have work
  std::vector<process_job*> watched_;  // those that somebody may stop
};

}  // namespace tartan::inline TARTAN_ABI::detail
