#include <sched.h>        // allowed: a source sees the operating system
#include <conc/lock.hpp>  // allowed
