#include "escaped.hpp"
#include "timer_service.hpp"

#include <conc/detail/thread_record.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

namespace conc::detail {
namespace {

// How long the helpers may be held up before there are more of them. Long against the start of a
// thread, so that short functions share few helpers; short against what anybody notices.
constexpr std::chrono::milliseconds patience{1};

// How long an idle helper stays.
constexpr std::chrono::seconds idle_time{2};

// How many timers the server takes out of the heap before it gives the lock back for a moment.
constexpr std::size_t most_at_a_time = 64;

}  // namespace

// What the line needs after it has changed.
TimerService::Calls TimerService::whom_to_call(TimePoint now) noexcept {
  Calls calls;
  if (line_.empty() || arriving_ != 0) return calls;
  if (!idle_.empty()) {
    calls.helper = &static_cast<ThreadNode&>(idle_.pop_front());
    ++arriving_;
    last_progress_ = now;
    return calls;
  }
  const TimePoint look_at = helpers_ == 0 ? now : std::max(last_progress_ + patience, now);
  if (look_at < sleeps_until_) {
    sleeps_until_ = look_at;
    calls.server = this;
  }
  return calls;
}

// ---- The server

void TimerService::serve() noexcept {
  try {
    begin_this_thread("Timers", true);
  } catch (...) {
    // No memory for the record; it can do without.
  }
  Lock lock(mutex);
  for (;;) {
    const TimePoint now = SteadyClock::now();
    for (std::size_t n = 0; n < most_at_a_time && heap_.earliest() <= now; ++n) {
      line_.push_back(heap_.pop(), now);
    }
    const Calls calls = whom_to_call(now);
    const std::size_t more = how_many_to_start(now);
    TimePoint next = heap_.earliest();
    if (!line_.empty()) {
      next = std::min(next, (arriving_ != 0 ? now : last_progress_) + patience);
    }
    sleeps_until_ = next;
    lock.unlock();
    calls.make();
    start_helpers(more);
    sleep_until(next);
    lock.lock();
    sleeps_until_ = TimePoint::min();
  }
}

// Counts them as helpers, too.
std::size_t TimerService::how_many_to_start(TimePoint now) noexcept {
  if (line_.empty() || arriving_ != 0) return 0;
  std::size_t n = 0;
  if (helpers_ != 0 && now >= last_progress_ + patience) {
    n = std::min(helpers_, line_.size());
  } else if (helpers_ == 0 || now >= line_.front_since() + patience) {
    n = 1;
  }
  if (n != 0) last_progress_ = now;
  helpers_ += n;
  arriving_ += n;
  return n;
}

// When the operating system refuses, the server looks again after `patience`, since the line is not
// empty.
void TimerService::start_helpers(std::size_t n) noexcept {
  for (; n != 0; --n) {
    try {
      NativeThread([this] { help(); }).detach();
    } catch (...) {
      const std::lock_guard lock(mutex);
      helpers_ -= n;
      arriving_ -= n;
      return;
    }
  }
}

void TimerService::ring() noexcept {
  {
    const std::lock_guard lock(bed_mutex_);
    rung_ = true;
  }
  bed_.notify_one();
}

void TimerService::sleep_until(TimePoint time) noexcept {
  std::unique_lock lock(bed_mutex_);
  while (!rung_) {
    if (time == TimePoint::max()) {
      bed_.wait(lock);
    } else if (SteadyClock::now() < time) {
      bed_.wait_until(lock, time);
    } else {
      break;
    }
  }
  rung_ = false;
}

// ---- Helpers

void TimerService::help() noexcept {
  bool known = true;
  try {
    begin_this_thread(
        "TimerHelper-" + std::to_string(next_number_.fetch_add(1, std::memory_order_relaxed)),
        false);
  } catch (...) {
    known = false;  // no memory for the record, without which it cannot lie down
  }
  TimePoint now = SteadyClock::now();
  Lock lock(mutex);
  --arriving_;
  if (!known) {
    --helpers_;
    return;
  }
  for (;;) {
    if (line_.empty()) {
      if (!lie_down(lock, now)) return;
      continue;
    }
    last_progress_ = now;
    TimerState& timer = line_.pop_front();
    if (!run(timer, lock, now)) return;
    now = SteadyClock::now();
    lock.lock();
  }
}

// Returns with the lock held, at the time `now`; or false when nobody has called it for so long
// that it left.
bool TimerService::lie_down(Lock& lock, TimePoint& now) noexcept {
  ThreadNode node({WaitKind::timer_work, this, nullptr});
  idle_.push_front(node);
  lock.unlock();
  Patience until_it_leaves(idle_time);
  const bool woken = node.sleep(until_it_leaves) == Outcome::woken;
  now = SteadyClock::now();
  lock.lock();
  if (!woken) {
    if (node.linked()) {
      idle_.remove(node);
      --helpers_;
      return false;
    }
    lock.unlock();
    node.sleep_until_woken();
    lock.lock();
  }
  --arriving_;
  return true;
}

// Gives the lock back. False when the helper is to go: the function has called fork(), and this is
// the child, where nothing of the service may be touched.
bool TimerService::run(TimerState& timer, Lock& lock, TimePoint now) noexcept {
  const Calls calls = whom_to_call(now);
  const bool counts = timer.periodic_ && !timer.daemon_;
  if (counts) ++pending_;
  if (counts && exiting_) {
    end(timer, lock);
    calls.make();
    return true;
  }
  timer.phase_.store(Phase::running, std::memory_order_relaxed);
  lock.unlock();
  calls.make();
  {
    const Within within(timer);
    call(timer);
    if (is_from_parent(timer)) return false;
    if (!timer.periodic_) timer.drop();
  }
  now = SteadyClock::now();
  lock.lock();
  if (timer.stopped_) {
    drop_and_end(timer, lock);
  } else if (!timer.periodic_ || (counts && exiting_)) {
    end(timer, lock);
  } else {
    if (counts) --pending_;  // nobody waits for that before the process exits
    schedule_next(timer, lock, now);
  }
  return true;
}

void TimerService::call(TimerState& timer) noexcept {
  std::string own_name;
  try {
    if (!timer.name_.empty()) {
      own_name = this_thread_name();
      set_this_thread_name(timer.name_);
    }
  } catch (...) {
    // No memory for the names; the work is more important.
  }
  try {
    timer.call();
  } catch (...) {
    exception_escaped(timer.type(), timer.name_, "has called a function that threw",
                      std::current_exception());
  }
  if (!own_name.empty()) {
    try {
      set_this_thread_name(std::move(own_name));
    } catch (...) {
      // It keeps the timer's.
    }
  }
}

// Gives the lock back.
void TimerService::schedule_next(TimerState& timer, Lock& lock, TimePoint now) noexcept {
  const std::chrono::nanoseconds period = timer.interval_;
  if (timer.overrun_ == Overrun::skip && timer.deadline_ <= now) {
    timer.deadline_ += (now - timer.deadline_) / period * period;
  }
  timer.deadline_ =
      period < TimePoint::max() - timer.deadline_ ? timer.deadline_ + period : TimePoint::max();
  timer.phase_.store(Phase::pending, std::memory_order_relaxed);
  const Calls calls = schedule(timer, now);
  lock.unlock();
  calls.make();
}

}  // namespace conc::detail
