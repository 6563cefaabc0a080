#pragma once

#include <boost/thread/lock.hpp>  // neither conc nor the standard library
#include <conc/logging.hpp>       // the other half of the same floor
