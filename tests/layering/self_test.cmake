# A referee that cannot blow the whistle proves nothing: on bad_tree/, which breaks every rule once,
# it must report exactly the lines of expected.txt. Run it as
#
#   cmake -D REFEREE=<script> -P self_test.cmake

cmake_minimum_required(VERSION 3.23)

set(root "${CMAKE_CURRENT_LIST_DIR}/bad_tree")

# One header is forgotten by all targets.
file(GLOB_RECURSE files "${root}/*.hpp" "${root}/*.cpp")
list(FILTER files EXCLUDE REGEX "include/conc/rlock.hpp$")
list(JOIN files "\n" listed)
set(list_file "${CMAKE_CURRENT_BINARY_DIR}/bad_tree_files.txt")
file(WRITE "${list_file}" "${listed}\n")

execute_process(
  COMMAND
    "${CMAKE_COMMAND}" -D "ROOT=${root}" -D "LISTED=${list_file}" -P "${REFEREE}"
  RESULT_VARIABLE status
  OUTPUT_QUIET
  ERROR_VARIABLE messages
)
if(status EQUAL 0)
  message(FATAL_ERROR "The referee accepted a tree that breaks every rule.")
endif()

string(REGEX MATCHALL "\n    [^\n]+" complaints "${messages}")
list(TRANSFORM complaints STRIP)
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/expected.txt" expected)

if(NOT complaints STREQUAL expected)
  set(missed ${expected})
  list(REMOVE_ITEM missed ${complaints})
  set(invented ${complaints})
  list(REMOVE_ITEM invented ${expected})
  list(JOIN missed "\n  " missed)
  list(JOIN invented "\n  " invented)
  message(
    FATAL_ERROR
    "Expected and not reported:\n  ${missed}\nReported and not expected:\n  ${invented}"
  )
endif()
