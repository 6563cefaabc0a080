// ShortLock: a lock for critical sections of a few dozen instructions.
//
// One atomic read-modify-write to take it and a plain store to give it back, half the price of a
// lock that can put waiters to sleep and wake them. Who finds it held yields, which leaves the
// cache line to the holder and the processor to it, should it have been preempted; then looks more
// often for a moment; then sleeps, a little longer each time, so that it makes way for a holder of
// lower priority too. Nobody is woken: a sleeper looks again when its time is up. So it is not for
// sections that take long.
//
//   held   meaning                entered by           left by
//   false  free                   constructor, unlock  lock
//   true   somebody works inside  lock                 unlock: the last touch, after which it may be
//                                                      destroyed by whoever takes it next
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

namespace conc::detail {

class ShortLock {
 public:
  constexpr ShortLock() noexcept = default;
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

  CONC_ALWAYS_INLINE void lock() noexcept {
    if (held_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      lock_slow();
  }
  [[nodiscard]] CONC_ALWAYS_INLINE bool try_lock() noexcept {
    return !held_.exchange(true, std::memory_order_acquire);
  }
  CONC_ALWAYS_INLINE void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  CONC_COLD CONC_EXPORT void lock_slow() noexcept;

  Atomic<bool> held_{false};
};

}  // namespace conc::detail
