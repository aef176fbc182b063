#pragma once
// Ranges that are sooner done by one worker than shared, found out on the way.

#include <algorithm>  // max, min
#include <cstddef>    // size_t
#include <cstdint>    // uint64_t

#include "tartan/core/config.hpp"      // TARTAN_ABI
#include "tartan/core/ticks.hpp"       // ticks, ticks_per_us
#include "tartan/exec/properties.hpp"  // properties

namespace tartan::inline TARTAN_ABI::detail {

/// As for_range(props, n, 1, body), but where elements turn out to be cheap, one worker does what takes half a
/// millisecond before the others may join in: what they do must be put together with the rest afterwards, and for
/// short ranges that costs more than they save. A stretch that is done alone is never more than a small share of the
/// range, since dear elements may follow cheap ones.
template <class Backend, class Body>
void for_range_alone_first(Backend const& backend, properties const& props, std::size_t n, Body const& body) {
  constexpr std::size_t first = 64, share = 32;
  if (n < 4 * first || props.grain != 0 || backend.width(props) == 1)
    return backend.for_range(props, n, std::size_t{1}, body);
  auto const all_of = [&](properties const& how, std::size_t from, std::size_t to) {
    backend.for_range(how, to - from, std::size_t{1},
                      [&](std::size_t begin, std::size_t end) { body(from + begin, from + end); });
  };
  properties once = props.uncounted();
  once.grain = 1;
  backend.for_range(once, 1, std::size_t{1}, [&](std::size_t, std::size_t) {
    std::uint64_t const us = ticks_per_us(), begin = ticks();
    properties how = props;
    std::size_t done = 0, next = first;
    for (std::uint64_t last = begin; done != n;) {
      all_of(how, done, done + next);
      done += next;
      std::uint64_t const now = ticks(), spent = (std::max<std::uint64_t>)(now - last, 1);
      if (now - begin > 500 * us || spent > next * us) break;
      std::size_t const soon = (std::max<std::size_t>)(static_cast<std::size_t>(next * 20 * us / spent), 1);
      next = (std::min)({soon, n / share + 1, n - done});
      how.grain = (std::max<std::size_t>)(next, 1);
      last = now;
    }
    if (done != n) all_of(props, done, n);
  });
}

}  // namespace tartan::inline TARTAN_ABI::detail
