// The records that did not arrive, of Handler.

#include <conc/logging/handler.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "complaint.hpp"
#include "handler_state.hpp"

namespace conc::logging {

std::uint64_t Handler::lost() const noexcept {
  return state_->lost.load(std::memory_order_relaxed);
}

void Handler::lose(std::string_view what, std::string_view why) const noexcept {
  count_lost(1, false);
  if (!may_complain()) return;
  state_->unsaid.exchange(false, std::memory_order_acq_rel);
  const std::uint64_t lost = state_->lost.load(std::memory_order_relaxed);
  try {
    detail::complain({description(), ": ", what, why, " (", std::to_string(lost), " lost so far)"});
  } catch (...) {
    detail::complain({"a handler: ", what, why});
  }
}

void Handler::count_lost(std::uint64_t records, bool said) const noexcept {
  // First counted, then unsaid; and the other way round who says the number: so it tells of every
  // record whose mark it takes away.
  state_->lost.fetch_add(records, std::memory_order_relaxed);
  state_->unsaid.exchange(true, std::memory_order_acq_rel);
  if (said) state_->unsaid.exchange(false, std::memory_order_acq_rel);
}

void Handler::say_losses() const noexcept { say_losses_as(detail::described); }

void Handler::say_losses_as(Describe describe) const noexcept {
  if (!state_->unsaid.exchange(false, std::memory_order_acq_rel)) return;
  try {
    detail::complain({describe(*this), ": ", std::to_string(lost()), " records lost so far"});
  } catch (...) {
    detail::complain({"a handler: more records were lost"});
  }
}

void Handler::catch_up(Describe describe) const noexcept {
  if (state_->unsaid.load(std::memory_order_relaxed) && may_complain()) say_losses_as(describe);
}

bool Handler::may_complain() const noexcept { return state_->complaint.due(); }

void Handler::complain(std::string_view what) const noexcept {
  if (!may_complain()) return;
  try {
    detail::complain({description(), ": ", what});
  } catch (...) {
    detail::complain({"a handler: ", what});
  }
}

}  // namespace conc::logging
