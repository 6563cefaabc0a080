# Runs a program and compares what it writes to stdout, line by line, with a file:
#
#   cmake [-D EXPECTED=<file>] [-D STATUS=<exit status>] -P compare_output.cmake --
#         <program> [<argument>...]
#
# A line of the file that begins with ~ is a regular expression, as CMake knows them, which the
# whole line must match; every other line must be equal. Without EXPECTED only the exit status is
# looked at, which must be 0 unless STATUS says otherwise.

cmake_minimum_required(VERSION 3.23)

if(NOT DEFINED STATUS)
  set(STATUS 0)
endif()

# The arguments behind "--" are the command.
set(command "")
set(in_command FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(in_command)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(in_command TRUE)
  endif()
endforeach()

execute_process(
  COMMAND ${command}
  RESULT_VARIABLE status
  OUTPUT_VARIABLE output
  ERROR_VARIABLE errors
)

function(fail reason)
  list(JOIN command " " shown)
  message(
    FATAL_ERROR
    "${reason}\n---- command\n${shown}\n---- stdout\n${output}\n---- stderr\n${errors}\n----"
  )
endfunction()

if(NOT status STREQUAL STATUS)
  fail("The exit status is ${status}, not ${STATUS}.")
endif()
if(NOT DEFINED EXPECTED)
  return()
endif()

# Takes the first line off the text in <var>. Not with lists: a line may hold semicolons.
function(take_line var line)
  string(FIND "${${var}}" "\n" end)
  if(end EQUAL -1)
    set(${line} "${${var}}" PARENT_SCOPE)
    set(${var} "" PARENT_SCOPE)
    return()
  endif()
  string(SUBSTRING "${${var}}" 0 ${end} first)
  math(EXPR end "${end} + 1")
  string(SUBSTRING "${${var}}" ${end} -1 rest)
  set(${line} "${first}" PARENT_SCOPE)
  set(${var} "${rest}" PARENT_SCOPE)
endfunction()

file(READ "${EXPECTED}" wanted)
set(got "${output}")
set(number 0)
while(NOT wanted STREQUAL "" OR NOT got STREQUAL "")
  math(EXPR number "${number} + 1")
  if(wanted STREQUAL "")
    take_line(got line)
    fail("Line ${number} is more than ${EXPECTED} has: \"${line}\"")
  endif()
  take_line(wanted pattern)
  if(got STREQUAL "")
    fail("Line ${number} is missing: \"${pattern}\"")
  endif()
  take_line(got line)
  if(pattern MATCHES "^~")
    string(SUBSTRING "${pattern}" 1 -1 pattern)
    if(NOT line MATCHES "^(${pattern})$")
      fail("Line ${number} is \"${line}\" and does not match \"${pattern}\".")
    endif()
  elseif(NOT line STREQUAL pattern)
    fail("Line ${number} is \"${line}\", not \"${pattern}\".")
  endif()
endwhile()
