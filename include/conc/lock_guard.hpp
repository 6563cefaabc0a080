// LockGuard: holds a lock for the length of a block.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/lockable.hpp>

#include <concepts>

namespace conc {

// Acquires in the constructor, releases in the destructor: Python's `with lock:`. Works with Lock,
// RLock, Condition and Semaphore. The standard guards do as well; this one is understood by clang's
// -Wthread-safety, which then checks every use of data marked CONC_GUARDED_BY(lock). A semaphore
// guards none: several guards of one thread hold as many permits.
//
// The destructor calls release(), which throws only if the lock was released meanwhile: that ends
// the program.
template <class L>
class CONC_SCOPED_CAPABILITY [[nodiscard]] LockGuard {
 public:
  // Blocks until `lock` is acquired. `lock` must outlive the guard.
  explicit LockGuard(L& lock CONC_LIFETIMEBOUND) CONC_ACQUIRE(lock) : lock_(lock) {
    lock_.acquire();
  }
  ~LockGuard() CONC_RELEASE() { lock_.release(); }

  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  L& lock_;
};

// Without the annotations.
template <class L>
requires std::derived_from<L, detail::PermitLockable<L>>
class [[nodiscard]] LockGuard<L> {
 public:
  explicit LockGuard(L& lock CONC_LIFETIMEBOUND) : lock_(lock) { lock_.acquire(); }
  ~LockGuard() { lock_.release(); }

  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  L& lock_;
};

}  // namespace conc
