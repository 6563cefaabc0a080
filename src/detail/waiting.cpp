#include <conc/detail/waiting.hpp>

#include <mutex>
#include <stop_token>

#include "spin.hpp"
#include "wait_words.hpp"

namespace conc::detail {
namespace {

constinit thread_local bool last_wait_threw = false;

}  // namespace

struct ThreadNode::StopCallback {
  ThreadNode& node;
  void operator()() const noexcept { node.stop(); }
};

ThreadNode::ThreadNode(const WaitReason& reason)
    : WaitNode(&ThreadNode::wake_thread),
      record_(this_thread_record()),
      thread_(record_.id),
      reason_(reason) {
  last_wait_threw = false;
}

void ThreadNode::wake_thread(WaitNode& base) noexcept {
  auto& node = static_cast<ThreadNode&>(base);
  ThreadRecord& record = node.record_;
  // The last touch of the node. The record stays.
  if (node.state_.exchange(State::woken, std::memory_order_acq_rel) == State::asleep) {
    { const std::lock_guard until_it_lies_down(record.mutex); }
    record.bed.notify_one();
  }
}

// Run by whoever requests the stop, while the node's thread is in sleep(): the callback's
// destructor there waits for it.
void ThreadNode::stop() noexcept {
  const std::lock_guard lock(record_.mutex);
  State seen = state_.load(std::memory_order_relaxed);
  while (seen != State::woken) {
    if (state_.compare_exchange_weak(seen, State::stopped, std::memory_order_acq_rel)) {
      if (seen == State::asleep) record_.bed.notify_one();
      return;
    }
  }
}

Outcome ThreadNode::spin_then_sleep(Patience& patience) noexcept {
  if (spin([this] { return state_.load(std::memory_order_acquire) == State::woken; })) {
    return Outcome::woken;
  }
  return sleep(patience);
}

Outcome ThreadNode::sleep(Patience& patience) noexcept {
  if (since_ == SteadyClock::time_point{}) trace(reason_, thread_);
  const std::stop_token* const token = patience.token();
  if (token == nullptr || !token->stop_possible()) return sleep_on_bed(patience, false);
  const std::stop_callback<StopCallback> callback(*token, StopCallback{*this});
  return sleep_on_bed(patience, true);
}

Outcome ThreadNode::sleep_on_bed(Patience& patience, bool may_be_stopped) noexcept {
  constexpr auto never = Until::Clock::time_point::max();
  const Until::Clock::time_point deadline = patience.deadline();
  const bool first = since_ == SteadyClock::time_point{};
  const SteadyClock::time_point now = first ? SteadyClock::now() : since_;
  std::unique_lock lock(record_.mutex);
  since_ = now;
  deadline_ = deadline;
  endless_ = deadline == never && !may_be_stopped;
  State seen = State::awake;
  if (state_.compare_exchange_strong(seen, State::asleep, std::memory_order_acq_rel)) {
    if (endless_ && may_have_holder(reason_.kind)) look_for_deadlock(lock);
    record_.sleeps_in = this;  // after a look again: who was told may have slept
    while ((seen = state_.load(std::memory_order_acquire)) == State::asleep) {
      if (deadlock_ != nullptr) {
        state_.compare_exchange_strong(seen, State::awake, std::memory_order_acq_rel);
        if (seen == State::asleep) break;
      } else if (deadline == never) {
        record_.bed.wait(lock);
      } else if (SteadyClock::now() < deadline) {
        record_.bed.wait_until(lock, deadline);
      } else if (state_.compare_exchange_strong(seen, State::awake, std::memory_order_acq_rel)) {
        seen = State::awake;
        break;
      }
    }
    record_.sleeps_in = nullptr;
  }
  switch (seen) {
    case State::woken:
      return Outcome::woken;
    case State::stopped:
      return Outcome::stopped;
    case State::awake:
    case State::asleep:
      break;
  }
  return deadlock_ != nullptr ? Outcome::deadlocked : Outcome::timed_out;
}

// Lets the record's mutex go: other records are looked at, and who is told may sleep, as this
// thread.
void ThreadNode::look_for_deadlock(std::unique_lock<Mutex>& lock) noexcept {
  lock.unlock();
  deadlock_ = find_deadlock(*this, record_, may_throw_);
  lock.lock();
}

void ThreadNode::throw_deadlock() const {
  last_wait_threw = true;
  std::rethrow_exception(deadlock_);
}

bool ThreadNode::gives_way() noexcept { return last_wait_threw; }

void ThreadNode::sleep_until_woken() noexcept {
  // No stop callback is left, so only the waker competes for the state.
  State stopped = State::stopped;
  state_.compare_exchange_strong(stopped, State::awake, std::memory_order_acq_rel);
  Patience endless(forever);
  while (spin_then_sleep(endless) != Outcome::woken) {
  }
}

}  // namespace conc::detail
