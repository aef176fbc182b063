# cmake -DEXAMPLE=examples/name.cpp -DWORK=... -P example.cmake
# Copies the example alone into an empty folder, builds it there by the command in its first lines
# ("// Build: g++ ... -o name"), and runs it on its default input; its exit status says whether its answer was right.

cmake_minimum_required(VERSION 3.22)
get_filename_component(name "${EXAMPLE}" NAME_WE)
set(folder "${WORK}/examples/${name}")
file(REMOVE_RECURSE "${folder}")
file(MAKE_DIRECTORY "${folder}")
file(COPY "${EXAMPLE}" DESTINATION "${folder}")

file(STRINGS "${EXAMPLE}" head LIMIT_COUNT 20)
set(command "")
foreach(line IN LISTS head)
  if(line MATCHES "^// *Build: *(.+)$")
    set(command "${CMAKE_MATCH_1}")
    break()
  endif()
endforeach()
if(command STREQUAL "")
  message(FATAL_ERROR "${EXAMPLE}: no line '// Build: g++ -std=c++20 -O2 ${name}.cpp $(pkg-config --cflags --libs tartan) -o ${name}' among the first 20")
endif()

# The example's command stands for any compiler; the one under test takes g++'s place.
if(COMPILER)
  string(REGEX REPLACE "^g\\+\\+ " "${COMPILER} ${EXTRA_FLAGS} " command "${command}")
endif()
if(OPTIMISE)
  string(REGEX REPLACE " -O[0-3] " " ${OPTIMISE} " command "${command}")
endif()

# Libraries other than tartan may be missing on this machine; then the test says so and counts as skipped.
if(command MATCHES "pkg-config --cflags --libs tartan ([^)]+)\\)")
  separate_arguments(others UNIX_COMMAND "${CMAKE_MATCH_1}")
  foreach(other IN LISTS others)
    execute_process(COMMAND pkg-config --exists "${other}" RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(NOT status EQUAL 0)
      message(STATUS "skipped: ${name} needs ${other}, which pkg-config does not find here")
      return()
    endif()
  endforeach()
endif()

set(ENV{PKG_CONFIG_PATH} "${WORK}/prefix/share/pkgconfig")
execute_process(COMMAND sh -c "${command}" WORKING_DIRECTORY "${folder}" RESULT_VARIABLE status
                OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message("${output}")
  message(FATAL_ERROR "${name}: this does not build it: ${command}")
endif()
if(NOT EXISTS "${folder}/${name}")
  message(FATAL_ERROR "${name}: the build command made no program named ${name}: ${command}")
endif()
execute_process(COMMAND "${folder}/${name}" WORKING_DIRECTORY "${folder}" RESULT_VARIABLE status
                OUTPUT_VARIABLE output ERROR_VARIABLE output)
message(STATUS "${name}:\n${output}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${name} ended with ${status}")
endif()
