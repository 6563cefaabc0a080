# The install rules: the libraries with their headers, a CMake package with components, pkg-config
# files. Nothing that is installed holds an absolute path, so the tree may be moved afterwards.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/conc")

# conc_install_component(<target> <component>): one export file for each component, so that who
# wants core alone never looks for what logging needs.
function(conc_install_component target component)
  install(
    TARGETS ${target}
    EXPORT conc-${component}-targets
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  )
  install(
    EXPORT conc-${component}-targets
    NAMESPACE conc::
    DESTINATION "${package_dir}"
  )
endfunction()

conc_install_component(conc_core core)
if(CONC_BUILD_LOGGING)
  conc_install_component(conc_logging logging)
  conc_install_component(conc umbrella)
endif()
if(CONC_BUILD_LOGGING_CONFIG)
  conc_install_component(conc_logging_config logging_config)
endif()

# ---- The CMake package

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/conc-config.cmake.in"
  "${PROJECT_BINARY_DIR}/conc-config.cmake"
  INSTALL_DESTINATION "${package_dir}"
  NO_SET_AND_CHECK_MACRO
)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/conc-config-version.cmake"
  # Until 1.0 a minor release may change the interface.
  COMPATIBILITY SameMinorVersion
)
install(
  FILES
    "${PROJECT_BINARY_DIR}/conc-config.cmake"
    "${PROJECT_BINARY_DIR}/conc-config-version.cmake"
  DESTINATION "${package_dir}"
)

# The libraries find each other side by side, wherever the tree is moved to.
if(CONC_BUILD_LOGGING AND NOT DEFINED CMAKE_INSTALL_RPATH)
  set(beside "$ORIGIN")
  if(APPLE)
    set(beside "@loader_path")
  endif()
  foreach(target IN ITEMS conc_logging conc_logging_config)
    if(TARGET ${target})
      set_property(TARGET ${target} PROPERTY INSTALL_RPATH "${beside}")
    endif()
  endforeach()
endif()

# ---- pkg-config

# Directories relative to the .pc file itself; an absolute CMAKE_INSTALL_<dir> stays what it is.
set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
foreach(dir IN ITEMS INCLUDEDIR LIBDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}" OR IS_ABSOLUTE "${pc_dir}")
    set(PC_${dir} "${CMAKE_INSTALL_FULL_${dir}}")
  else()
    file(RELATIVE_PATH path "/${pc_dir}" "/${CMAKE_INSTALL_${dir}}")
    string(REGEX REPLACE "/$" "" PC_${dir} "\${pcfiledir}/${path}")
  endif()
endforeach()

# The link flags of Threads::Threads, and the definition that static libraries ask of their users.
set(PC_THREADS "${CMAKE_THREAD_LIBS_INIT}")
set(PC_CFLAGS "")
get_target_property(type conc_core TYPE)
if(type STREQUAL "STATIC_LIBRARY")
  set(PC_CFLAGS "-DCONC_STATIC_DEFINE")
endif()

set(pc_files conc-core.pc)
if(CONC_BUILD_LOGGING)
  list(APPEND pc_files conc-logging.pc conc.pc)
endif()
if(CONC_BUILD_LOGGING_CONFIG)
  list(APPEND pc_files conc-logging-config.pc)
endif()
foreach(file IN LISTS pc_files)
  configure_file(
    "${PROJECT_SOURCE_DIR}/cmake/${file}.in"
    "${PROJECT_BINARY_DIR}/${file}"
    @ONLY
  )
  install(FILES "${PROJECT_BINARY_DIR}/${file}" DESTINATION "${pc_dir}")
endforeach()

# ---- The licence goes where the library goes.

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/conc")

if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_PACKAGE_VENDOR "The conc authors")
  set(CPACK_PACKAGE_CHECKSUM SHA256)
  set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
  set(CPACK_RESOURCE_FILE_README "${PROJECT_SOURCE_DIR}/README.md")
  set(CPACK_STRIP_FILES ON)
  include(CPack)
endif()
