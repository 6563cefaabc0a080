#include <conc/detail/lock_core.hpp>

#include <mutex>

#include "spin.hpp"

namespace conc::detail {

LockCore::~LockCore() { const std::lock_guard last_releaser_is_out(mutex_); }

// Takes the lock if it is free, clearing the flags in `clear` with it. Begins with a guess and not
// with a load, so that the cache line comes once, to be written, and not first to be read.
bool LockCore::take_free(ThreadId self, Word clear) noexcept {
  Word seen = clear;
  do {
    if (word_.compare_exchange_weak(seen, (seen & ~clear) | owned_by(self),
                                    std::memory_order_acquire, std::memory_order_relaxed)) {
      return true;
    }
  } while (is_free(seen));
  return false;
}

// Takes the lock if it is free, else changes the flags, in one step: no release comes between
// looking and saying. Under the mutex. Clears `clear` in both cases, sets `set` only when the lock
// is held.
bool LockCore::take_or_say(Word clear, Word set, ThreadId self) noexcept {
  Word seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const bool take = is_free(seen);
    const Word next = (seen & ~clear) | (take ? owned_by(self) : set);
    if (word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
      return take;
    }
  }
}

bool LockCore::take_slow(ThreadId self, Until until) {
  Patience patience(until);
  if (patience.none()) return take_free(self, 0);
  if (spin([this, self] { return take_free(self, 0); })) return true;
  ThreadNode node(reason());
  node.may_throw();
  if (take_in_line(node, patience, false)) return true;
  node.throw_if_deadlocked();
  return false;
}

void LockCore::take_back(ThreadId self) noexcept {
  if (spin([this, self] { return take_free(self, 0); })) return;
  ThreadNode node(reason());
  Patience endless(forever);
  take_in_line(node, endless, false);
}

void LockCore::take_woken(ThreadNode& node) noexcept {
  if (node.granted) return;
  Patience endless(forever);
  take_in_line(node, endless, true);
}

// `woken`: the node was taken off the list because the lock got free, so `waking` is ours to clear.
bool LockCore::take_in_line(ThreadNode& node, Patience& patience, bool woken) noexcept {
  const ThreadId self = node.thread();
  for (;;) {
    if (woken && spin([this, self] { return take_free(self, waking); })) return true;
    std::unique_lock lock(mutex_);
    if (take_or_say(woken ? waking : 0, queued, self)) return true;
    node.wants_handoff = woken;
    if (woken) {
      node.reuse();
      waiters_.push_front(node);
    } else {
      waiters_.push_back(node);
    }
    lock.unlock();

    const Outcome outcome = node.sleep(patience);
    if (outcome != Outcome::woken) {
      lock.lock();
      if (node.linked()) {
        waiters_.remove(node);
        // A last look: what is there is taken, even now.
        return take_or_say(waiters_.empty() ? queued : 0, 0, self);
      }
      lock.unlock();
      node.sleep_until_woken();
    }
    if (node.granted) return true;
    if (outcome == Outcome::stopped || outcome == Outcome::timed_out) {
      // Woken after all, but out of patience. If it is not free now, whoever holds it will wake the
      // next.
      lock.lock();
      return take_or_say(waking, 0, self);
    }
    woken = true;
  }
}

bool LockCore::give_slow() noexcept { return give_to_nobody() || give_to_next(); }

// Frees the lock if that wakes nobody: there is no waiter, or one is on its way already.
bool LockCore::give_to_nobody() noexcept {
  Word seen = word_.load(std::memory_order_relaxed);
  while (!is_free(seen) && (seen & (queued | waking)) != queued) {
    if (word_.compare_exchange_weak(seen, seen & (queued | waking), std::memory_order_release,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

bool LockCore::give_to_next() noexcept {
  ThreadNode* next = nullptr;
  const bool gives_way = ThreadNode::gives_way();
  {
    const std::lock_guard lock(mutex_);
    Word seen = word_.load(std::memory_order_relaxed);
    Word after = 0;
    bool hands_over = false;
    do {
      if (is_free(seen)) return false;
      after = seen & (queued | waking);
      next = nullptr;
      if (after == queued) {
        next = static_cast<ThreadNode*>(waiters_.front());
        hands_over = next->wants_handoff || gives_way;
        after =
            (waiters_.has_one() ? 0 : queued) | (hands_over ? owned_by(next->thread()) : waking);
      }
    } while (!word_.compare_exchange_weak(seen, after, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    if (next == nullptr) return true;
    waiters_.remove(*next);
    next->granted = hands_over;
  }
  next->wake();
  return true;
}

void LockCore::adopt(WakeChain& nodes) noexcept {
  ThreadNode* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    while (!nodes.empty()) waiters_.push_back(nodes.pop_front());
    Word seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      // A thread that does not hold the lock has freed it under the notifier's hands: the first
      // waiter must not be left asleep beside a free lock.
      const bool abandoned = is_free(seen) && (seen & waking) == 0;
      const Word after = abandoned ? waking | (waiters_.has_one() ? 0 : queued) : seen | queued;
      if (word_.compare_exchange_weak(seen, after, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        if (abandoned) next = static_cast<ThreadNode*>(&waiters_.pop_front());
        break;
      }
    }
  }
  if (next != nullptr) next->wake();
}

void LockCore::forget(ThreadNode& node) noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || !node.linked()) return;
  waiters_.remove(node);
  if (waiters_.empty()) word_.fetch_and(~queued, std::memory_order_relaxed);
}

bool LockCore::lists(const ThreadNode& node) const noexcept {
  const std::lock_guard lock(mutex_);
  return node.linked();
}

std::size_t LockCore::waiters() const noexcept {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

}  // namespace conc::detail
