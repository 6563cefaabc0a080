// Where the exceptions go that nobody catches in a thread.
#pragma once

#include <conc/export.hpp>
#include <conc/thread_info.hpp>

#include <exception>
#include <functional>

namespace conc {

// An exception that left a thread's function.
struct ThreadException {
  ThreadInfo thread;             // the calling one
  std::exception_ptr exception;  // never null
};

// Called by the thread that the exception would have ended the program for, with no lock held, and
// by several threads at once.
using ExceptHook = std::function<void(const ThreadException&)>;

// Has `hook` called for every later exception that leaves the function of a Thread or a Timer,
// instead of a report on conc.thread; an empty function brings that back. What the hook itself
// throws is reported on conc.thread, and the exception that it was called for as well. Never
// blocks.
// Throws std::bad_alloc; nothing is changed then.
// Lifetime: the hook is destroyed when another one is set and no thread is in it any more, and
// never at the end of the process; what it refers to must live as long as threads may end.
// Python: threading.excepthook = hook
CONC_EXPORT void set_excepthook(ExceptHook hook);

}  // namespace conc
