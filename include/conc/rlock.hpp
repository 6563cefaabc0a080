// RLock: mutual exclusion that its holder may enter again.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/lock_core.hpp>
#include <conc/detail/lockable.hpp>
#include <conc/until.hpp>

#include <cstdint>

namespace conc {

// Held by at most one thread at a time, as many times over as that thread acquires it, and free
// again after as many releases. It belongs to the thread that took it: nobody else may release it.
//
// A standard TimedLockable. 88 bytes; neither copied nor moved. Fairness and lifetime as for Lock.
//
// Python: threading.RLock
class CONC_CAPABILITY("mutex") RLock : public detail::Lockable<RLock> {
 public:
  // How often a thread may hold it at once.
  static constexpr std::uint32_t max_depth = (1U << 24) - 1;

  // A free lock. `name`, which must outlive it, is shown in dumps and errors.
  explicit constexpr RLock(const char* name = nullptr) noexcept
      : core_(detail::WaitKind::rlock, name) {}

  // Takes the lock once more. Blocks while another thread holds it; never for its holder.
  // Throws UsageError beyond max_depth; std::bad_alloc at the thread's first contact with the
  // library. Synchronizes: with the release() that freed it. Cost: one atomic read-modify-write
  // when it is free, one load when the calling thread holds it. Python: acquire()
  void acquire() CONC_ACQUIRE() {
    const detail::ThreadId self = detail::self_id();
    if (reenter(self)) return;
    if (!core_.take_fast(self)) [[unlikely]] {
      static_cast<void>(core_.take_slow(self, forever));
    }
    depth_ = 1;
  }

  // The same, but gives up as `until` says; false then.
  // Python: acquire(timeout=...)
  [[nodiscard]] bool acquire(Until until) CONC_TRY_ACQUIRE(true) {
    const detail::ThreadId self = detail::self_id();
    return reenter(self) || begin(core_.take_fast(self) || core_.take_slow(self, until));
  }

  // Takes the lock once more unless another thread holds it. Never blocks.
  // Python: acquire(blocking=False)
  [[nodiscard]] bool try_acquire() CONC_TRY_ACQUIRE(true) {
    const detail::ThreadId self = detail::self_id();
    return reenter(self) || begin(core_.try_take(self));
  }

  // Gives back one acquire(); the last one frees the lock. Never blocks.
  // Throws UsageError when the calling thread does not hold it; nothing is changed then.
  // Synchronizes: the last one, with the acquire() that takes it next.
  // Cost: one atomic read-modify-write for the last one when nobody waits, else one load.
  // Python: release()
  void release() CONC_RELEASE() {
    if (!owned()) [[unlikely]]
      throw_stranger();
    if (--depth_ == 0) core_.give();
  }

  // Whether some thread holds it, at some moment during the call.
  // Python: locked()
  [[nodiscard]] bool locked() const noexcept { return core_.owner() != 0; }

  // Whether the calling thread holds it.
  [[nodiscard]] bool owned() const noexcept {
    const detail::ThreadId self = detail::this_thread_id;
    return self != 0 && core_.owner() == self;
  }

  [[nodiscard]] const char* name() const noexcept { return core_.name(); }

 private:
  friend class Condition;
  friend struct detail::Inspect;

  CONC_ALWAYS_INLINE bool reenter(detail::ThreadId self) {
    if (core_.owner() != self) return false;
    if (depth_ == max_depth) [[unlikely]]
      throw_too_deep();
    ++depth_;
    return true;
  }
  bool begin(bool taken) noexcept {
    if (taken) depth_ = 1;
    return taken;
  }
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_stranger() const;
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_too_deep() const;

  detail::LockCore core_;
  std::uint32_t depth_ = 0;  // written by the holder only
};

}  // namespace conc
