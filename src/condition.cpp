#include <conc/condition.hpp>
#include <conc/errors.hpp>

#include <mutex>
#include <string>

#include "detail/message.hpp"

namespace conc {

Condition::~Condition() { const std::lock_guard last_notifier_is_out(mutex_); }

bool Condition::wait_within(detail::Patience& patience) {
  if (!held()) throw_not_held("wait");
  detail::ThreadNode node({detail::WaitKind::condition, this, name_});
  {
    const std::lock_guard lock(mutex_);
    waiters_.push_back(node);
    waiting_.store(waiting_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  // Nothing throws from here on: the lock always comes back.
  const std::uint32_t depth = rlock_ != nullptr ? rlock_->leave() : 0;
  core_.give(node.thread());

  const detail::Outcome outcome =
      patience.none() ? detail::Outcome::timed_out : node.spin_then_sleep(patience);
  bool notified = true;
  if (outcome != detail::Outcome::woken) {
    const std::lock_guard lock(mutex_);
    notified = !withdraw(node);
  }
  if (notified) {
    if (outcome != detail::Outcome::woken) node.sleep_until_woken();
    core_.take_woken(node);
  } else if (!core_.take_fast(node.thread())) {
    core_.take_back(node.thread());
  }
  if (rlock_ != nullptr) rlock_->return_to(depth, node.thread());
  return notified;
}

// Takes the node of a thread that gives up off the list, if it was not notified. Under the mutex.
bool Condition::withdraw(detail::ThreadNode& node) noexcept {
  if (node.notified) return false;
  waiters_.remove(node);
  waiting_.store(waiting_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return true;
}

void Condition::forget(detail::ThreadNode& node) noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock && !withdraw(node)) core_.forget(node);
}

void Condition::notify_slow(std::size_t n) noexcept {
  detail::WakeChain moved;
  {
    const std::lock_guard lock(mutex_);
    std::size_t left = waiting_.load(std::memory_order_relaxed);
    for (; n != 0 && left != 0; --n, --left) {
      auto& node = static_cast<detail::ThreadNode&>(waiters_.pop_front());
      node.notified = true;
      moved.push_back(node);
    }
    waiting_.store(left, std::memory_order_relaxed);
  }
  if (!moved.empty()) core_.adopt(moved);
}

void Condition::throw_not_held(const char* call) const {
  throw UsageError(
      detail::message("Condition", name_,
                      std::string("got ") + call +
                          "() from a thread that does not hold its lock; acquire it first"));
}

}  // namespace conc
