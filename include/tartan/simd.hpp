#pragma once
// Vector packs: the policies simd and par_simd, lanes::pack, and the functions that mean the same on packs and numbers.

#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
#include "tartan/leaves/cast.hpp"          // to, saturate
#include "tartan/leaves/foreign.hpp"       // pack_traits, with_packs_of
#include "tartan/leaves/math.hpp"          // exp, log, sin, cos
#include "tartan/leaves/move.hpp"          // slide, gather
#include "tartan/leaves/numeric.hpp"       // fma, sqrt, floor, ceil, trunc
#include "tartan/leaves/select.hpp"        // select, min, max, abs
#include "tartan/leaves/simd.hpp"          // simd_leaf
#include "tartan/leaves/wrapping.hpp"      // wrapping

namespace tartan::inline TARTAN_ABI {

/// This thread, vector packs: functions are called with several elements at once.
///
///     tartan::map_into(tartan::simd, v, out, [](auto x) { return x * x + 1; });
///     double s = tartan::map_reduce(tartan::simd, v, [](auto x) { return tartan::exp(x); });
///
/// A function is written for a number and runs on a pack of them; it branches by tartan::select(x < 0, a, b).
inline constexpr auto simd = seq.simd();

/// The pool's threads, vector packs.
inline constexpr auto par_simd = par.simd();

// Of a number and of a pack, under one name; for a pack they are found without it.
using lanes::abs;
using lanes::ceil;
using lanes::cos;
using lanes::exp;
using lanes::floor;
using lanes::fma;
using lanes::gather;
using lanes::log;
using lanes::max;
using lanes::min;
using lanes::saturate;
using lanes::select;
using lanes::sin;
using lanes::sqrt;
using lanes::to;
using lanes::trunc;
using lanes::wrapping;

}  // namespace tartan::inline TARTAN_ABI
