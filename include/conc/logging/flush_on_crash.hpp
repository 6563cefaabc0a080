// flush_on_crash(): what file handlers hold back survives a crash.
#pragma once

#include <conc/export.hpp>

namespace conc::logging {

// From now on, when the process crashes (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) or is told to
// end and has no handler for that (SIGTERM, SIGINT, SIGHUP, SIGQUIT), the lines that file handlers
// hold back are written first, as far as write(2) still works; those that were just being written
// may be in the file twice. Then whatever was to become of the signal does: the program's own
// handler runs, or the process ends. A signal that is ignored stays ignored.
//
// Not done by itself, since a program's signals are its own. To be called after the program has set
// its signal handlers: one that is set later takes the place of this one. May be called again, to
// take in what was set since.
//
// Python: nothing like it
CONC_LOGGING_EXPORT void flush_on_crash() noexcept;

}  // namespace conc::logging
