// absl::Mutex, without the search for deadlocks that Debian's build begins with.

#include <absl/synchronization/mutex.h>

#include <conc/config.hpp>

#include "lock_rows.hpp"

namespace {

class Mutex {
 public:
  void lock() CONC_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  bool try_lock() { return mutex_.TryLock(); }
  void unlock() CONC_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

 private:
  absl::Mutex mutex_;
};

[[maybe_unused]] const bool registered = [] {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return conc::bench::lock_rows<Mutex>("_absl");
}();

}  // namespace
