#include <conc/event.hpp>

#include <mutex>

#include "detail/spin.hpp"

namespace conc {

Event::~Event() { const std::lock_guard last_setter_is_out(mutex_); }

void Event::set_slow() noexcept {
  detail::WakeChain woken;
  {
    // Whoever sees the flag may destroy the event, so it is set under the mutex: the destructor
    // waits for it.
    const std::lock_guard lock(mutex_);
    Word seen = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(seen, (seen & ~sleepers) | is_set_bit,
                                        std::memory_order_release, std::memory_order_relaxed)) {
    }
    woken = waiters_.take_all();
  }
  woken.wake_all();
}

bool Event::wait_slow(Word entry, Until until) {
  detail::Patience patience(until);
  if (patience.none()) return false;
  if (detail::spin(
          [this, entry] { return was_set_since(entry, word_.load(std::memory_order_acquire)); })) {
    return true;
  }
  detail::ThreadNode node({detail::WaitKind::event, this, name_});
  {
    const std::lock_guard lock(mutex_);
    Word seen = word_.load(std::memory_order_acquire);
    do {
      if (was_set_since(entry, seen)) return true;
    } while (!word_.compare_exchange_weak(seen, seen | sleepers, std::memory_order_acquire,
                                          std::memory_order_acquire));
    waiters_.push_back(node);
  }
  if (node.sleep(patience) == detail::Outcome::woken) return true;
  {
    const std::lock_guard lock(mutex_);
    if (withdraw(node)) return false;
  }
  node.sleep_until_woken();
  return true;
}

// Takes the node of a thread that gives up off the list, if it is there. Under the mutex.
bool Event::withdraw(detail::ThreadNode& node) noexcept {
  if (!node.linked()) return false;
  waiters_.remove(node);
  if (waiters_.empty()) word_.fetch_and(~sleepers, std::memory_order_relaxed);
  return true;
}

void Event::forget(detail::ThreadNode& node) noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock) static_cast<void>(withdraw(node));
}

}  // namespace conc
