# Checks that includes point down. Run it as
#
#   cmake -D ROOT=<source tree> [-D LISTED=<file>] -P cmake/include_referee.cmake
#
# It reads the #include lines below include/ and src/, compares them with the table that follows,
# prints every line that breaks a rule, and fails when there was one. A source file belongs to the
# floor of the header with the same stem and may always include that header.
#
# With LISTED, a file that holds the paths of all sources and headers that targets name, a source,
# header, test, benchmark or example that no target names is reported as well.

cmake_minimum_required(VERSION 3.23)

# ---- The floors, lowest first: name | what stands on it | floors it may include.
#
# A stem is the path below include/conc/ without its ending; a name that ends in / stands for all
# files of that directory. What a floor does not list it may not include, its own members included.

set(basis "ground detail sync thread")

set(floors
  "ground   | config errors export hooks until version        |"
  "ground   | detail/machine                                  |"
  "detail   | detail/                                         | ground detail"
  "sync     | lock rlock lock_guard condition event           | ground detail"
  "sync     | semaphore bounded_semaphore barrier local       | ground detail"
  "thread   | thread thread_info thread_of excepthook         | ground detail"
  "thread   | detail/thread_state detail/started_threads      | ground detail"
  "queue    | basic_queue queue lifo_queue priority_queue     | ${basis}"
  "queue    | select resource_pool                            | ${basis}"
  "future   | future promise wait as_completed                | ${basis} queue"
  "executor | executor thread_pool_executor inline_executor   | ${basis} queue future"
  "executor | map_range                                       | ${basis} queue future"
  "executor | detail/pool detail/pool_worker detail/job_times | ${basis} queue future"
  "executor | detail/pool_submit detail/pool_threads          | ${basis} queue future"
  "executor | detail/pool_work detail/pool_steal              | ${basis} queue future"
  "timer    | timer periodic_timer                            | ${basis} queue future"
  "dump     | diagnostics detail/dump detail/watchdog         | ${basis} queue future"
  "dump     | detail/deadlock detail/trace                    | ${basis} queue future"
  "dump     | detail/forget_sleeper                           | ${basis} queue future"
  "logging  | logging logging/                                | ${basis} queue future logging"
  "config   | logging/config logging/config/                  | ${basis} queue future logging"
  "umbrella | conc | ground sync thread queue future executor timer dump logging"
)

# ---- Along a floor: a header may include another that its class is built from. A source may include
# every header of its own floor.

set(along
  "config               | export"
  "errors               | config export"
  "hooks                | config export errors until detail/machine"
  "until                | config export errors detail/machine"
  "rlock                | lock"
  "lock_guard           | lock rlock"
  "condition            | lock rlock lock_guard"
  "semaphore            | lock lock_guard condition"
  "bounded_semaphore    | semaphore"
  "barrier              | lock lock_guard condition"
  "thread               | event thread_info excepthook"
  "detail/thread_state  | event detail/started_threads"
  "excepthook           | thread_info"
  "thread_of            | thread"
  "select               | basic_queue"
  "queue                | basic_queue select"
  "lifo_queue           | basic_queue"
  "priority_queue       | basic_queue"
  "resource_pool        | lifo_queue"
  "promise              | future"
  "wait                 | future"
  "as_completed         | future wait"
  "executor             | map_range"
  "thread_pool_executor | executor"
  "inline_executor      | executor"
  "periodic_timer       | timer"
)

# ---- Headers from elsewhere. The standard library is open to all. The operating system and the C
# library (*.h) are seen by detail/ and by sources, never by a public header; fmt by logging alone,
# nlohmann-json by what lies below src/logging/config/.

set(floors_with_system_headers detail)
set(floors_with_fmt logging)
set(sources_with_nlohmann "^src/logging/config/")

# ---- Names that code may not use. Sanitizers do not understand some, and report races that are none;
# the others have a name of conc's own in detail/machine.hpp, the one seam to the machine.

set(misunderstood
  "atomic_thread_fence|timed_mutex|shared_mutex|shared_timed_mutex|condition_variable_any"
)
set(machine "std::(atomic|mutex|condition_variable|thread|jthread|this_thread)[^_a-z]")

