#pragma once
// The elementary functions of packs and numbers.

#include "tartan/leaves/math/exp.hpp"           // exp
#include "tartan/leaves/math/log.hpp"           // log
#include "tartan/leaves/math/trigonometry.hpp"  // sin, cos
