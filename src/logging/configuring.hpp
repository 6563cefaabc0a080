// What basic_config() and dict_config() share.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/export.hpp>
#include <conc/logging/logger.hpp>

#include <memory>
#include <vector>

namespace conc::logging::detail {

// Serialises configurations. Only handlers of conc's own are made under it; no user code runs.
CONC_LOGGING_EXPORT extern constinit conc::detail::Mutex configuring;

// Held by who opens the file of basic_config(). Comes before `configuring`.
extern constinit conc::detail::Mutex opening;

// All handlers of a logger at once, so that no record meets it without any in between.
struct HandlersOf {
  // Returns those that it had. Throws std::bad_alloc.
  static std::vector<std::shared_ptr<Handler>> replace(
      Logger& logger, const std::vector<std::shared_ptr<Handler>>& handlers) {
    return logger.set_handlers(handlers);
  }
};

}  // namespace conc::logging::detail
