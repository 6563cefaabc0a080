// The names that the standard library expects of a lock, for a class that has acquire, try_acquire
// and release.
#pragma once

#include <conc/config.hpp>
#include <conc/until.hpp>

#include <chrono>

namespace conc::detail {

// Makes Derived a standard TimedLockable, so that std::scoped_lock, std::unique_lock and
// std::condition_variable_any take it. For a lock, which clang's thread-safety analysis follows.
template <class Derived>
class CONC_CAPABILITY("mutex") Lockable {
 public:
  void lock() CONC_ACQUIRE() { derived().acquire(); }
  [[nodiscard]] bool try_lock() CONC_TRY_ACQUIRE(true) { return derived().try_acquire(); }
  void unlock() CONC_RELEASE() { derived().release(); }

  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> timeout)
      CONC_TRY_ACQUIRE(true) {
    return derived().acquire(timeout);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> deadline)
      CONC_TRY_ACQUIRE(true) {
    return derived().acquire(deadline);
  }

 protected:
  Lockable() = default;
  ~Lockable() = default;

 private:
  Derived& derived() noexcept { return static_cast<Derived&>(*this); }
};

// The same for what has permits, which belong to nobody: there is nothing for the analysis to
// follow.
template <class Derived>
class PermitLockable {
 public:
  void lock() { derived().acquire(); }
  [[nodiscard]] bool try_lock() { return derived().try_acquire(); }
  void unlock() { derived().release(); }

  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> timeout) {
    return derived().acquire(timeout);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> deadline) {
    return derived().acquire(deadline);
  }

 protected:
  PermitLockable() = default;
  ~PermitLockable() = default;

 private:
  Derived& derived() noexcept { return static_cast<Derived&>(*this); }
};

}  // namespace conc::detail
