#pragma once

#include <conc/executor.hpp>
#include <conc/future.hpp>
#include <conc/lock.hpp>  // allowed
#include <conc/logging.hpp>
