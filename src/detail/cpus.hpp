// How many processors this process may use.
#pragma once

#include <cstddef>

namespace conc::detail {

// At least 1. The processors of the calling thread's affinity, or fewer when the control group
// grants less time than they have. Asks the operating system each time.
[[nodiscard]] std::size_t usable_cpus() noexcept;

}  // namespace conc::detail
