// Logging calls that the compiler removes.
//
// A call below its logger's level costs a load and a comparison. Where that is too much, or where
// the text must not be in the program, a macro removes the call: those below CONC_LOG_ACTIVE_LEVEL,
// a number that the build sets (-D CONC_LOG_ACTIVE_LEVEL=20 removes debug), are checked by the
// compiler, but make no code, and their arguments are not evaluated.
//
//   CONC_LOG_DEBUG(log, "{} of {}", done, total);      // log.debug("{} of {}", done, total);
//
// Each file decides for itself, so only sources should set it, not headers.
#pragma once

#if !defined(CONC_LOG_ACTIVE_LEVEL)
#define CONC_LOG_ACTIVE_LEVEL 0
#endif

#define CONC_LOG_DEBUG(logger, ...) CONC_LOG_CALL(10, logger, debug, __VA_ARGS__)
#define CONC_LOG_INFO(logger, ...) CONC_LOG_CALL(20, logger, info, __VA_ARGS__)
#define CONC_LOG_WARNING(logger, ...) CONC_LOG_CALL(30, logger, warning, __VA_ARGS__)
#define CONC_LOG_ERROR(logger, ...) CONC_LOG_CALL(40, logger, error, __VA_ARGS__)
#define CONC_LOG_CRITICAL(logger, ...) CONC_LOG_CALL(50, logger, critical, __VA_ARGS__)

// The others are made of this one.
#define CONC_LOG_CALL(number, logger, call, ...)         \
  do {                                                   \
    if constexpr ((number) >= (CONC_LOG_ACTIVE_LEVEL)) { \
      (logger).call(__VA_ARGS__);                        \
    }                                                    \
  } while (false)
