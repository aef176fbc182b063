#pragma once
// Counters that forked children and the test see alike, so that a test can watch workers that share no other memory.

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <new>

namespace tartan::test {

class shared_cells {
 public:
  explicit shared_cells(std::size_t n) : n_(n) {
    void* const p =
        ::mmap(nullptr, n * sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    cells_ = static_cast<std::atomic<int>*>(p);
    for (std::size_t i = 0; i != n; ++i) ::new (cells_ + i) std::atomic<int>(0);
  }
  shared_cells(shared_cells const&) = delete;
  shared_cells& operator=(shared_cells const&) = delete;
  ~shared_cells() { ::munmap(cells_, n_ * sizeof(std::atomic<int>)); }

  [[nodiscard]] std::atomic<int>& operator[](std::size_t i) const noexcept { return cells_[i]; }
  [[nodiscard]] std::size_t size() const noexcept { return n_; }
  [[nodiscard]] int total() const noexcept {
    int sum = 0;
    for (std::size_t i = 0; i != n_; ++i) sum += cells_[i];
    return sum;
  }

 private:
  std::size_t n_;
  std::atomic<int>* cells_;
};

/// A stop that workers anywhere can raise.
class shared_flag {
 public:
  [[nodiscard]] bool stop_requested() const noexcept { return cell_[0] != 0; }
  void raise() const noexcept { cell_[0] = 1; }
  void lower() const noexcept { cell_[0] = 0; }

 private:
  shared_cells cell_{1};
};

}  // namespace tartan::test
