// Boost's mutexes.

#include <boost/thread/mutex.hpp>
#include <boost/thread/recursive_mutex.hpp>

#include "lock_rows.hpp"

namespace {

[[maybe_unused]] const bool registered = conc::bench::lock_rows<boost::mutex>("_boost") &&
                                         conc::bench::rlock_rows<boost::recursive_mutex>("_boost");

}  // namespace
