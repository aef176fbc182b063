#pragma once
// A pool that belongs to the tests, for policies that name one.

#include "tartan/core/pool.hpp"        // pool
#include "tartan/core/pool_table.hpp"  // pool_table
#include "tartan/exec/properties.hpp"  // pool_ref

namespace tartan::test {

class own_pool {
 public:
  explicit own_pool(unsigned size) : pool_(size), handle_(detail::pool_table::instance().add(pool_)) {}
  own_pool(own_pool const&) = delete;
  own_pool& operator=(own_pool const&) = delete;
  ~own_pool() { detail::pool_table::instance().remove(handle_); }
  [[nodiscard]] pool_ref ref() const noexcept { return {handle_.slot, handle_.generation}; }

 private:
  detail::pool pool_;
  detail::pool_table::handle handle_;
};

}  // namespace tartan::test
