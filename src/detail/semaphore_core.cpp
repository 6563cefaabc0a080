#include <conc/detail/semaphore_core.hpp>

#include <algorithm>
#include <limits>
#include <mutex>

#include "spin.hpp"

namespace conc::detail {

SemaphoreCore::~SemaphoreCore() { const std::lock_guard last_releaser_is_out(mutex_); }

void SemaphoreCore::enqueue(ThreadNode& node, bool in_front) noexcept {
  node.wants_handoff = in_front;
  if (in_front) {
    waiters_.push_front(node);
    ++handoffs_;
  } else {
    waiters_.push_back(node);
  }
  ++waiting_;
}

void SemaphoreCore::dequeue(ThreadNode& node) noexcept {
  waiters_.remove(node);
  if (node.wants_handoff) --handoffs_;
  --waiting_;
}

// Adds n permits, 0 or more, and brings the word in accord with the list: grants to those who want
// a hand-off as far as the permits go, summons others for the rest. Puts all of them into `woken`,
// to be woken without the mutex. Returns false, and changes nothing, when more than `limit` permits
// would be free. Under the mutex.
bool SemaphoreCore::settle(std::ptrdiff_t n, std::ptrdiff_t limit, WakeChain& woken) noexcept {
  Word seen = word_.load(std::memory_order_relaxed);
  std::ptrdiff_t granted = 0;
  std::ptrdiff_t left = 0;
  Word next = 0;
  do {
    const std::ptrdiff_t free = free_in(seen);
    if (n > limit - free) return false;
    granted = std::min<std::ptrdiff_t>(free + n, handoffs_);
    left = free + n - granted;
    // Without a permit left, the next release has somebody to wake if nobody is on the way who
    // would see to it, or somebody wants to be handed what it brings.
    const bool call = left == 0 && waiting_ > granted && (summoned_ == 0 || handoffs_ > granted);
    next = call ? wanted : left;
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  const auto take_off = [&](bool grant) {
    auto& node = static_cast<ThreadNode&>(*waiters_.front());
    dequeue(node);
    node.granted = grant;
    woken.push_back(node);
  };
  for (; granted != 0; --granted) take_off(true);
  if (summoned_ == 0) {
    for (; left != 0 && waiting_ != 0; --left, ++summoned_) take_off(false);
  }
  return true;
}

// The same with no new permits, after a change of the list; then lets the mutex go and wakes.
void SemaphoreCore::settle(std::unique_lock<Mutex>& lock) noexcept {
  WakeChain woken;
  static_cast<void>(settle(0, std::numeric_limits<std::ptrdiff_t>::max(), woken));
  lock.unlock();
  woken.wake_all();
}

bool SemaphoreCore::give_slow(std::ptrdiff_t n, std::ptrdiff_t limit) noexcept {
  WakeChain woken;
  {
    // Whoever takes one of the permits may destroy the semaphore, so they are added under the
    // mutex: the destructor waits for it.
    const std::lock_guard lock(mutex_);
    if (!settle(n, limit, woken)) return false;
  }
  woken.wake_all();
  return true;
}

bool SemaphoreCore::take_slow(Until until) {
  Patience patience(until);
  if (patience.none()) return false;
  if (spin([this] { return take(); })) return true;

  ThreadNode node({WaitKind::semaphore, this, name_});
  std::unique_lock lock(mutex_);
  if (take()) return true;
  for (bool overtaken = false;; overtaken = true) {
    enqueue(node, overtaken);
    settle(lock);  // a permit may have come since the last look: then the first is woken for it

    const bool in_time = node.sleep(patience) == Outcome::woken;
    bool summoned = true;
    if (!in_time) {
      lock.lock();
      if (node.linked()) {
        dequeue(node);
        summoned = false;
      } else {
        lock.unlock();
        node.sleep_until_woken();
      }
    }
    if (node.granted) return true;

    bool taken = in_time && spin([this] { return take(); });
    if (!lock.owns_lock()) lock.lock();
    if (summoned) --summoned_;
    // A last look: what is there is taken, even when the time is up.
    taken = taken || take();
    if (taken || !in_time) {
      settle(lock);  // what is there beyond that is for those behind
      return taken;
    }
    node.reuse();
  }
}

void SemaphoreCore::forget(ThreadNode& node) noexcept {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || !node.linked()) return;
  dequeue(node);
  settle(lock);
}

std::size_t SemaphoreCore::waiters() const noexcept {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace conc::detail
