# Run as CMakeLists.txt beside this file says.

cmake_minimum_required(VERSION 3.23)

list(TRANSFORM INCLUDE PREPEND -I)
set(compile "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDE} "${SOURCE}")

execute_process(COMMAND ${compile} -DRIGHT RESULT_VARIABLE status ERROR_VARIABLE errors)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "Must be accepted with RIGHT:\n${errors}")
endif()
execute_process(COMMAND ${compile} RESULT_VARIABLE status ERROR_QUIET)
if(status EQUAL 0)
  message(FATAL_ERROR "Accepted, and must be refused.")
endif()
