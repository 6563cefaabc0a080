// Lock: mutual exclusion.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/lock_core.hpp>
#include <conc/detail/lockable.hpp>
#include <conc/until.hpp>

#include <cstddef>

namespace conc {

// Held by at most one holder at a time. The lock knows which thread took it, for dumps, but does
// not belong to that thread: any thread may release it. A thread that acquires a lock it already
// holds waits until another releases it; use RLock where that is to succeed.
//
// A Lock is a standard TimedLockable: std::scoped_lock(a, b), std::unique_lock(a, 50ms) and so on
// work as with a std::timed_mutex. 80 bytes; neither copied nor moved.
//
// Fairness: waiting threads are woken first come, first woken. A thread that finds the lock free
// takes it, even if others wait, since that is what makes a lock fast; a waiter that was overtaken
// so once gets the lock handed over by the next release.
//
// Lifetime: nobody may wait for or use the lock when it is destroyed, but a release() that let the
// destroying thread in may still be on its way out, and the lock may be held.
//
// Python: threading.Lock
class CONC_CAPABILITY("mutex") Lock : public detail::Lockable<Lock> {
 public:
  // A free lock. `name`, which must outlive it, is shown in dumps and errors.
  constexpr Lock() noexcept : Lock(nullptr) {}
  explicit constexpr Lock(const char* name) noexcept : core_(detail::WaitKind::lock, name) {}

  // Takes the lock. Blocks while it is held.
  // Throws DeadlockError if on_deadlock() asks for it; std::bad_alloc at the thread's first contact
  // with the library.
  // Synchronizes: with the release() that freed it.
  // Cost: one atomic read-modify-write when it is free.
  // Python: acquire()
  void acquire() CONC_ACQUIRE() {
    const detail::ThreadId self = detail::self_id();
    if (!core_.take_fast(self)) [[unlikely]] {
      static_cast<void>(core_.take_slow(self, forever));
    }
  }

  // The same, but gives up as `until` says; false then. Reads no clock when the lock is free.
  // Python: acquire(timeout=...)
  [[nodiscard]] bool acquire(Until until) CONC_TRY_ACQUIRE(true) {
    const detail::ThreadId self = detail::self_id();
    return core_.take_fast(self) || core_.take_slow(self, until);
  }

  // Takes the lock if it is free. Never blocks.
  // Cost: one atomic load when it is held.
  // Python: acquire(blocking=False)
  [[nodiscard]] bool try_acquire() CONC_TRY_ACQUIRE(true) {
    return core_.try_take(detail::self_id());
  }

  // Frees the lock, whoever took it, and lets the longest waiting thread have it. Never blocks.
  // Throws UsageError when it is free; nothing is changed then.
  // Synchronizes: with the acquire() that takes it next.
  // Cost: one atomic read-modify-write when nobody waits.
  // Python: release()
  void release() CONC_RELEASE() {
    if (!core_.give(detail::this_thread_id)) [[unlikely]]
      throw_free();
  }

  // Whether somebody holds it, at some moment during the call.
  // Python: locked()
  [[nodiscard]] bool locked() const noexcept { return core_.owner() != 0; }

  [[nodiscard]] const char* name() const noexcept { return core_.name(); }

 private:
  friend class Condition;
  friend struct detail::Inspect;

  [[noreturn]] CONC_COLD CONC_EXPORT void throw_free() const;

  detail::LockCore core_;
};

}  // namespace conc
