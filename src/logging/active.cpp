#include "active.hpp"

#include <conc/logging/logger.hpp>

#include <utility>

namespace conc::logging::detail {

constinit thread_local Active* Active::innermost = nullptr;

// From now on the thread's records go straight to the handlers, but not to the one that is left
// here: it is still in the list, so none of them comes back to where it was logged from.
void Active::handle_waiting() noexcept {
  locked_ = false;
  for (const Waiting& one : waiting_) handle_inside(one, 0);
}

void Active::handle_inside(const Waiting& one, std::size_t depth) noexcept {
  if (depth == one.inside.size()) return one.logger->handle(one.record.record());
  const Active active(one.inside[depth]);
  handle_inside(one, depth + 1);
}

bool Active::defer_inside(const Logger& logger, const LogRecord& record) {
  Active* outermost = nullptr;
  for (Active* active = innermost; active != nullptr; active = active->outer_) {
    if (active->locked_) outermost = active;
  }
  if (outermost == nullptr) return false;
  std::vector<const void*> inside;
  for (const Active* active = innermost; active != outermost; active = active->outer_) {
    inside.push_back(active->who_);
  }
  outermost->waiting_.push_back({&logger, record.own(), std::move(inside)});
  return true;
}

}  // namespace conc::logging::detail
