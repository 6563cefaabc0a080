#include "active.hpp"

#include <conc/logging/logger.hpp>

namespace conc::logging::detail {
namespace {

// Nothing to destroy, so it serves to the very end of the thread.
constinit thread_local Active* innermost = nullptr;

}  // namespace

Active::Active(const void* who) noexcept : who_(who), outer_(innermost) { innermost = this; }

Active::~Active() {
  // From now on the thread's records go straight to the handlers, but not to the one that is left
  // here: it is still in the list, so none of them comes back to where it was logged from.
  locked_ = false;
  for (const auto& [logger, record] : waiting_) logger->handle(record.record());
  innermost = outer_;
}

bool Active::contains(const void* who) noexcept {
  for (const Active* active = innermost; active != nullptr; active = active->outer_) {
    if (active->who_ == who) return true;
  }
  return false;
}

bool Active::anywhere() noexcept { return innermost != nullptr; }

bool Active::locks(const void* who) noexcept {
  for (const Active* active = innermost; active != nullptr; active = active->outer_) {
    if (active->who_ == who) return active->locked_;
  }
  return false;
}

bool Active::nested() noexcept { return innermost != nullptr && innermost->outer_ != nullptr; }

bool Active::defer(const Logger& logger, const LogRecord& record) {
  if (innermost == nullptr || !innermost->locked_) return false;
  innermost->waiting_.emplace_back(&logger, record.own());
  return true;
}

}  // namespace conc::logging::detail
