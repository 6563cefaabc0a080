#pragma once

#include <unistd.h>       // allowed: detail sees the operating system
#include <conc/lock.hpp>  // points up
