// absl::CondVar, without the search for deadlocks that Debian's build begins with.

#include <absl/synchronization/mutex.h>

#include <cstddef>

#include "condition_rows.hpp"

namespace {

class Turns {
 public:
  static constexpr std::size_t changed_size = sizeof(absl::CondVar);

  void take(std::size_t me) {
    const absl::MutexLock hold(&mutex_);
    while (turn_ != me) changed_.Wait(&mutex_);
    turn_ = 1 - turn_;
    changed_.Signal();
  }

 private:
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::size_t turn_ = 0;
};

[[maybe_unused]] const bool registered = [] {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return conc::bench::condition_rows<Turns>("_absl");
}();

}  // namespace
