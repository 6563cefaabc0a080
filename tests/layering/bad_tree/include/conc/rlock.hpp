#pragma once

#include <conc/lock.hpp>  // allowed: along the floor, and in the table
