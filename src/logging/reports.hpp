// The library's own reports, as records.
#pragma once

namespace conc::logging::detail {

// From now on what conc reports (conc/hooks.hpp) goes to the logger of the report's channel, unless
// the program has set a hook of its own. What is told on "conc.trace" and would get to no handler
// goes to stderr, as without logging.
void hear_reports() noexcept;

}  // namespace conc::logging::detail
