# The libraries that the benchmarks are written with: installed ones first, downloads where there are none.
include(FetchContent)

find_package(benchmark QUIET)
if(NOT benchmark_FOUND)
  message(STATUS "Google Benchmark is not installed; downloading it")
  set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
  set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
  set(BENCHMARK_ENABLE_WERROR OFF CACHE BOOL "" FORCE)
  FetchContent_Declare(benchmark GIT_REPOSITORY https://github.com/google/benchmark.git GIT_TAG v1.8.3 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(benchmark)
endif()

find_package(fmt QUIET)
if(NOT fmt_FOUND)
  message(STATUS "fmt is not installed; downloading it")
  FetchContent_Declare(fmt GIT_REPOSITORY https://github.com/fmtlib/fmt.git GIT_TAG 10.2.1 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(fmt)
endif()
