#include "active.hpp"

#include <conc/logging/logger.hpp>

namespace conc::logging::detail {

constinit thread_local Active* Active::innermost = nullptr;

// From now on the thread's records go straight to the handlers, but not to the one that is left
// here: it is still in the list, so none of them comes back to where it was logged from.
void Active::handle_waiting() noexcept {
  locked_ = false;
  for (const auto& [logger, record] : waiting_) logger->handle(record.record());
}

bool Active::take(const Logger& logger, const LogRecord& record) {
  waiting_.emplace_back(&logger, record.own());
  return true;
}

}  // namespace conc::logging::detail
