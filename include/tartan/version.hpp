#pragma once

/// The one place that holds tartan's version: CMake, pkg-config and the ABI tag read it from here.
#define TARTAN_VERSION_MAJOR 0
#define TARTAN_VERSION_MINOR 1
#define TARTAN_VERSION_PATCH 0

/// Raised by every release that changes the layout of what the parts of one process share.
#define TARTAN_ABI_VERSION 0
