#pragma once

#include <conc/logging.hpp>  // allowed