# ------------------------------------------------------------------------------------------------

set(complaints "")

function(complain complaint)
  set(complaints "${complaints}  ${complaint}\n" PARENT_SCOPE)
endfunction()

# "a | b c | d" -> three lists of words
function(split_row row first second third)
  string(REGEX REPLACE "[ ]+" ";" row "${row} | ")
  foreach(out IN ITEMS ${first} ${second} ${third})
    list(FIND row "|" bar)
    list(SUBLIST row 0 ${bar} cell)
    list(REMOVE_ITEM cell "")
    math(EXPR bar "${bar} + 1")
    list(SUBLIST row ${bar} -1 row)
    set(${out} "${cell}" PARENT_SCOPE)
  endforeach()
endfunction()

foreach(row IN LISTS floors)
  split_row("${row}" name members below)
  set(below_${name} ${below})
  foreach(member IN LISTS members)
    set(floor_of_${member} ${name})
  endforeach()
endforeach()

foreach(row IN LISTS along)
  split_row("${row}" stem parts unused)
  set(parts_of_${stem} ${parts})
endforeach()

function(find_floor stem out)
  if(DEFINED floor_of_${stem})
    set(${out} ${floor_of_${stem}} PARENT_SCOPE)
    return()
  endif()
  string(REGEX MATCH ".*/" directory "${stem}")
  if(directory AND DEFINED floor_of_${directory})
    set(${out} ${floor_of_${directory}} PARENT_SCOPE)
    return()
  endif()
  set(${out} "" PARENT_SCOPE)
endfunction()

file(
  GLOB_RECURSE files
  RELATIVE "${ROOT}"
  "${ROOT}/include/*.hpp"
  "${ROOT}/include/*.h"
  "${ROOT}/src/*.hpp"
  "${ROOT}/src/*.h"
  "${ROOT}/src/*.cpp"
)
list(SORT files)
if(NOT files)
  message(FATAL_ERROR "There is nothing to check below ${ROOT}.")
endif()

foreach(file IN LISTS files)
  if(file MATCHES "^include/conc/(.+)\\.(hpp|h)$")
    set(stem "${CMAKE_MATCH_1}")
    set(is_header TRUE)
  elseif(file MATCHES "^src/(.+)\\.(cpp|hpp|h)$")
    set(stem "${CMAKE_MATCH_1}")
    set(is_header FALSE)
  else()
    complain("${file} is not below include/conc/ or src/.")
    continue()
  endif()

  find_floor("${stem}" floor)
  if(NOT floor)
    complain("${file} stands on no floor: add ${stem} to the table of the include referee.")
    continue()
  endif()

  file(READ "${ROOT}/${file}" text)
  # Semicolons would make a list of it.
  string(REGEX REPLACE ";|//[^\n]*" " " code "${text}")
  if(code MATCHES "${misunderstood}")
    complain("${file} uses ${CMAKE_MATCH_0}, which ThreadSanitizer does not understand.")
  endif()
  if(NOT stem STREQUAL "detail/machine" AND code MATCHES "${machine}")
    complain("${file} uses std::${CMAKE_MATCH_1}: use the name for it in detail/machine.hpp.")
  endif()

  string(REGEX MATCHALL "(^|\n)[ \t]*#[ \t]*include[ \t]*[<\"][^>\"\n]+[>\"]" includes "${text}")
  foreach(include IN LISTS includes)
    string(REGEX MATCH "[<\"].*" include "${include}")
    string(REGEX REPLACE "[<>\"]" "" name "${include}")

    if(include MATCHES "^\"")
      if(is_header)
        complain("${file} includes ${include}: write the full <conc/...> path in a header.")
        continue()
      endif()
      # A header of src/ itself, beside the file that includes it.
      cmake_path(GET file PARENT_PATH directory)
      cmake_path(APPEND directory "${name}")
      cmake_path(NORMAL_PATH directory OUTPUT_VARIABLE target)
      if(NOT EXISTS "${ROOT}/${target}" OR NOT target MATCHES "^src/(.+)\\.(hpp|h)$")
        complain("${file} includes ${include}, which is not a header below src/.")
        continue()
      endif()
      set(target_stem "${CMAKE_MATCH_1}")
    elseif(name MATCHES "^conc/(.+)\\.hpp$")
      set(target_stem "${CMAKE_MATCH_1}")
      if(NOT EXISTS "${ROOT}/include/${name}")
        complain("${file} includes ${include}, which does not exist.")
        continue()
      endif()
    elseif(name MATCHES "^[a-z_0-9]+$")
      continue() # the standard library
    elseif(name MATCHES "^fmt/")
      if(NOT floor IN_LIST floors_with_fmt)
        complain("${file} includes ${include}: only ${floors_with_fmt} may use fmt.")
      endif()
      continue()
    elseif(name MATCHES "^nlohmann/")
      if(NOT file MATCHES "${sources_with_nlohmann}")
        complain("${file} includes ${include}: only ${sources_with_nlohmann} may.")
      endif()
      continue()
    elseif(name MATCHES "\\.h$")
      if(is_header AND NOT floor IN_LIST floors_with_system_headers)
        complain("${file} includes ${include}: a system header belongs in detail/ or in src/.")
      endif()
      continue()
    else()
      complain("${file} includes ${include}, which is neither conc nor the standard library.")
      continue()
    endif()

    if(target_stem STREQUAL stem OR target_stem IN_LIST parts_of_${stem})
      continue()
    endif()
    find_floor("${target_stem}" target_floor)
    if(NOT target_floor)
      continue() # reported for that file itself
    endif()
    if(NOT is_header AND target_floor STREQUAL floor)
      continue()
    endif()
    if(NOT target_floor IN_LIST below_${floor})
      string(JOIN ", " allowed ${below_${floor}} ${parts_of_${stem}})
      complain("${file} includes ${include} (${target_floor}): ${stem} may include ${allowed}.")
    endif()
  endforeach()
