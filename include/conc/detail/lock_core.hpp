// LockCore: the word, the mutex and the wait list that Lock and RLock are made of.
//
// The word is a ThreadId shifted left by two, and two flags:
//
//   owner    0: free. Otherwise the id of the thread that took the lock.
//   queued   The wait list is not empty. Changed under the mutex only.
//   waking   A waiter was taken off the list because the lock got free, and is on its way to take
//            it. While this is set, a release wakes nobody: one thread on its way is enough. Set
//            by a release with waiters, and by adopt() when it finds the lock free, both under the
//            mutex; cleared by the woken thread when it takes the lock, queues again, or gives up.
//
//   free  queued  waking   entered by                         left by
//   yes   no      no       release                            acquire, by anyone
//   yes   any     yes      release with waiters               acquire, by anyone: newcomers may
//                                                             barge in
//   yes   yes     no       never: a release with waiters
//                          wakes one
//   no    no      no       acquire                            release; a thread that queues
//   no    yes     no       a waiter queues                    release: wakes the first, or hands
//                                                             over to it
//   no    any     yes      a newcomer barged in before the    release; the woken thread queues
//                          woken thread                       again, in front
//
// Fairness: first come, first woken. A newcomer may take a lock that is free, as with every fast
// mutex, and so overtake a waiter that was woken for it. But a waiter that comes too late queues
// again at the front and asks for a hand-off: the next release gives it the lock without ever
// making it free. So a waiter at the front is woken at most twice, and is overtaken only while it
// is on its way from its first wake-up to the lock.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/waiting.hpp>

#include <cstddef>
#include <cstdint>

namespace conc::detail {

class CONC_EXPORT LockCore {
 public:
  constexpr LockCore(WaitKind kind, const char* name) noexcept : name_(name), kind_(kind) {}

  // Waits for a release() that is still on its way out, nobody else.
  ~LockCore();

  LockCore(const LockCore&) = delete;
  LockCore& operator=(const LockCore&) = delete;

  // Takes the lock for thread `self` when nobody holds it and nobody waits.
  CONC_ALWAYS_INLINE bool take_fast(ThreadId self) noexcept {
    Word seen = 0;
    return word_.compare_exchange_strong(seen, owned_by(self), std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }

  // Takes it when nobody holds it. Does not write when somebody does.
  CONC_ALWAYS_INLINE bool try_take(ThreadId self) noexcept {
    Word seen = word_.load(std::memory_order_relaxed);
    while (is_free(seen)) {
      if (word_.compare_exchange_weak(seen, seen | owned_by(self), std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // Waits for it; false when the Until gave up. Throws DeadlockError; std::bad_alloc at the
  // thread's first contact with the library.
  CONC_COLD bool take_slow(ThreadId self, Until until);

  // The same for a Condition, which must have the lock again whatever happens.
  CONC_COLD void take_back(ThreadId self) noexcept;

  // Frees the lock, or hands it over, and wakes whom that concerns. Returns false, and changes
  // nothing, when it is free. `self` is only a guess at who holds it, which makes the usual case
  // one read-modify-write: a load before it would have to wait for the write that took the lock.
  CONC_ALWAYS_INLINE bool give(ThreadId self) noexcept {
    Word seen = owned_by(self);
    return (self != 0 && word_.compare_exchange_strong(seen, 0, std::memory_order_release,
                                                       std::memory_order_relaxed)) ||
           give_slow();
  }

  // 0 when it is free.
  [[nodiscard]] ThreadId owner() const noexcept {
    return word_.load(std::memory_order_relaxed) >> flag_bits;
  }

  // For a Condition, whose notify() moves its waiters here. The lock is held by the notifier; its
  // release wakes them.
  void adopt(WakeChain& nodes) noexcept;

  // Takes the lock for the calling thread, whose adopted node was woken.
  void take_woken(ThreadNode& node) noexcept;

  // See forget_sleeper().
  void forget(ThreadNode& node) noexcept;

  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] WaitReason reason() const noexcept { return {kind_, this, name_}; }

  // Whether the node, with which the calling thread waits for the lock, is in the wait list. If not,
  // its wake-up is on its way, perhaps with the lock. Called under the registry's mutex, which
  // nobody takes under this one.
  [[nodiscard]] bool lists(const ThreadNode& node) const noexcept;

  // How many threads are in the wait list.
  [[nodiscard]] std::size_t waiters() const noexcept;

 private:
  using Word = std::uint64_t;
  static constexpr Word queued = 1;
  static constexpr Word waking = 2;
  static constexpr int flag_bits = 2;

  static constexpr Word owned_by(ThreadId id) noexcept { return id << flag_bits; }
  static constexpr bool is_free(Word word) noexcept { return word < owned_by(1); }

  CONC_COLD bool give_slow() noexcept;
  bool give_to_nobody() noexcept;
  bool give_to_next() noexcept;
  bool take_free(ThreadId self, Word clear) noexcept;
  bool take_or_say(Word clear, Word set, ThreadId self) noexcept;
  bool take_in_line(ThreadNode& node, Patience& patience, bool woken) noexcept;

  mutable Mutex mutex_;
  WaitList waiters_;  // guarded by mutex_
  const char* name_;
  WaitKind kind_;
  // Last, beside what follows the lock in a user's class: what it guards comes with its cache line.
  Atomic<Word> word_{0};
};

}  // namespace conc::detail
