#pragma once
// The launched jobs of a scheduler, from their first unit until the last result has been told.

#include <algorithm>  // any_of
#include <chrono>     // nanoseconds
#include <cstddef>    // size_t
#include <memory>     // unique_ptr
#include <utility>    // exchange, pair
#include <vector>     // erase_if, vector

#include "tartan/backends/process_job.hpp"  // process_job, process_news
#include "tartan/core/config.hpp"           // TARTAN_ABI
#include "tartan/core/run_control.hpp"      // piece_counter, stop_query

namespace tartan::inline TARTAN_ABI::detail {

/// What launched units must have in common to go together.
struct launch_key {
  void const* kind;  ///< of the job's class
  std::chrono::nanoseconds timeout;
  unsigned retries;
  std::size_t most_workers;
  stop_query stop;
  piece_counter progress;
  friend bool operator==(launch_key const&, launch_key const&) = default;
};

/// Jobs that nobody waits for. Those with a key take further units of it for as long as they run. All calls come under
/// the scheduler's lock, but for batch::tell().
class launched_jobs {
 public:
  /// News of many jobs, and jobs that have ended.
  class batch {
   public:
    /// Without the lock, because what is told may run anything; then nothing of the jobs is left. Returns how many
    /// units were told.
    std::size_t tell() {
      std::size_t told = 0;
      for (auto const& one : news_) told += one->tell();
      news_.clear();
      ended_.clear();
      return told;
    }

   private:
    friend class launched_jobs;
    std::vector<std::unique_ptr<process_news>> news_;
    std::vector<std::unique_ptr<process_job>> ended_;
  };

  /// Units that have been launched and not been told.
  [[nodiscard]] std::size_t untold() const noexcept { return untold_; }
  void add_unit() noexcept { ++untold_; }
  void told(std::size_t units) noexcept { untold_ -= units; }

  /// A job that takes further units; one that was stopped takes none.
  [[nodiscard]] process_job* find(launch_key const& key) const noexcept {
    for (auto const& [its_key, job] : open_)
      if (its_key == key && !job->stopped) return job;
    return nullptr;
  }

  /// So that the next add() cannot fail.
  void make_room() {
    running_.reserve(running_.size() + 1);
    open_.reserve(open_.size() + 1);
  }
  void add(process_job& job, launch_key const* key) noexcept {
    running_.push_back(&job);
    if (key != nullptr) open_.emplace_back(*key, &job);
  }

  /// All of its units have ended; it is ours now.
  void end(process_job& job) {
    std::erase(running_, &job);
    std::erase_if(open_, [&](auto const& entry) { return entry.second == &job; });
    ended_.emplace_back(&job);
  }

  [[nodiscard]] bool any_ended() const noexcept { return !ended_.empty(); }
  [[nodiscard]] bool has_news() const noexcept {
    return any_ended() || std::ranges::any_of(running_, [](process_job const* job) { return job->has_news(); });
  }

  [[nodiscard]] batch take_news() {
    batch taken;
    for (auto const& job : ended_)
      if (job->has_news()) taken.news_.push_back(job->take_news());
    for (process_job* const job : running_)
      if (job->has_news()) taken.news_.push_back(job->take_news());
    taken.ended_ = std::exchange(ended_, {});
    return taken;
  }

 private:
  std::vector<process_job*> running_;
  std::vector<std::pair<launch_key, process_job*>> open_;
  std::vector<std::unique_ptr<process_job>> ended_;
  std::size_t untold_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI::detail
