// BoundedSemaphore: a semaphore that notices a release too many.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/lockable.hpp>
#include <conc/detail/semaphore_core.hpp>
#include <conc/until.hpp>

#include <cstddef>

namespace conc {

// A Semaphore whose free permits never exceed the number it started with: for a pool of resources,
// where more releases than acquires are a mistake in the program.
//
// A standard TimedLockable. 96 bytes; neither copied nor moved. Fairness and lifetime as for
// Semaphore.
//
// Python: threading.BoundedSemaphore
class BoundedSemaphore : public detail::PermitLockable<BoundedSemaphore> {
 public:
  // A semaphore with so many permits free, and never more. `name`, which must outlive it, is shown
  // in dumps and errors.
  // Throws std::invalid_argument for a negative number.
  explicit constexpr BoundedSemaphore(std::ptrdiff_t permits, const char* name = nullptr)
      : core_(permits >= 0 ? permits : throw_negative(permits, name), name) {}

  // With one permit.
  constexpr BoundedSemaphore() noexcept : BoundedSemaphore(1) {}

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

  // Gives back n permits, and wakes the longest waiting threads, up to n of them. Never blocks.
  // Throws std::invalid_argument for n < 1, UsageError when more permits would be free than at the
  // start; nothing is changed then.
  // Synchronizes: with the acquire() that takes one of the permits.
  // Cost: one atomic read-modify-write when nobody waits; O(woken).
  // Python: release(n), which raises ValueError
  void release(std::ptrdiff_t n = 1) {
    if (n < 1 || !core_.give(n, bound())) [[unlikely]]
      throw_refused(n);
  }

  // How many permits are free, at some moment during the call.
  [[nodiscard]] std::ptrdiff_t permits() const noexcept { return core_.permits(); }

  // How many permits it started with.
  [[nodiscard]] std::ptrdiff_t bound() const noexcept { return core_.start(); }

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
