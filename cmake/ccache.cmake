# Compiles through ccache when it is installed and no other launcher has been asked for.

if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CONC_CCACHE ccache)
  mark_as_advanced(CONC_CCACHE)
  if(CONC_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CONC_CCACHE}")
  endif()
endif()
