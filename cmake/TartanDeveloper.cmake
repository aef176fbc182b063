# What only a build of tartan itself wants: sanitizers, warnings, a default build type.
set(TARTAN_SANITIZE "" CACHE STRING "Sanitizers for tests, examples and benchmarks: address,undefined or thread")
option(TARTAN_WERROR "Treat warnings as errors" OFF)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(TARTAN_SANITIZE)
  add_compile_options(-fsanitize=${TARTAN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${TARTAN_SANITIZE})
endif()

add_library(tartan_warnings INTERFACE)
target_compile_options(tartan_warnings INTERFACE -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wpedantic
                                                 $<$<BOOL:${TARTAN_WERROR}>:-Werror>)
# Clang 17 and later report what libstdc++ 12's own std::stable_sort calls, as if the caller had.
target_compile_options(tartan_warnings INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
