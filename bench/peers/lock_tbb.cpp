// oneTBB's mutex that sleeps after a while. Its spin_mutex never does, and has no row for that.

#include <oneapi/tbb/mutex.h>

#include "lock_rows.hpp"

namespace {

[[maybe_unused]] const bool registered = conc::bench::lock_rows<tbb::mutex>("_tbb");

}  // namespace
