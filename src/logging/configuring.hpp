// The lock of basic_config().
#pragma once

#include <conc/detail/machine.hpp>

namespace conc::logging::detail {

// Serialises configurations. Only handlers of conc's own are made under it; no user code runs.
extern constinit conc::detail::Mutex configuring;

}  // namespace conc::logging::detail