endforeach()

# ---- The umbrella has everything, but for what its members bring along.

set(brought_along config export)

if(EXISTS "${ROOT}/include/conc/conc.hpp")
  file(READ "${ROOT}/include/conc/conc.hpp" text)
  file(GLOB public_headers RELATIVE "${ROOT}/include" "${ROOT}/include/conc/*.hpp")
  foreach(header IN LISTS public_headers)
    cmake_path(GET header STEM stem)
    if(stem STREQUAL "conc" OR stem IN_LIST brought_along)
      continue()
    endif()
    string(FIND "${text}" "\n#include <${header}>" position)
    if(position EQUAL -1)
      complain("include/conc/conc.hpp does not include <${header}>.")
    endif()
  endforeach()
endif()

# ---- What users read does not name the internals.

file(
  GLOB_RECURSE shown
  RELATIVE "${ROOT}"
  "${ROOT}/README.md"
  "${ROOT}/examples/*.cpp"
  "${ROOT}/examples/*.hpp"
)
foreach(file IN LISTS shown)
  file(READ "${ROOT}/${file}" text)
  if(text MATCHES "conc/detail/|detail::")
    complain("${file} names conc's internals (${CMAKE_MATCH_0}).")
  endif()
endforeach()

# ---- Every file belongs to a target: what nobody names is not built, tested or installed.

if(DEFINED LISTED)
  file(STRINGS "${LISTED}" listed)
  file(
    GLOB programs
    RELATIVE "${ROOT}"
    "${ROOT}/bench/*.cpp"
    "${ROOT}/examples/*.cpp"
    "${ROOT}/tests/*.cpp"
    "${ROOT}/tests/regress/*.cpp"
    "${ROOT}/tests/stress/*.cpp"
  )
  foreach(file IN LISTS files programs)
    if(file MATCHES "^include/|\\.cpp$" AND NOT "${ROOT}/${file}" IN_LIST listed)
      string(REGEX MATCH "^[^/]+" directory "${file}")
      string(REPLACE "include" "src" directory "${directory}")
      complain("${file} belongs to no target: name it in ${directory}/CMakeLists.txt.")
    endif()
  endforeach()
endif()

if(complaints)
  message(FATAL_ERROR "What cmake/include_referee.cmake forbids:\n${complaints}")
endif()
list(LENGTH files count)
message(STATUS "${count} files include only what their floors allow.")
