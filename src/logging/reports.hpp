// The library's own reports, as records.
#pragma once

namespace conc::logging::detail {

// From now on what conc reports (conc/hooks.hpp) goes to the logger of the report's channel, unless
// the program has set a hook of its own.
void hear_reports() noexcept;

}  // namespace conc::logging::detail
