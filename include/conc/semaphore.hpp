// Semaphore: a number of permits that threads take and give back.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/lockable.hpp>
#include <conc/detail/semaphore_core.hpp>
#include <conc/until.hpp>

#include <cstddef>
#include <limits>

namespace conc {

// Holds a number of permits. acquire() takes one and waits while there is none; release() gives
// one, or several. Permits belong to nobody: a thread may release what another acquired, or what
// nobody did, so a semaphore guards a pool of resources as well as it counts items that are ready.
// Use BoundedSemaphore where a release too many is a mistake.
//
// A Semaphore is a standard TimedLockable: std::unique_lock(pool, 50ms), LockGuard and so on hold
// one permit. 96 bytes; neither copied nor moved.
//
// Fairness: waiting threads are woken first come, first woken. A thread that finds a permit free
// takes it, even if others wait; a waiter that was overtaken so once is given the next permit that
// is released, without its ever being free.
//
// Lifetime: nobody may wait for or use the semaphore when it is destroyed, but a release() that
// let the destroying thread in may still be on its way out. Permits need not be back.
//
// Python: threading.Semaphore
class Semaphore : public detail::PermitLockable<Semaphore> {
 public:
  // The most permits that can be free at once.
  static constexpr std::ptrdiff_t max_permits = std::numeric_limits<std::ptrdiff_t>::max();

  // A semaphore with so many permits free. `name`, which must outlive it, is shown in dumps and
  // errors.
  // Throws std::invalid_argument for a negative number.
  explicit constexpr Semaphore(std::ptrdiff_t permits, const char* name = nullptr)
      : core_(permits >= 0 ? permits : throw_negative(permits, name), name) {}

  // With one permit.
  constexpr Semaphore() noexcept : Semaphore(1) {}

  // Takes a permit. Blocks while none is free.
  // Throws std::bad_alloc at the thread's first wait in the library.
  // Synchronizes: with the release() that gave the permit, and those before it.
  // Cost: one atomic read-modify-write when a permit is free.
  // Python: acquire()
  void acquire() {
    if (!core_.take_first()) [[unlikely]]
      static_cast<void>(core_.take_slow(forever));
  }

  // The same, but gives up as `until` says; false then. Reads no clock when a permit is free.
  // Python: acquire(timeout=...)
  [[nodiscard]] bool acquire(Until until) { return core_.take_first() || core_.take_slow(until); }

  // Takes a permit if one is free. Never blocks.
  // Cost: one atomic load when none is.
  // Python: acquire(blocking=False)
  [[nodiscard]] bool try_acquire() { return core_.take(); }

  // Gives n permits, and wakes the longest waiting threads, up to n of them. Never blocks.
  // Throws std::invalid_argument for n < 1, UsageError when more than max_permits would be free;
  // nothing is changed then.
  // Synchronizes: with the acquire() that takes one of the permits.
  // Cost: one atomic read-modify-write when nobody waits; O(woken).
  // Python: release(n)
  void release(std::ptrdiff_t n = 1) {
    if (n < 1 || !core_.give(n, max_permits)) [[unlikely]]
      throw_refused(n);
  }

  // How many permits are free, at some moment during the call.
  [[nodiscard]] std::ptrdiff_t permits() const noexcept { return core_.permits(); }

  [[nodiscard]] const char* name() const noexcept { return core_.name(); }

 private:
  friend struct detail::Inspect;

  // Returns to nobody: a function of this type can stand in a constant expression.
  [[noreturn]] CONC_COLD CONC_EXPORT static std::ptrdiff_t throw_negative(std::ptrdiff_t permits,
                                                                          const char* name);
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_refused(std::ptrdiff_t n) const;

  detail::SemaphoreCore core_;
};

}  // namespace conc
