#pragma once

#include <fmt/core.h>        // fmt outside logging
#include <conc/lock.hpp>     // allowed: points down
#include <conc/missing.hpp>  // does not exist

#include "lock.hpp"  // a header by its short path
