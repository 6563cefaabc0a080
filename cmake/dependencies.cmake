# What conc needs from elsewhere. Packages come first; a download happens only when asked for.

include(FetchContent)

# conc_find_dependency(
#   <package> [<version>] TARGET <target> [OPTIONAL]
#   APT <package> VCPKG <package> BREW <package> GIT <url> <tag>
# )
# makes <target> available, or stops with a message that says how to install it. With OPTIONAL it
# goes on after the message.
function(conc_find_dependency package)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OPTIONAL" "TARGET;APT;VCPKG;BREW" "GIT")
  set(version ${arg_UNPARSED_ARGUMENTS})

  if(TARGET ${arg_TARGET})
    return()
  endif()

  find_package(${package} ${version} QUIET)
  if(TARGET ${arg_TARGET})
    message(STATUS "conc: found ${package} ${${package}_VERSION}")
    return()
  endif()

  if(NOT CONC_FETCH_DEPS)
    set(wanted ${package})
    if(version)
      string(APPEND wanted " ${version} or newer")
    endif()
    set(mode FATAL_ERROR)
    set(need "conc needs")
    if(arg_OPTIONAL)
      set(mode STATUS)
      set(need "conc leaves out what needs")
    endif()
    message(
      ${mode}
      "${need} ${wanted}, which was not found. Install it with one of\n"
      "  apt-get install ${arg_APT}\n"
      "  vcpkg install ${arg_VCPKG}\n"
      "  brew install ${arg_BREW}\n"
      "or configure with -DCONC_FETCH_DEPS=ON to download it."
    )
    return()
  endif()

  list(GET arg_GIT 0 url)
  list(GET arg_GIT 1 tag)
  message(STATUS "conc: fetching ${package} ${tag}")

  # Only the library, and its headers as system headers. What conc's own package refers to must be
  # installed with it.
  set(FMT_INSTALL ${CONC_INSTALL})
  set(INSTALL_GTEST OFF)
  set(JSON_BuildTests OFF)
  set(JSON_Install OFF)
  set(BENCHMARK_ENABLE_INSTALL OFF)
  set(BENCHMARK_ENABLE_TESTING OFF)
  set(CMAKE_VERIFY_INTERFACE_HEADER_SETS OFF)
  set(system "")
  if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.25)
    set(system SYSTEM)
  endif()

  FetchContent_Declare(${package} GIT_REPOSITORY ${url} GIT_TAG ${tag} GIT_SHALLOW ON ${system})
  FetchContent_MakeAvailable(${package})
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(CONC_BUILD_LOGGING)
  conc_find_dependency(
    fmt 9
    TARGET fmt::fmt
    APT libfmt-dev
    VCPKG fmt
    BREW fmt
    GIT https://github.com/fmtlib/fmt.git 10.2.1
  )
endif()

if(CONC_BUILD_LOGGING AND CONC_BUILD_LOGGING_CONFIG)
  conc_find_dependency(
    nlohmann_json 3.10
    TARGET nlohmann_json::nlohmann_json
    OPTIONAL
    APT nlohmann-json3-dev
    VCPKG nlohmann-json
    BREW nlohmann-json
    GIT https://github.com/nlohmann/json.git v3.11.2
  )
endif()
# What is built in the end.
if(NOT CONC_BUILD_LOGGING OR NOT TARGET nlohmann_json::nlohmann_json)
  set(CONC_BUILD_LOGGING_CONFIG OFF)
endif()

if(CONC_BUILD_TESTS)
  conc_find_dependency(
    GTest
    TARGET GTest::gtest_main
    APT libgtest-dev
    VCPKG gtest
    BREW googletest
    GIT https://github.com/google/googletest.git v1.14.0
  )
endif()

if(CONC_BUILD_BENCH)
  conc_find_dependency(
    benchmark
    TARGET benchmark::benchmark
    APT libbenchmark-dev
    VCPKG benchmark
    BREW google-benchmark
    GIT https://github.com/google/benchmark.git v1.8.3
  )
endif()
