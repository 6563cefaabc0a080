// Event against what one writes without it: a flag, a mutex and a condition variable.

#include <conc/event.hpp>

#include <condition_variable>
#include <mutex>

#include "event_rows.hpp"

namespace {

class StdEvent {
 public:
  void set() {
    {
      const std::lock_guard lock(mutex_);
      set_ = true;
    }
    changed_.notify_all();
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    set_ = false;
  }
  bool is_set() {
    const std::lock_guard lock(mutex_);
    return set_;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

[[maybe_unused]] const bool registered =
    conc::bench::event_rows<conc::Event>("") && conc::bench::event_rows<StdEvent>("_std");

}  // namespace
