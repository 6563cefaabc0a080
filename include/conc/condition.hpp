// Condition: waiting for a change of what a lock guards.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/lockable.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/lock.hpp>
#include <conc/rlock.hpp>
#include <conc/until.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace conc {

// A lock, and the threads that gave it up to wait until somebody notifies them. Whoever changes
// what the lock guards notifies while it still holds the lock; a notified thread goes on when it
// has the lock again.
//
//   conc::Condition changed;
//   std::deque<Job> jobs;
//
//   conc::LockGuard hold(changed);                              // a consumer
//   changed.wait_for([&] { return !jobs.empty(); });
//
//   conc::LockGuard hold(changed);                              // a producer
//   jobs.push_back(job);
//   changed.notify();
//
// No wake-up is spurious, and waiting threads are woken first come, first woken. A notified thread
// is moved to the lock's own queue and woken by the release of the lock, so it does not run into a
// lock that is still held.
//
// A standard TimedLockable: LockGuard and std::scoped_lock hold the condition's lock. 200 bytes;
// neither copied nor moved.
//
// Lifetime: nobody may wait or notify when it is destroyed. A shared lock must outlive it.
//
// Python: threading.Condition
class CONC_CAPABILITY("mutex") Condition : public detail::Lockable<Condition> {
 public:
  // With an RLock of its own. `name`, which must outlive it, is shown in dumps and errors.
  Condition() : Condition(nullptr) {}
  explicit Condition(const char* name)
      : own_(std::in_place, name), rlock_(&*own_), core_(own_->core_), name_(name) {}

  // On a lock that it shares, with other conditions for instance.
  explicit Condition(RLock& lock CONC_LIFETIMEBOUND, const char* name = nullptr) noexcept
      : rlock_(&lock), core_(lock.core_), name_(name) {}
  explicit Condition(Lock& lock CONC_LIFETIMEBOUND, const char* name = nullptr) noexcept
      : lock_(&lock), core_(lock.core_), name_(name) {}

  // Waits for a notify() that is still on its way out, nobody else.
  CONC_EXPORT ~Condition();

  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // The lock's own calls; see Lock and RLock.
  // Python: acquire(), release()
  void acquire() CONC_ACQUIRE() CONC_NO_THREAD_SAFETY_ANALYSIS {
    rlock_ != nullptr ? rlock_->acquire() : lock_->acquire();
  }
  [[nodiscard]] bool acquire(Until until) CONC_TRY_ACQUIRE(true) CONC_NO_THREAD_SAFETY_ANALYSIS {
    return rlock_ != nullptr ? rlock_->acquire(until) : lock_->acquire(until);
  }
  [[nodiscard]] bool try_acquire() CONC_TRY_ACQUIRE(true) CONC_NO_THREAD_SAFETY_ANALYSIS {
    return rlock_ != nullptr ? rlock_->try_acquire() : lock_->try_acquire();
  }
  void release() CONC_RELEASE() CONC_NO_THREAD_SAFETY_ANALYSIS {
    rlock_ != nullptr ? rlock_->release() : lock_->release();
  }

  // Gives up the lock, an RLock wholly however often it is held; waits until notified; takes the
  // lock again, as often as it was held, and returns. Blocks in both waits.
  // Throws UsageError when the lock is not held: an RLock by this thread, a Lock by anyone.
  // Synchronizes: as the release() and acquire() of the lock.
  // Python: wait()
  void wait() { static_cast<void>(wait(forever)); }

  // The same, but stops waiting for a notification as `until` says; false then. It waits for the
  // lock as long as that takes, and gives it up and takes it again even if `until` allows no
  // waiting.
  // Python: wait(timeout)
  [[nodiscard]] bool wait(Until until) {
    detail::Patience patience(until);
    return wait_within(patience);
  }

  // Waits until `predicate` holds. It is evaluated with the lock held, once at least. Where it looks
  // at data marked CONC_GUARDED_BY(changed), clang's -Wthread-safety wants to be told that:
  //
  //   changed.wait_for([&]() CONC_REQUIRES(changed) { return !jobs.empty(); });
  //
  // Throws what wait() and the predicate throw; the lock is held then as before.
  // Python: wait_for(predicate)
  template <std::predicate Predicate>
  void wait_for(Predicate predicate) CONC_NO_THREAD_SAFETY_ANALYSIS {
    while (!predicate()) wait();
  }

  // The same, but stops waiting as `until` says. Returns what the predicate said last, and it is
  // asked once more when the time is up.
  // Python: wait_for(predicate, timeout)
  template <std::predicate Predicate>
  [[nodiscard]] bool wait_for(Predicate predicate, Until until) CONC_NO_THREAD_SAFETY_ANALYSIS {
    if (predicate()) return true;
    detail::Patience patience(until);
    do {
      if (!wait_within(patience)) return predicate();
      if (predicate()) return true;
      // A notification beats the time in wait(), so many of them would keep this going for ever.
    } while (!patience.over());
    return predicate();
  }

  // Lets the n longest waiting threads go on as soon as they have the lock; all of them, if fewer
  // wait. Never blocks.
  // Throws UsageError when the lock is not held.
  // Cost: one atomic load when nobody waits; O(n).
  // Python: notify(n)
  void notify(std::size_t n = 1) {
    if (!held()) [[unlikely]]
      throw_not_held("notify");
    if (n != 0 && waiting_.load(std::memory_order_relaxed) != 0) notify_slow(n);
  }

  // Lets every waiting thread go on.
  // Python: notify_all()
  void notify_all() { notify(static_cast<std::size_t>(-1)); }

  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  friend struct detail::Inspect;

  [[nodiscard]] bool held() const noexcept {
    return rlock_ != nullptr ? rlock_->owned() : lock_->locked();
  }
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_not_held(const char* call) const;
  CONC_COLD CONC_EXPORT void notify_slow(std::size_t n) noexcept;
  CONC_EXPORT bool wait_within(detail::Patience& patience);
  bool withdraw(detail::ThreadNode& node) noexcept;
  void forget(detail::ThreadNode& node) noexcept;

  std::optional<RLock> own_;
  RLock* const rlock_ = nullptr;  // either this
  Lock* const lock_ = nullptr;    // or that is the lock
  detail::LockCore& core_;        // of it
  mutable detail::Mutex mutex_;
  detail::WaitList waiters_;  // guarded by mutex_
  // The length of the list. Changed under mutex_; a waiter adds itself with the lock held, so
  // whoever holds the lock and reads 0 knows that nobody waits.
  detail::Atomic<std::size_t> waiting_{0};
  const char* name_;
};

}  // namespace conc
