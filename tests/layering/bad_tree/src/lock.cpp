#include <sched.h>        // allowed: a source sees the operating system
#include <conc/lock.hpp>  // allowed

static std::timed_mutex slow;  // ThreadSanitizer reports races that are none
static std::mutex unseamed;    // not by its name in detail/machine.hpp
