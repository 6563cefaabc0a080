// CONC_TEST_ASAN and CONC_TEST_TSAN, 1 or 0: which sanitizer the program was built with.
//
// What they cannot do: both make the stacks of threads themselves, have their own handlers for
// faults, and leave their allocator locked in the child of a fork if another thread was just
// allocating; tsan starts no thread in such a child, and asan takes for lost what the parent's
// threads hold there.
#pragma once

#if defined(__has_feature)
#define CONC_TEST_HAS_FEATURE(feature) __has_feature(feature)
#else
#define CONC_TEST_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || CONC_TEST_HAS_FEATURE(address_sanitizer)
#define CONC_TEST_ASAN 1
#else
#define CONC_TEST_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || CONC_TEST_HAS_FEATURE(thread_sanitizer)
#define CONC_TEST_TSAN 1
#else
#define CONC_TEST_TSAN 0
#endif
