// Pool, the workers: what they take from each other.
#include <algorithm>
#include <mutex>

#include "pool_worker.hpp"

namespace conc::detail {
namespace {

// How many jobs a worker takes from another's queue at most, of half that there are.
constexpr std::size_t most_stolen = 16;

}  // namespace

// Reserves the older half of another worker's queue; or else claims a job of another's stretch.
Job* Pool::steal(Worker& me) noexcept {
  if (paused()) return nullptr;
  if (Job* const job = me.claim_next()) return job;
  if (local_used_.load(std::memory_order_relaxed)) {
    me.give_back();
    const std::lock_guard threads(threads_mutex_);
    for (const auto& other : threads_) {
      const ShortGuard guard(other->queue.lock);
      const std::size_t half = (other->queue.size.load(std::memory_order_relaxed) + 1) / 2;
      if (half == 0) continue;
      me.reserve(other->queue.jobs, std::min(half, most_stolen));
      me.turned = 0;
      return me.claim_next();
    }
  }
  return steal_from_stretches(me);
}

Job* Pool::steal_from_stretches(const Worker& me) noexcept {
  if ((stretches_.load(std::memory_order_relaxed) == 0 &&
       !local_used_.load(std::memory_order_relaxed)) ||
      paused()) {
    return nullptr;
  }
  const std::lock_guard threads(threads_mutex_);
  for (const auto& other : threads_) {
    if (other.get() == &me) continue;
    const ShortGuard guard(other->stretch_lock);
    const JobStretch& stretch = other->stretch;
    for (std::size_t i = stretch.first; i != stretch.end; ++i) {
      if (Job* const job = JobStretch::claim(stretch.block->slots[i])) return job;
    }
  }
  return nullptr;
}

// Whether a worker's own queue or its stretch holds a job.
bool Pool::any_elsewhere() noexcept {
  if ((!local_used_.load(std::memory_order_relaxed) &&
       stretches_.load(std::memory_order_relaxed) == 0) ||
      paused()) {
    return false;
  }
  const std::lock_guard threads(threads_mutex_);
  return std::any_of(threads_.begin(), threads_.end(), [](const auto& worker) {
    {
      const ShortGuard guard(worker->queue.lock);
      if (worker->queue.size.load(std::memory_order_relaxed) != 0) return true;
    }
    const ShortGuard guard(worker->stretch_lock);
    const JobStretch& stretch = worker->stretch;
    for (std::size_t i = stretch.first; i != stretch.end; ++i) {
      if (stretch.block->slots[i].load(std::memory_order_relaxed) != nullptr) return true;
    }
    return false;
  });
}

}  // namespace conc::detail
