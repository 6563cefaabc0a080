// SemaphoreCore: the word, the mutex and the wait list that Semaphore and BoundedSemaphore are made
// of.
//
// The word is the number of permits, or `wanted`:
//
//   word        meaning                                   entered by          left by
//   1 and more  so many permits are free                  constructor,        acquire, by anyone,
//                                                         release             newcomers too
//   0           no permit is free; nobody waits, or a     the last acquire    release
//               woken thread is on its way
//   wanted, -1  no permit is free, and a release has      a waiter queues     release: wakes the
//               somebody to wake                                              first, or hands over
//                                                                             to it
//
// Both an acquire and a release that wakes nobody are one read-modify-write of the word, with no
// lock held. Everything else is done in settle(), under the mutex, after every change of the list.
//
// A waiter is taken off the list in one of two ways. Summoned: permits are free, let it come and
// take one; while any thread is on its way so, a release adds its permits to the word and wakes
// nobody. The thread that arrives summons as many more as there are permits left, so that one
// wake-up at a time is under way when permits come one at a time, and none stays unused. Granted:
// it is given a permit that never shows in the word, so nobody can overtake it.
//
// Fairness: first come, first woken. A newcomer may take a permit that is free, and so overtake a
// waiter that was summoned for it. But a waiter that comes too late queues again, in front, and
// asks for a hand-off: of the next permits released, it is granted one. So a waiter is woken at
// most twice, and is overtaken only while it is on its way from its first wake-up to the semaphore.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/waiting.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace conc::detail {

class CONC_EXPORT SemaphoreCore {
 public:
  constexpr SemaphoreCore(std::ptrdiff_t permits, const char* name) noexcept
      : word_(permits), start_(permits), name_(name) {}

  // Waits for a release() that is still on its way out, nobody else.
  ~SemaphoreCore();

  SemaphoreCore(const SemaphoreCore&) = delete;
  SemaphoreCore& operator=(const SemaphoreCore&) = delete;

  // Takes a permit if one is free. Does not write when none is.
  CONC_ALWAYS_INLINE bool take() noexcept {
    Word seen = word_.load(std::memory_order_relaxed);
    while (seen > 0) {
      if (word_.compare_exchange_weak(seen, seen - 1, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // The same, but begins with a guess instead of a load: nobody else holds a permit now. A load
  // would have to wait for the write that gave the permit back.
  CONC_ALWAYS_INLINE bool take_first() noexcept {
    Word seen = start_;
    return (seen > 0 && word_.compare_exchange_strong(seen, seen - 1, std::memory_order_acquire,
                                                      std::memory_order_relaxed)) ||
           take();
  }

  // Waits for a permit; false when the Until gave up. For a caller that take() gave none. Throws
  // std::bad_alloc at the thread's first contact with the library.
  CONC_COLD bool take_slow(Until until);

  // Adds n permits, n > 0, and wakes whom that concerns. Returns false, and changes nothing, when
  // more than `limit`, at least start(), would then be free.
  CONC_ALWAYS_INLINE bool give(std::ptrdiff_t n, std::ptrdiff_t limit) noexcept {
    Word seen = start_ - 1;  // the same guess as in take_first(); seen >= 0, so never `wanted`
    if (n == 1 && seen >= 0) {
      if (word_.compare_exchange_strong(seen, start_, std::memory_order_release,
                                        std::memory_order_relaxed)) {
        return true;
      }
    } else {
      seen = word_.load(std::memory_order_relaxed);
    }
    while (seen != wanted && n <= limit - seen) {
      // The last touch: whoever takes the permit may destroy the semaphore.
      if (word_.compare_exchange_weak(seen, seen + n, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return seen == wanted && give_slow(n, limit);
  }

  // How many permits are free.
  [[nodiscard]] std::ptrdiff_t permits() const noexcept {
    return free_in(word_.load(std::memory_order_relaxed));
  }

  // How many there were at the start.
  [[nodiscard]] std::ptrdiff_t start() const noexcept { return start_; }

  [[nodiscard]] const char* name() const noexcept { return name_; }

  // See forget_sleeper().
  void forget(ThreadNode& node) noexcept;

  // How many threads are in the wait list.
  [[nodiscard]] std::size_t waiters() const noexcept;

 private:
  using Word = std::ptrdiff_t;
  static constexpr Word wanted = -1;

  static constexpr std::ptrdiff_t free_in(Word word) noexcept { return word > 0 ? word : 0; }

  CONC_COLD bool give_slow(std::ptrdiff_t n, std::ptrdiff_t limit) noexcept;
  void enqueue(ThreadNode& node, bool in_front) noexcept;
  void dequeue(ThreadNode& node) noexcept;
  bool settle(std::ptrdiff_t n, std::ptrdiff_t limit, WakeChain& woken) noexcept;
  void settle(std::unique_lock<Mutex>& lock) noexcept;

  mutable Mutex mutex_;
  // All guarded by mutex_.
  WaitList waiters_;            // those who want a hand-off, then the others
  std::uint32_t waiting_ = 0;   // the length of the list
  std::uint32_t handoffs_ = 0;  // how many in the list want a hand-off
  std::uint32_t summoned_ = 0;  // how many are on their way to take a permit
  // Last, beside what follows the semaphore in a user's class, which then comes with its cache
  // line.
  Atomic<Word> word_;
  const Word start_;  // the permits it was made with
  const char* name_;
};

}  // namespace conc::detail
