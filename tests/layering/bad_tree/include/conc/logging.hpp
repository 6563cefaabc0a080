#pragma once

#include <fmt/core.h>     // allowed
#include <conc/conc.hpp>  // the umbrella is for users only
