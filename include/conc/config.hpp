// Compiler facts: attributes that the library's headers use, each empty where the compiler lacks
// it.
#pragma once

#include <conc/export.hpp>

// Kept out of line so that the inlined fast path around the call stays small; what is COLD is
// seldom called and made small itself.
#if defined(__GNUC__)
#define CONC_COLD [[gnu::cold, gnu::noinline]]
#define CONC_NOINLINE [[gnu::noinline]]
#define CONC_ALWAYS_INLINE [[gnu::always_inline]] inline
#else
#define CONC_COLD
#define CONC_NOINLINE
#define CONC_ALWAYS_INLINE inline
#endif

// The argument must outlive the object made from it; clang then warns about a temporary that dies
// too early.
#if defined(__clang__)
#define CONC_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define CONC_LIFETIMEBOUND
#endif

// Clang's thread-safety analysis (-Wthread-safety). conc::Lock and conc::RLock are capabilities,
// conc::LockGuard is a scoped one; a program marks its data with CONC_GUARDED_BY(lock) and its
// functions with CONC_REQUIRES(lock).
#if defined(__clang__)
#define CONC_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define CONC_THREAD_ANNOTATION(x)
#endif
#define CONC_CAPABILITY(kind) CONC_THREAD_ANNOTATION(capability(kind))
#define CONC_SCOPED_CAPABILITY CONC_THREAD_ANNOTATION(scoped_lockable)
#define CONC_GUARDED_BY(lock) CONC_THREAD_ANNOTATION(guarded_by(lock))
#define CONC_PT_GUARDED_BY(lock) CONC_THREAD_ANNOTATION(pt_guarded_by(lock))
#define CONC_REQUIRES(...) CONC_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define CONC_EXCLUDES(...) CONC_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define CONC_ACQUIRE(...) CONC_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define CONC_TRY_ACQUIRE(...) CONC_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define CONC_RELEASE(...) CONC_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define CONC_NO_THREAD_SAFETY_ANALYSIS CONC_THREAD_ANNOTATION(no_thread_safety_analysis)
