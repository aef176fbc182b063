#pragma once
// Grids and stencils, with the policies seq and par; include tartan/simd.hpp for simd and par_simd.

#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
#include "tartan/exec/grid.hpp"            // grid, grid_view
#include "tartan/patterns/stencil.hpp"     // the pattern
