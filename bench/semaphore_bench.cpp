// Semaphore against a count, a mutex and a condition variable, which is what a program without
// semaphores writes, and against std::counting_semaphore, which has no order of waking.
#include <conc/bounded_semaphore.hpp>
#include <conc/semaphore.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <semaphore>

#include "semaphore_rows.hpp"

namespace {

class Counted {
 public:
  explicit Counted(std::ptrdiff_t permits) : permits_(permits) {}

  void acquire() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return permits_ > 0; });
    --permits_;
  }
  bool try_acquire() {
    const std::lock_guard lock(mutex_);
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      ++permits_;
    }
    returned_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::ptrdiff_t permits_;
};

using Counting = std::counting_semaphore<>;

[[maybe_unused]] const bool registered =
    conc::bench::semaphore_rows<conc::Semaphore>("") &&
    conc::bench::semaphore_rows<Counted>("_std") &&
    conc::bench::semaphore_rows<Counting>("_counting") &&
    conc::bench::bounded_semaphore_rows<conc::BoundedSemaphore>("") &&
    conc::bench::bounded_semaphore_rows<Counted>("_std");

}  // namespace
