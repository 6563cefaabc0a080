# Runs one case of the packaging tests; CMakeLists.txt beside this file says with which variables.

cmake_minimum_required(VERSION 3.24)

set(ENV{CMAKE_GENERATOR} "${GENERATOR}")
set(ENV{CMAKE_CXX_COMPILER_LAUNCHER} "${LAUNCHER}")
# A conc that happens to be installed on this machine must not help.
set(ENV{CMAKE_PREFIX_PATH} "")
set(ENV{PKG_CONFIG_PATH} "")

set(here "${CMAKE_CURRENT_LIST_DIR}")
set(first "${WORK}/${TREE}/first")
set(prefix "${WORK}/${TREE}/moved")

# ---- Tools

# run(<command>...): echoes it, runs it, fails when it fails, leaves ${output} and ${errors}.
function(run)
  list(JOIN ARGN " " shown)
  message(STATUS "${shown}")
  execute_process(
    COMMAND ${ARGN}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE errors
  )
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${shown}\nended with ${status}.\n${output}\n${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
  set(errors "${errors}" PARENT_SCOPE)
endfunction()

# refuse(<regex> <command>...): the command must fail and say something that matches.
function(refuse regex)
  list(JOIN ARGN " " shown)
  message(STATUS "(to be refused) ${shown}")
  execute_process(
    COMMAND ${ARGN}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
  )
  if(status EQUAL 0)
    message(FATAL_ERROR "${shown}\nshould have failed.\n${output}")
  endif()
  # CMake wraps its messages; compare them as one line.
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(NOT output MATCHES "${regex}")
    message(FATAL_ERROR "${shown}\nfailed, but did not say \"${regex}\".\n${output}")
  endif()
endfunction()

# configure(<source> <build> <argument>...): afresh. What was compiled there with the same command
# is not compiled again.
macro(configure source build)
  run(
    "${CMAKE_COMMAND}"
    --fresh
    -S "${source}"
    -B "${build}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}"
    ${ARGN}
  )
endmacro()

macro(build directory)
  run("${CMAKE_COMMAND}" --build "${directory}" --parallel 2)
endmacro()

# Runs a consumer, which reports through its exit status, and looks for the line that it logs.
macro(run_consumer program)
  run("${program}")
  if(NOT errors MATCHES "3 cups are ready")
    message(FATAL_ERROR "${program} logged nothing of what it should:\n${errors}")
  endif()
endmacro()

# Installs what was built in a directory, and moves the tree away from where it was installed.
function(install_tree build)
  file(REMOVE_RECURSE "${first}" "${prefix}")
  run("${CMAKE_COMMAND}" --install "${build}" --prefix "${first}")
  file(RENAME "${first}" "${prefix}")

  file(GLOB_RECURSE texts "${prefix}/*.cmake" "${prefix}/*.pc")
  foreach(file IN LISTS texts)
    file(READ "${file}" text)
    foreach(directory IN ITEMS "${SOURCE}" "${WORK}" "${BUILT_FOR}")
      string(FIND "${text}" "${directory}" position)
      if(NOT position EQUAL -1)
        message(FATAL_ERROR "${file} holds an absolute path, ${directory}.")
      endif()
    endforeach()
  endforeach()

  # Every public header is there, and no other.
  file(GLOB_RECURSE wanted RELATIVE "${SOURCE}/include" "${SOURCE}/include/*.hpp")
  file(GLOB_RECURSE got RELATIVE "${prefix}/include" "${prefix}/include/*")
  if(TREE STREQUAL "core")
    list(FILTER wanted EXCLUDE REGEX "^conc/(logging|conc\\.hpp)")
  endif()
  if(NOT got STREQUAL wanted)
    message(FATAL_ERROR "The installed headers are\n${got}\nand should be\n${wanted}")
  endif()
endfunction()

# ---- Installed

function(case_install)
  install_tree("${BUILT}")
endfunction()

function(case_install_core)
  set(build "${WORK}/core/build")
  configure(
    "${SOURCE}"
    "${build}"
    -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_INSTALL_PREFIX=${first}"
    -DCONC_BUILD_TESTS=OFF
    -DCONC_BUILD_BENCH=OFF
    -DCONC_BUILD_EXAMPLES=OFF
    -DCONC_BUILD_LOGGING=OFF
    -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
  )
  build("${build}")
  install_tree("${build}")
endfunction()

function(case_find_package)
  set(build "${WORK}/${TREE}/find_package")
  configure("${here}/consumer" "${build}" "-DCMAKE_PREFIX_PATH=${prefix}")
  build("${build}")
  run_consumer("${build}/consumer")
endfunction()

# Those who link the library need not have nlohmann-json.
function(case_config)
  set(build "${WORK}/${TREE}/config")
  configure(
    "${here}/config_consumer"
    "${build}"
    "-DCMAKE_PREFIX_PATH=${prefix}"
    -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
  )
  build("${build}")
  run_consumer("${build}/consumer")
endfunction()

function(case_smallest)
  set(build "${WORK}/${TREE}/smallest")
  configure("${SOURCE}/examples/smallest" "${build}" "-DCMAKE_PREFIX_PATH=${prefix}")
  build("${build}")
  run("${build}/smallest")
endfunction()

function(case_core_only)
  set(build "${WORK}/${TREE}/core_only")
  configure(
    "${here}/core_consumer"
    "${build}"
    "-DCMAKE_PREFIX_PATH=${prefix}"
    -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
  )
  build("${build}")
  run("${build}/consumer")
endfunction()

# What is not there is refused with a message that says why.
function(case_refusals)
  set(build "${WORK}/${TREE}/refusals")
  file(REMOVE_RECURSE "${build}")
  set(
    configure
      "${CMAKE_COMMAND}"
      -S "${here}/consumer"
      -B "${build}"
      "-DCMAKE_CXX_COMPILER=${COMPILER}"
      "-DCMAKE_PREFIX_PATH=${prefix}"
  )
  set(arguments -DCONSUMER_ARGUMENTS=COMPONENTS)
  refuse("built without its component logging" ${configure} "${arguments}\;logging")
  refuse("built without its component logging" ${configure} "${arguments}\;logging_config")
  refuse("has no component \"logs\"" ${configure} "${arguments}\;core\;logs")
  refuse("compatible with requested version \"0.0\"" ${configure} -DCONSUMER_VERSION=0.0)
  refuse("compatible with requested version \"0.2\"" ${configure} -DCONSUMER_VERSION=0.2)
endfunction()

function(case_pkg_config)
  find_program(pkg_config NAMES pkg-config pkgconf)
  if(NOT pkg_config)
    message(STATUS "Skipped: pkg-config is not installed.")
    return()
  endif()
  file(GLOB_RECURSE pc "${prefix}/conc.pc")
  cmake_path(GET pc PARENT_PATH pc_dir)
  cmake_path(GET pc_dir PARENT_PATH lib_dir)
  set(ENV{PKG_CONFIG_PATH} "${pc_dir}")
  set(ENV{LD_LIBRARY_PATH} "${lib_dir}")
  foreach(pair IN ITEMS "conc consumer" "conc-core core_consumer"
          "conc-logging-config config_consumer"
  )
    separate_arguments(pair)
    list(POP_FRONT pair package source)
    run("${pkg_config}" --cflags --libs ${package})
    separate_arguments(flags UNIX_COMMAND "${output}")
    set(program "${WORK}/${TREE}/${package}-by-pkg-config")
    run("${COMPILER}" -std=c++20 "${here}/${source}/main.cpp" -o "${program}" ${flags})
    if(source MATCHES "^(config_)?consumer$")
      run_consumer("${program}")
    else()
      run("${program}")
    endif()
  endforeach()
endfunction()

# One binary serves every version of fmt and of nlohmann-json: no name that the libraries export is
# theirs or mentions them.
function(case_symbols)
  if(NOT NM)
    message(STATUS "Skipped: there is no nm.")
    return()
  endif()
  if(TREE STREQUAL "shared")
    file(GLOB_RECURSE libraries "${prefix}/libconc_*.so")
    set(table --dynamic)
  else()
    file(GLOB_RECURSE libraries "${prefix}/libconc_*.a")
    set(table --extern-only)
  endif()
  list(LENGTH libraries count)
  if(NOT count EQUAL 3)
    message(FATAL_ERROR "Expected three libraries below ${prefix}, found: ${libraries}")
  endif()

  foreach(library IN LISTS libraries)
    run("${NM}" --demangle --defined-only ${table} "${library}")
    if(NOT output MATCHES " conc::")
      message(FATAL_ERROR "${library} exports nothing of conc.")
    endif()
    # Anchored: where it may begin anywhere, it takes half a minute for an archive.
    string(REGEX MATCHALL "\n[^\n]*(fmt|nlohmann)::[^\n]*" found "\n${output}")
    if(TREE STREQUAL "static")
      # An archive cannot hide the instances of fmt's templates that its objects hold: weak symbols
      # (V, W, u) of fmt's own, which name their version. Nor what is internal to logging_config.
      # Before the name there may be a type with parentheses of its own.
      list(FILTER found EXCLUDE REGEX " [VWu] ([^(]*|.*[^,] )fmt::v[0-9]+::")
      list(FILTER found EXCLUDE REGEX " [VWu] .*nlohmann::")
      list(FILTER found EXCLUDE REGEX " conc::logging::detail::.*nlohmann::")
    endif()
    if(found)
      list(JOIN found "" found)
      message(FATAL_ERROR "${library} exports names that mention them:${found}")
    endif()

    # core does not even ask for fmt.
    if(library MATCHES "libconc_core")
      run("${NM}" --demangle "${library}")
      if(output MATCHES "[^\n]*fmt::[^\n]*")
        message(FATAL_ERROR "${library} uses fmt: ${CMAKE_MATCH_0}")
      endif()
    endif()
  endforeach()
endfunction()

# ---- Embedded

# The consumer's own CMakeLists.txt checks that its flags are its own. Here: nothing of conc's is
# installed, tested or offered as a target unless the parent asks, and files are compiled one by one
# although the parent puts its own together. Both ways share a build, so that the second finds the
# library compiled.
function(embed mode)
  set(build "${WORK}/embedded")
  file(REMOVE_RECURSE "${first}")
  configure(
    "${here}/consumer"
    "${build}"
    -DCONSUMER_MODE=${mode}
    "-DFETCHCONTENT_SOURCE_DIR_CONC=${SOURCE}"
    "-DCMAKE_INSTALL_PREFIX=${first}"
    -DCMAKE_UNITY_BUILD=ON
  )
  build("${build}")
  run_consumer("${build}/consumer")

  run("${CMAKE_COMMAND}" --install "${build}")
  file(GLOB_RECURSE files RELATIVE "${first}" "${first}/*")
  if(NOT files STREQUAL "bin/consumer")
    message(FATAL_ERROR "The parent installs one program, but this was installed:\n${files}")
  endif()

  run("${CMAKE_CTEST_COMMAND}" --test-dir "${build}" --show-only)
  if(NOT output MATCHES "Total Tests: 0")
    message(FATAL_ERROR "conc's tests are in the parent's ctest:\n${output}")
  endif()

  run("${CMAKE_COMMAND}" --build "${build}" --target help)
  if(output MATCHES "(^|\n)(... )?(demo|bench|unit_[a-z]+)(:|\n)")
    message(FATAL_ERROR "The parent has the target ${CMAKE_MATCH_3}.")
  endif()

  run("${CMAKE_COMMAND}" -DCONC_INSTALL=ON "${build}")
  build("${build}")
  install_tree("${build}")
  if(NOT EXISTS "${prefix}/include/conc/conc.hpp")
    message(FATAL_ERROR "CONC_INSTALL=ON did not install conc with its parent.")
  endif()
endfunction()

function(case_add_subdirectory)
  embed(add_subdirectory)
endfunction()

function(case_fetch_content)
  embed(fetch_content)
endfunction()

# ---- Go

cmake_language(CALL case_${CASE})
