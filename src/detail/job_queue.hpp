// JobList and JobQueue: where jobs wait for a worker.
#pragma once

#include <conc/detail/job.hpp>
#include <conc/detail/machine.hpp>

#include <cstddef>
#include <utility>

namespace conc::detail {

class Pool;

// Jobs in order, first in, first out; any can be taken out. Under the mutex of its queue.
class JobList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  void push_back(Job& job) noexcept {
    job.place.next = nullptr;
    job.place.previous = last_;
    (last_ != nullptr ? last_->place.next : first_) = &job;
    last_ = &job;
    job.place.linked = true;
  }

  void remove(Job& job) noexcept {
    (job.place.previous != nullptr ? job.place.previous->place.next : first_) = job.place.next;
    (job.place.next != nullptr ? job.place.next->place.previous : last_) = job.place.previous;
    job.place.linked = false;
  }

  Job& pop_front() noexcept {
    Job& job = *first_;
    remove(job);
    return job;
  }

  [[nodiscard]] Job* front() const noexcept { return first_; }

  // Takes over a stack of jobs, linked by `next` from the newest, which comes last. Returns how
  // many there were.
  std::size_t push_back_stack(Job* newest) noexcept {
    std::size_t count = 0;
    Job* newer = nullptr;
    for (Job* job = newest; job != nullptr; ++count) {
      Job* const older = job->place.next;
      job->place.next = newer;
      job->place.previous = older != nullptr ? older : last_;
      job->place.linked = true;
      newer = std::exchange(job, older);
    }
    if (newer != nullptr) {
      (last_ != nullptr ? last_->place.next : first_) = newer;
      last_ = newest;
    }
    return count;
  }

 private:
  Job* first_ = nullptr;
  Job* last_ = nullptr;
};

// What Job::Place::home points to. Lives as long as its pool, so that whoever has found it in a job
// may lock it.
struct JobQueue {
  explicit JobQueue(Pool& owner) noexcept : pool(owner) {}
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  Pool& pool;
  mutable Mutex mutex;
};

// A worker's own queue: what its tasks submit. The worker takes the oldest, and so do others that
// have nothing to do.
struct LocalQueue : JobQueue {
  using JobQueue::JobQueue;

  void push_back(Job& job) noexcept {
    jobs.push_back(job);
    size.store(size.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void remove(Job& job) noexcept {
    jobs.remove(job);
    size.store(size.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  }
  Job& pop_front() noexcept {
    Job& job = *jobs.front();
    remove(job);
    return job;
  }

  JobList jobs;  // guarded by mutex
  Atomic<std::size_t> size{
      0};  // of jobs. Changed under mutex; its own worker, which alone adds jobs, may rely on a 0
};

}  // namespace conc::detail
