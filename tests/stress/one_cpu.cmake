# Threads that share one processor must get on as well: nobody may spin while the thread that it
# waits for cannot run. Run it as
#
#   cmake -D PROGRAMS=<program>... [-D LAUNCHER=<command>...] -P one_cpu.cmake
#
# Runs each stress program, much shortened, where it likes and then on one processor, which may take
# three times as long and a moment more, for what is too short to be compared. A machine with other
# work to do is a bad clock: only a program that is too slow three times in a row has failed.

cmake_minimum_required(VERSION 3.23)

set(factor 3)
set(moment 300000)  # microseconds
set(tries 3)
set(scale 0.05)

find_program(TASKSET taskset)
if(TASKSET)
  execute_process(COMMAND ${TASKSET} -c 0 true RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
endif()
if(NOT TASKSET OR NOT status EQUAL 0)
  message("Skipped: running on one processor needs taskset, and processor 0.")
  return()
endif()

function(now out)
  string(TIMESTAMP microseconds "%s%f" UTC)
  set(${out} ${microseconds} PARENT_SCOPE)
endfunction()

# How many microseconds the command took.
function(measure out)
  now(begin)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env CONC_STRESS_SCALE=${scale} ${ARGN}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
  )
  now(end)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN} failed (${status}):\n${output}")
  endif()
  math(EXPR microseconds "${end} - ${begin}")
  set(${out} ${microseconds} PARENT_SCOPE)
endfunction()

set(too_slow "")
foreach(program IN LISTS PROGRAMS)
  cmake_path(GET program FILENAME name)
  foreach(try RANGE 1 ${tries})
    measure(normal ${LAUNCHER} ${program})
    measure(alone ${TASKSET} -c 0 ${LAUNCHER} ${program})
    math(EXPR allowed "${factor} * ${normal} + ${moment}")
    math(EXPR normal_ms "${normal} / 1000")
    math(EXPR alone_ms "${alone} / 1000")
    message("${name}: ${normal_ms} ms, on one processor ${alone_ms} ms")
    if(alone LESS_EQUAL allowed)
      break()
    elseif(try EQUAL tries)
      list(APPEND too_slow ${name})
    endif()
  endforeach()
endforeach()

if(too_slow)
  list(JOIN too_slow ", " names)
  message(FATAL_ERROR "Too slow on one processor, ${tries} times in a row: ${names}")
endif()
