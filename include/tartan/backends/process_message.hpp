#pragma once
// Units of a job as a message: request_kind::run of ipc/wire.hpp.

#include <cstddef>    // byte, size_t
#include <cstdint>    // uint32_t, uint64_t
#include <exception>  // current_exception

#include "tartan/backends/process_job.hpp"  // process_job, unit_range
#include "tartan/core/config.hpp"           // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/frame.hpp"            // frame_writer
#include "tartan/ipc/wire.hpp"              // run_header

namespace tartan::inline TARTAN_ABI::detail {

/// How many of the units fit a message, and their bytes; the first that cannot be measured fails and is taken out.
inline std::uint64_t measure_units(process_job& job, unit_range& r, std::size_t& bytes) {
  constexpr std::size_t target = 24 << 10;  // bytes of one message, unless one unit is larger
  for (std::uint64_t k = 0; k != r.count; ++k) {
    std::size_t size = 0;
#if TARTAN_EXCEPTIONS
    try {
      size = job.measure(r.first + k);
    } catch (...) {
      if (k != 0) return k;  // tried again as the first of the next message
      job.fail(r.first, std::current_exception());
      ++r.first;
      --r.count;
      return 0;
    }
#else
    size = job.measure(r.first + k);
#endif
    size += sizeof(std::uint64_t);
    if (k != 0 && bytes + size > target) return k;
    bytes += size;
  }
  return r.count;
}

inline std::size_t message_size(process_job const& job, std::size_t unit_bytes) noexcept {
  std::size_t const work_bytes = job.shared_work == nullptr ? job.work.size() : 0;
  return sizeof(run_header) + job.code.module.size() + work_bytes + unit_bytes;
}

/// Writes message_size() bytes; `first_number` is the number of the first unit as the peer counts them.
inline void write_message(std::byte* at, std::size_t size, std::uint64_t first_number, process_job& job, unit_range r) {
  frame_writer out(at, size);
  run_header header{};
  header.first_number = first_number;
  header.job = job.number;
  header.code = job.code.offset;
  header.module_size = static_cast<std::uint32_t>(job.code.module.size());
  header.count = static_cast<std::uint32_t>(r.count);
  header.work = {job.shared_work, job.work.size()};
  header.timed = job.timeout.count() != 0 ? 1 : 0;
  out.raw(header);
  out.bytes(job.code.module.data(), job.code.module.size());
  if (job.shared_work == nullptr) out.bytes(job.work.data(), job.work.size());
  for (std::uint64_t k = 0; k != r.count; ++k) {
    auto const unit_size = job.measure(r.first + k);
    out.raw(static_cast<std::uint64_t>(unit_size));
    job.encode(r.first + k, out);
  }
}

}  // namespace tartan::inline TARTAN_ABI::detail
