# conc/version.hpp is written by hand, so that a tree that was merely unpacked has it as well.
# This keeps it in step with project(VERSION).

set(header "${PROJECT_SOURCE_DIR}/include/conc/version.hpp")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")

foreach(part IN ITEMS MAJOR MINOR PATCH)
  file(STRINGS "${header}" line REGEX "^#define CONC_VERSION_${part} ")
  if(NOT line STREQUAL "#define CONC_VERSION_${part} ${PROJECT_VERSION_${part}}")
    message(
      FATAL_ERROR
      "include/conc/version.hpp is out of step: it says \"${line}\", project(VERSION) says "
      "${PROJECT_VERSION}."
    )
  endif()
endforeach()
