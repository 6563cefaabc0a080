// The smallest object that threads can wait for: what the tests of the waiting layer wait on.
#pragma once

#include <conc/detail/waiting.hpp>

#include <cstddef>
#include <mutex>

namespace conc::test {

struct Shelf {
  mutable detail::Mutex mutex_;
  detail::WaitList waiters_;

  void enter(detail::WaitNode& node) {
    const std::lock_guard lock(mutex_);
    waiters_.push_back(node);
  }

  // As every object of the library waits: true when woken, false when it gave up and is off the
  // list.
  bool wait(Until until) {
    detail::Patience patience(until);
    detail::ThreadNode node({detail::WaitKind::event, this, "shelf"});
    enter(node);
    if (node.sleep(patience) == detail::Outcome::woken) return true;
    {
      const std::lock_guard lock(mutex_);
      if (node.linked()) {
        waiters_.remove(node);
        return false;
      }
    }
    node.sleep_until_woken();
    return true;
  }

  // Wakes the n longest waiting; returns how many there were.
  std::size_t wake(std::size_t n) {
    detail::WakeChain chain;
    std::size_t before = 0;
    std::size_t after = 0;
    {
      const std::lock_guard lock(mutex_);
      before = waiters_.size();
      chain = waiters_.take_front(n);
      after = waiters_.size();
    }
    chain.wake_all();
    return before - after;
  }
};

}  // namespace conc::test
