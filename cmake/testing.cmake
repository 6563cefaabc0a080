# conc_add_test(<name> LABEL <label> TIMEOUT <seconds> COMMAND <command>...)
#
# Every test has a label, to choose it by, and a time limit, so that a hang is a failure. A command
# that runs one of conc's programs starts it through ${CONC_TEST_LAUNCHER}.

set(CONC_TEST_LAUNCHER "")
set(CONC_TIMEOUT_FACTOR 1)

if(CONC_SANITIZE)
  set(CONC_TIMEOUT_FACTOR 3)
endif()

# ThreadSanitizer wants its shadow memory at fixed addresses, where a kernel that scatters its
# mappings widely may already have put something else. So its programs run unscattered, where that
# is possible (a container may forbid it).
if(CONC_SANITIZE STREQUAL "thread")
  find_program(CONC_SETARCH setarch)
  mark_as_advanced(CONC_SETARCH)
  if(CONC_SETARCH)
    execute_process(
      COMMAND ${CONC_SETARCH} -R true
      RESULT_VARIABLE status
      OUTPUT_QUIET
      ERROR_QUIET
    )
    if(status EQUAL 0)
      set(CONC_TEST_LAUNCHER ${CONC_SETARCH} -R)
    endif()
  endif()
endif()

function(conc_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "COMMAND")
  math(EXPR timeout "${arg_TIMEOUT} * ${CONC_TIMEOUT_FACTOR}")
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${timeout})
endfunction()
