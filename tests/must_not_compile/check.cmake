# cmake -DCOMPILER=... -DFLAGS=... -DINCLUDE=... -DPARSED=... -DSOURCE=... -P check.cmake
# Compiles SOURCE once as it stands (must work) and once for each sentence that it expects (must fail and say so). Before
# it stands PARSED, a header that has been compiled already, unless a line "// alone: ..." says why it must not.

cmake_minimum_required(VERSION 3.22)

function(compile macro status output)
  execute_process(COMMAND "${COMPILER}" ${FLAGS} -std=c++20 -I "${INCLUDE}" ${behind} ${macro}
                          -fsyntax-only "${SOURCE}"
                  RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  string(REGEX REPLACE "[ \t\r\n]+" " " flat "${text}")
  set(${status} "${result}" PARENT_SCOPE)
  set(${output} "${flat}" PARENT_SCOPE)
  set(raw_output "${text}" PARENT_SCOPE)
endfunction()

file(READ "${SOURCE}" source)
if(NOT source MATCHES "TARTAN_MUST_FAIL")
  message(FATAL_ERROR "${SOURCE}: nothing here depends on TARTAN_MUST_FAIL")
endif()

set(behind -include "${PARSED}")
if(source MATCHES "// alone: ")
  set(behind "")
endif()

# Semicolons and brackets would split or glue a CMake list, so they are hidden while the lines are taken apart.
string(REPLACE ";" "<semicolon>" source "${source}")
string(REPLACE "[" "<open>" source "${source}")
string(REPLACE "]" "<close>" source "${source}")
string(REGEX MATCHALL "// expect: [^\n]+" expectations "${source}")
list(LENGTH expectations count)
if(count EQUAL 0)
  message(FATAL_ERROR "${SOURCE}: a comment '// expect: SENTENCE' must say what the compiler has to print")
endif()

compile("" status output)
if(NOT status EQUAL 0)
  message("${raw_output}")
  message(FATAL_ERROR "${SOURCE}: the control does not compile")
endif()

set(number 0)
foreach(expectation IN LISTS expectations)
  math(EXPR number "${number} + 1")
  string(REGEX REPLACE "^// expect: *" "" sentence "${expectation}")
  string(REPLACE "<semicolon>" ";" sentence "${sentence}")
  string(REPLACE "<open>" "[" sentence "${sentence}")
  string(REPLACE "<close>" "]" sentence "${sentence}")
  string(STRIP "${sentence}" sentence)
  compile("-DTARTAN_MUST_FAIL=${number}" status output)
  if(status EQUAL 0)
    message(FATAL_ERROR "${SOURCE}: case ${number} compiles, but must be refused with: ${sentence}")
  endif()
  string(FIND "${output}" "${sentence}" place)
  if(place EQUAL -1)
    message("${raw_output}")
    message(FATAL_ERROR "${SOURCE}: case ${number} is refused, but not with this sentence: ${sentence}")
  endif()
  message(STATUS "refused as it should be: ${sentence}")
endforeach()
