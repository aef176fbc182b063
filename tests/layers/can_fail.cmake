# cmake -DCHECK=check_layers.cmake -DWORK=folder -P can_fail.cmake
# Writes small include trees with one fault each and wants the layer check to name the fault.

cmake_minimum_required(VERSION 3.22)

# header(PATH INCLUDED...) writes one header that includes the others.
function(header path)
  set(text "#pragma once\n")
  foreach(name IN LISTS ARGN)
    string(APPEND text "#include ${name}\n")
  endforeach()
  file(WRITE "${WORK}/${path}" "${text}")
endfunction()

function(expect verdict)
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DINCLUDE=${WORK}" -P "${CHECK}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(FIND "${output}" "${verdict}" place)
  if(verdict STREQUAL "fine")
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "a sound tree was refused:\n${output}")
    endif()
  elseif(status EQUAL 0 OR place EQUAL -1)
    message(FATAL_ERROR "expected '${verdict}', got:\n${output}")
  endif()
  file(REMOVE_RECURSE "${WORK}")
endfunction()

file(REMOVE_RECURSE "${WORK}")
header(tartan/version.hpp)
header(tartan/core/a.hpp "\"tartan/version.hpp\"" "<vector>")
header(tartan/patterns/b.hpp "\"tartan/core/a.hpp\"")
header(tartan/b.hpp "\"tartan/patterns/b.hpp\"")
expect(fine)

header(tartan/backends/threads.hpp)
header(tartan/patterns/b.hpp "\"tartan/backends/threads.hpp\"")
expect("layer patterns must not include tartan/backends/threads.hpp")

header(tartan/patterns/b.hpp)
header(tartan/backends/threads.hpp "\"tartan/patterns/b.hpp\"")
expect("layer backends must not include tartan/patterns/b.hpp")

header(tartan/policies.hpp)
header(tartan/core/a.hpp "\"tartan/policies.hpp\"")
expect("layer core must not include tartan/policies.hpp")

header(tartan/core/a.hpp "\"tartan/core/b.hpp\"")
header(tartan/core/b.hpp "\"tartan/core/c.hpp\"")
header(tartan/core/c.hpp "\"tartan/core/b.hpp\"")
expect("include cycle: tartan/core/b.hpp -> tartan/core/c.hpp -> tartan/core/b.hpp")

header(tartan/core/a.hpp "\"b.hpp\"")
header(tartan/core/b.hpp)
expect("which is not a header of tartan")

header(tartan/core/a.hpp "<execution>")
expect("<execution> drags in TBB")

header(tartan/extras/a.hpp)
expect("there is no layer 'extras'")
