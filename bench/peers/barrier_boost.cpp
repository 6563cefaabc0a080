// boost::barrier.

#include <boost/thread/barrier.hpp>

#include "barrier_rows.hpp"

namespace {

[[maybe_unused]] const bool registered = conc::bench::barrier_rows<boost::barrier>("_boost") &&
                                         conc::bench::barrier_action_rows<boost::barrier>("_boost");

}  // namespace
