// RLock: mutual exclusion that its holder may enter again.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/lock_core.hpp>
#include <conc/detail/lockable.hpp>
#include <conc/until.hpp>

#include <cstdint>
#include <utility>

namespace conc {

// Held by at most one thread at a time, as many times over as that thread acquires it, and free
// again after as many releases. It belongs to the thread that took it: nobody else may release it.
//
// A standard TimedLockable. 96 bytes; neither copied nor moved. Fairness and lifetime as for Lock.
//
// Python: threading.RLock
class CONC_CAPABILITY("mutex") RLock : public detail::Lockable<RLock> {
 public:
  // How often a thread may hold it at once.
  static constexpr std::uint32_t max_depth = (1U << 24) - 1;

  // A free lock. `name`, which must outlive it, is shown in dumps and errors.
  constexpr RLock() noexcept : RLock(nullptr) {}
  explicit constexpr RLock(const char* name) noexcept : core_(detail::WaitKind::rlock, name) {}

  // Takes the lock once more. Blocks while another thread holds it; never for its holder.
  // Throws UsageError beyond max_depth; DeadlockError if on_deadlock() asks for it; std::bad_alloc
  // at the thread's first contact with the library.
  // Synchronizes: with the release() that freed it.
  // Cost: one atomic read-modify-write when it is free; a load and a store when the calling thread
  // holds it.
  // Python: acquire()
  void acquire() CONC_ACQUIRE() {
    const detail::ThreadId self = detail::self_id();
    if (reenter(self)) return;
    if (!core_.take_fast(self)) [[unlikely]] {
      static_cast<void>(core_.take_slow(self, forever));
    }
    holder_.store(self, std::memory_order_relaxed);
  }

  // The same, but gives up as `until` says; false then.
  // Python: acquire(timeout=...)
  [[nodiscard]] bool acquire(Until until) CONC_TRY_ACQUIRE(true) {
    const detail::ThreadId self = detail::self_id();
    return reenter(self) || note(core_.take_fast(self) || core_.take_slow(self, until), self);
  }

  // Takes the lock once more unless another thread holds it. Never blocks.
  // Python: acquire(blocking=False)
  [[nodiscard]] bool try_acquire() CONC_TRY_ACQUIRE(true) {
    const detail::ThreadId self = detail::self_id();
    return reenter(self) || note(core_.try_take(self), self);
  }

  // Gives back one acquire(); the last one frees the lock. Never blocks.
  // Throws UsageError when the calling thread does not hold it; nothing is changed then.
  // Synchronizes: the last one, with the acquire() that takes it next.
  // Cost: one atomic read-modify-write for the last one when nobody waits, else a load and a store.
  // Python: release()
  void release() CONC_RELEASE() {
    const detail::ThreadId self = detail::this_thread_id;
    if (self == 0 || holder_.load(std::memory_order_relaxed) != self) [[unlikely]]
      throw_stranger();
    if (depth_ > 1) {
      --depth_;
    } else {
      holder_.store(0, std::memory_order_relaxed);
      core_.give(self);
    }
  }

  // Whether some thread holds it, at some moment during the call.
  // Python: locked()
  [[nodiscard]] bool locked() const noexcept { return core_.owner() != 0; }

  // Whether the calling thread holds it.
  [[nodiscard]] bool owned() const noexcept {
    const detail::ThreadId self = detail::this_thread_id;
    return self != 0 && holder_.load(std::memory_order_relaxed) == self;
  }

  [[nodiscard]] const char* name() const noexcept { return core_.name(); }

 private:
  friend class Condition;
  friend struct detail::Inspect;

  CONC_ALWAYS_INLINE bool reenter(detail::ThreadId self) {
    if (holder_.load(std::memory_order_relaxed) != self) return false;
    if (depth_ == max_depth) [[unlikely]]
      throw_too_deep();
    ++depth_;
    return true;
  }
  CONC_ALWAYS_INLINE bool note(bool taken, detail::ThreadId self) noexcept {
    if (taken) holder_.store(self, std::memory_order_relaxed);
    return taken;
  }

  // For a Condition: gives up the whole depth, and takes note of having it back.
  std::uint32_t leave() noexcept {
    holder_.store(0, std::memory_order_relaxed);
    return std::exchange(depth_, 1);
  }
  void return_to(std::uint32_t depth, detail::ThreadId self) noexcept {
    depth_ = depth;
    holder_.store(self, std::memory_order_relaxed);
  }

  [[noreturn]] CONC_COLD CONC_EXPORT void throw_stranger() const;
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_too_deep() const;

  detail::LockCore core_;

  // The thread that holds the lock, or 0; written by the holder only. The lock word says it as
  // well, but a load of that, right after the read-modify-write that changed it, is slow. Whoever
  // finds itself here holds the lock: nobody else writes its id, and it takes it away before it
  // releases.
  detail::Atomic<detail::ThreadId> holder_{0};
  std::uint32_t depth_ = 1;  // how often the holder holds it; 1 while it is free
};

}  // namespace conc
