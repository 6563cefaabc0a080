// The names that add_level_name() added.
#pragma once

namespace conc::logging::detail {

// In the child of a fork: nobody is adding one.
void renew_level_names_after_fork() noexcept;

}  // namespace conc::logging::detail
