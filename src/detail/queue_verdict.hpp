// How the end of a wait becomes a verdict.
#pragma once

#include <conc/detail/queue_core.hpp>
#include <conc/detail/waiting.hpp>

#include <stop_token>

namespace conc::detail {

// Why a call that has no patience left gives up.
[[nodiscard]] inline QueueVerdict exhausted(const Patience& patience) noexcept {
  const std::stop_token* const token = patience.token();
  return token != nullptr && token->stop_requested() ? QueueVerdict::stopped
                                                     : QueueVerdict::timed_out;
}

// What a sleep that was not ended by a wake-up means.
[[nodiscard]] inline QueueVerdict verdict(Outcome outcome) noexcept {
  return outcome == Outcome::stopped ? QueueVerdict::stopped : QueueVerdict::timed_out;
}

}  // namespace conc::detail
