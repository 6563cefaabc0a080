# Has spin search a model through, and looks at what it found. Run it as
#
#   cmake -D MODEL=<file.pml> -D WORK=<directory> [-D DEFINES=<name[=value]>...] [-D CYCLES=ON]
#     [-D MISTAKE=<name>] -P run_model.cmake
#
# Without MISTAKE, the search must be complete and find nothing. With it, the model is built with
# MISTAKE_<name>, and the search must find an error: the shortest way to one is left in WORK, where
# `spin -t -p` shows it step by step. CYCLES looks for steps that can be repeated for ever, instead
# of ends where somebody is stuck; assertions are checked in both. Prints the number of states.

cmake_minimum_required(VERSION 3.23)

find_program(SPIN spin)
find_program(CC NAMES cc gcc clang)
if(NOT SPIN OR NOT CC)
  message("Skipped: the models need spin and a C compiler (Debian: apt-get install spin gcc).")
  return()
endif()

# No search needs a third of it.
set(megabytes 1900)
set(seconds 240)

if(CYCLES)
  set(kind -DNP)
  set(search -l)
elseif(MISTAKE)
  set(kind -DSAFETY -DBFS)  # in breadth, so that the way is a shortest one
  set(search "")
else()
  set(kind -DSAFETY)
  set(search "")
endif()

list(TRANSFORM DEFINES PREPEND -D)
if(MISTAKE)
  list(APPEND DEFINES -DMISTAKE_${MISTAKE})
endif()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
file(COPY "${MODEL}" DESTINATION "${WORK}")
cmake_path(GET MODEL FILENAME model)

execute_process(
  COMMAND ${SPIN} ${DEFINES} -a ${model}
  WORKING_DIRECTORY "${WORK}"
  RESULT_VARIABLE status
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
)
if(NOT status EQUAL 0 OR output MATCHES "rror")
  message(FATAL_ERROR "spin does not understand ${model}:\n${output}")
endif()

execute_process(
  COMMAND ${CC} -O2 -w ${kind} -DCOLLAPSE -DMEMLIM=${megabytes} -o pan pan.c
  WORKING_DIRECTORY "${WORK}"
  RESULT_VARIABLE status
  ERROR_VARIABLE output
)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "The search made from ${model} does not compile:\n${output}")
endif()

execute_process(
  COMMAND ./pan ${search} -m1000000 -w22
  WORKING_DIRECTORY "${WORK}"
  TIMEOUT ${seconds}
  RESULT_VARIABLE status
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
)

if(NOT output MATCHES "errors: ([0-9]+)")
  message(FATAL_ERROR "The search did not end within ${seconds} s (${status}):\n${output}")
endif()
set(errors ${CMAKE_MATCH_1})
if(output MATCHES "([0-9]+) states, stored")
  message("states: ${CMAKE_MATCH_1}")
endif()
if(output MATCHES "max search depth too small|memory limit|out of memory|hash-?table.*full")
  message(FATAL_ERROR "The search went beyond its limits:\n${output}")
endif()

set(found "")
if(output MATCHES "pan:1: ([^\n]*) \\(at depth ([0-9]+)\\)")
  set(found "${CMAKE_MATCH_1}, after ${CMAKE_MATCH_2} steps")
endif()

if(MISTAKE)
  if(NOT found)
    message(FATAL_ERROR "${model} with MISTAKE_${MISTAKE} passes for right:\n${output}")
  endif()
  message("found: ${found}")
elseif(errors EQUAL 0)
  if(output MATCHES "Search not completed")
    message(FATAL_ERROR "The search was not completed:\n${output}")
  endif()
else()
  execute_process(
    COMMAND ${SPIN} ${DEFINES} -t -p -g ${model}
    WORKING_DIRECTORY "${WORK}"
    OUTPUT_VARIABLE steps
    ERROR_VARIABLE steps
  )
  message(FATAL_ERROR "${steps}\n${model}: ${found}")
endif()
