# cmake -DREADME=README.md -DSOURCE=... -DWORK=... -DCOMPILER=... -P readme.cmake
# Compiles and runs the first ```cpp block of the README as it stands, and holds it to 15 lines.

cmake_minimum_required(VERSION 3.22)
file(READ "${README}" text)
string(FIND "${text}" "```cpp\n" begin)
if(begin EQUAL -1)
  message(FATAL_ERROR "${README}: no ```cpp block")
endif()
math(EXPR begin "${begin} + 7")
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "```" end)
string(SUBSTRING "${text}" 0 ${end} program)

string(REGEX MATCHALL "\n" newlines "${program}")
list(LENGTH newlines count)
if(count GREATER 15)
  message(FATAL_ERROR "${README}: the first example has ${count} lines; it promises 15")
endif()

set(folder "${WORK}_readme")
file(MAKE_DIRECTORY "${folder}")
file(WRITE "${folder}/readme.cpp" "${program}")
foreach(command IN ITEMS "'${COMPILER}' ${EXTRA_FLAGS} -std=c++20 -O2 -I '${SOURCE}/include' -pthread readme.cpp -o readme" "./readme")
  execute_process(COMMAND sh -c "${command}" WORKING_DIRECTORY "${folder}" RESULT_VARIABLE status
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  message(STATUS "${command}\n${output}")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "the README's first example fails (${status}): ${command}")
  endif()
endforeach()
