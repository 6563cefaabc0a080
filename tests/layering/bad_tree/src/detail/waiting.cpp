#include "../lock.hpp"  // points up, inside src/

#include <conc/detail/waiting.hpp>  // allowed
