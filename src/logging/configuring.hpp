// The lock of basic_config() and dict_config().
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/export.hpp>

namespace conc::logging::detail {

// Serialises configurations. Only handlers of conc's own are made under it; no user code runs.
CONC_LOGGING_EXPORT extern constinit conc::detail::Mutex configuring;

// Held by who opens the file of basic_config(). Comes before `configuring`.
extern constinit conc::detail::Mutex opening;

}  // namespace conc::logging::detail
