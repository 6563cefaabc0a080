#pragma once

#include <pthread.h>        // a system header in a public header
#include <conc/future.hpp>  // points up
#include <conc/rlock.hpp>   // along the floor, but a Lock is not built from an RLock
#include <mutex>            // allowed
