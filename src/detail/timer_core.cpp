#include <conc/detail/thread_record.hpp>
#include <conc/detail/timer_core.hpp>
#include <conc/errors.hpp>

#include <stdexcept>
#include <string_view>

#include "message.hpp"
#include "timer_service.hpp"

namespace conc::detail {
namespace {

bool makers_daemon() {
  const TimerState* const maker = TimerService::running_here();
  return maker != nullptr ? maker->daemon() : inherited_daemon();
}

}  // namespace

TimerState::TimerState(TimerTraits traits, bool periodic, bool trivial)
    : name_(std::move(traits.name)),
      interval_(traits.interval),
      daemon_(traits.daemon ? *traits.daemon : makers_daemon()),
      periodic_(periodic),
      overrun_(traits.overrun),
      trivial_(trivial) {
  // Before anybody takes its lock: it sees to it that fork() finds the lock free.
  static_cast<void>(TimerService::instance());
}

// Whether it was started, and nothing will happen any more.
bool TimerState::over() const noexcept {
  switch (phase_.load(std::memory_order_acquire)) {
    case Phase::fresh:
    case Phase::cancelled:
      return false;
    case Phase::pending:
    case Phase::running:
    case Phase::ending:
      return TimerService::is_from_parent(*this);
    case Phase::ended:
      break;
  }
  return true;
}

bool TimerState::was_started() const noexcept {
  const Phase phase = phase_.load(std::memory_order_acquire);
  return phase != Phase::fresh && phase != Phase::cancelled;
}

TimerState& TimerCore::state() const {
  if (state_ == nullptr) {
    throw UsageError("A conc timer was used after it was moved from; use the one it was moved to.");
  }
  return *state_;
}

void TimerCore::start() {
  TimerState& timer = state();
  if (!TimerService::start(timer)) {
    throw UsageError(timer.said("was started before; a timer can be started once"));
  }
}

void TimerCore::let_go(TimerState& timer) noexcept { TimerService::let_go(timer); }

bool TimerCore::cancel() { return TimerService::cancel(state()) != Cancelled::no; }

bool TimerCore::cancel_and_wait() {
  TimerState& timer = state();
  const Cancelled cancelled = TimerService::cancel(timer);
  // When that is `ended`, the timer may be gone, with a handle that its function held.
  if (cancelled != Cancelled::ended && timer.was_started() &&
      !TimerService::is_running_here(timer)) {
    static_cast<void>(timer.wait(forever));
  }
  return cancelled != Cancelled::no;
}

bool TimerCore::join(Until until) {
  TimerState& timer = state();
  if (!timer.was_started()) {
    throw UsageError(timer.said("was joined before it was started; start it first"));
  }
  if (TimerService::is_running_here(timer)) {
    throw UsageError(timer.said("was joined by its own function; that would wait for ever"));
  }
  return timer.wait(until);
}

bool TimerState::wait(Until until) {
  if (over()) return true;
  Patience patience(until);
  if (patience.none()) return false;
  ThreadNode node({WaitKind::timer, this, name_.empty() ? nullptr : name_.c_str()});
  {
    const TimerService::Lock lock = TimerService::lock();
    if (over()) return true;
    joiners_.push_back(node);
  }
  if (node.spin_then_sleep(patience) == Outcome::woken) return true;
  {
    const TimerService::Lock lock = TimerService::lock();
    if (node.linked()) {
      joiners_.remove(node);
      return false;
    }
  }
  node.sleep_until_woken();
  return true;
}

void throw_not_positive(const std::string& name) {
  throw std::invalid_argument(
      message("PeriodicTimer", name.empty() ? nullptr : name.c_str(),
              "got a period that is not positive; it needs a nanosecond at least"));
}

std::string TimerState::said(std::string_view what) const {
  return message(type(), name_.empty() ? nullptr : name_.c_str(), what);
}

bool TimerCore::is_alive() const {
  const TimerState& timer = state();
  return timer.was_started() && !timer.over();
}

const std::string& TimerCore::name() const { return state().name_; }
bool TimerCore::daemon() const { return state().daemon(); }

std::size_t TimerCore::waiters() const {
  const TimerService::Lock lock = TimerService::lock();
  return state().joiners_.size();
}

}  // namespace conc::detail
