# What is too long for the tests: `cmake --build <directory> --target stress-long` sends a hundred
# million round trips through every primitive that can send one to another thread and back. A
# wake-up that is lost once in so many times shows as a program that does not go on, which is ended
# with a dump of its threads. Four minutes on two idle processors, more on others.
# CONC_STRESS_LONG_SCALE says how many millions.

set(CONC_STRESS_LONG_SCALE 100 CACHE STRING "Millions of round trips that stress-long sends")

set(commands "")
set(programs "")
# In turn, since two at a time would change each other's timing.
foreach(stem IN ITEMS lock event condition semaphore barrier)
  if(TARGET stress_${stem})
    list(APPEND programs stress_${stem})
    list(
      APPEND commands
      COMMAND
        ${CMAKE_COMMAND} -E env CONC_STRESS_SCALE=${CONC_STRESS_LONG_SCALE} ${CONC_TEST_LAUNCHER}
        $<TARGET_FILE:stress_${stem}> --gtest_filter=*RoundTrip*
    )
  endif()
endforeach()

add_custom_target(stress-long ${commands} DEPENDS ${programs} USES_TERMINAL VERBATIM)
