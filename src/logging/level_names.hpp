// The names of levels, for logging itself.
#pragma once

#include <conc/logging/level.hpp>

#include <string_view>

namespace conc::logging::detail {

// The name of one of the standard levels, for ever there; "" for other levels, and for all once a
// name was added: level_name() knows then.
// Cost: one atomic load.
[[nodiscard]] std::string_view standard_level_name(Level level) noexcept;

// In the child of a fork: nobody is adding one.
void renew_level_names_after_fork() noexcept;

}  // namespace conc::logging::detail
