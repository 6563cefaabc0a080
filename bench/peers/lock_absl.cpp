// absl::Mutex, without the search for deadlocks that Debian's build begins with.

#include <absl/synchronization/mutex.h>

#include "lock_rows.hpp"

namespace {

class Mutex {
 public:
  void lock() { mutex_.Lock(); }
  bool try_lock() { return mutex_.TryLock(); }
  void unlock() { mutex_.Unlock(); }

 private:
  absl::Mutex mutex_;
};

[[maybe_unused]] const bool registered = [] {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return conc::bench::lock_rows<Mutex>("_absl");
}();

}  // namespace
