# What clang's thread-safety analysis says to a program that uses conc. Run it as
#
#   cmake -D SOURCE=<file.cpp> -D INCLUDE=<directories> -P check.cmake
#
# A source whose first line is `// clang must say: <words>` must be refused in those words, and with
# no other error. Any other source must be accepted without a word.

cmake_minimum_required(VERSION 3.23)

find_program(CLANG NAMES clang++ clang++-21 clang++-20 clang++-19 clang++-18 clang++-17 clang++-16)
if(NOT CLANG)
  message("Skipped: the thread-safety analysis needs clang++ (Debian: apt-get install clang).")
  return()
endif()

list(TRANSFORM INCLUDE PREPEND -I)
execute_process(
  COMMAND
    ${CLANG} -std=c++20 -fsyntax-only -Wall -Wextra -Wthread-safety -Werror ${INCLUDE} "${SOURCE}"
  RESULT_VARIABLE status
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
)

file(STRINGS "${SOURCE}" first_line LIMIT_COUNT 1)
if(first_line MATCHES "^// clang must say: (.+)$")
  set(words "${CMAKE_MATCH_1}")
  if(status EQUAL 0)
    message(FATAL_ERROR "Accepted, where clang must say: ${words}")
  endif()
  string(FIND "${output}" "error: ${words} [-Werror,-Wthread-safety-analysis]" place)
  if(place EQUAL -1 OR NOT output MATCHES "1 error generated")
    message(FATAL_ERROR "Refused, but clang must say this alone: ${words}\n${output}")
  endif()
elseif(NOT status EQUAL 0 OR NOT output STREQUAL "")
  message(FATAL_ERROR "Must be accepted without a word:\n${output}")
endif()
