# conc_target_defaults(<target>) gives one of conc's own targets its language level, warnings and
# sanitizers. Nothing here is set for a directory, so nothing reaches a parent project. The global
# property CONC_TARGETS names all targets that came here.

if(NOT CONC_SANITIZE MATCHES "^(thread|address|undefined|address,undefined|undefined,address|)$")
  message(
    FATAL_ERROR
    "CONC_SANITIZE is \"${CONC_SANITIZE}\"; it takes thread, address, undefined, or "
    "address,undefined."
  )
endif()

function(conc_target_defaults target)
  set_property(GLOBAL APPEND PROPERTY CONC_TARGETS ${target})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(
    ${target}
    PROPERTIES
      CXX_EXTENSIONS OFF
      UNITY_BUILD OFF  # a file's anonymous namespace is its own
      CXX_VISIBILITY_PRESET hidden
      VISIBILITY_INLINES_HIDDEN ON
  )

  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 /permissive- $<$<BOOL:${CONC_WERROR}>:/WX>)
  else()
    target_compile_options(
      ${target}
      PRIVATE
        -Wall
        -Wextra
        -Wpedantic
        -Wconversion
        -Wshadow
        $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wthread-safety>
        $<$<BOOL:${CONC_WERROR}>:-Werror>
    )
  endif()

  if(CONC_SANITIZE)
    target_compile_options(
      ${target}
      PRIVATE
        -fsanitize=${CONC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
        # With sanitizers on, g++ warns of what it can no longer see to be initialized.
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    )
    # Whoever links a sanitized static library needs the sanitizer's runtime as well.
    target_link_options(${target} PUBLIC $<BUILD_INTERFACE:-fsanitize=${CONC_SANITIZE}>)
  endif()
endfunction()
