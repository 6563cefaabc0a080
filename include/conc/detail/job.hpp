// Job: what an executor queues. The seam between the typed calls of Executor and the executors that run them.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/task.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace conc::detail {

struct JobQueue;

// How a job left the hands of the executor.
enum class Ended : std::uint8_t {
  done,     // it was run, and returned
  failed,   // it was run, and threw
  skipped,  // it was not run: cancelled before, or it will never be
};

// Why a job is not going to be run.
enum class Drop : std::uint8_t {
  cancelled,  // as if by Future::cancel()
  broken,     // the executor cannot run it: its future gets BrokenExecutor
};

// One call to be made. An executor holds a job from enqueue() on, and gives up its hold by run() or drop(), one of them
// once; the job may be gone when that returns. Both may run code of the user, so they are called with no lock held.
class CONC_EXPORT Job {
 public:
  // Where the job is. Belongs to the chain or queue that it is in; in a queue, it is guarded by the queue's mutex.
  struct Place {
    Job* next = nullptr;
    Job* previous = nullptr;
    // The queue that it is in, or on its way into. Changed under the mutex of the queue that it is in.
    Atomic<JobQueue*> home{nullptr};
    std::uint64_t since = 0;  // when it was submitted, in nanoseconds of the steady clock; 0 when nobody asks
    bool linked = false;      // in the list of `home`
    std::uint8_t lane = 0;
  };

  Job() noexcept = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  virtual Ended run() noexcept = 0;
  virtual void drop(Drop why) noexcept = 0;

  Place place;

 protected:
  ~Job() = default;
};

// Tell the executor whose worker calls, if it is one: that its job has returned, or threw; and that after this it is about
// to complete its future. So whoever sees the result and submits the next job finds the thread free, and wakes no other.
CONC_EXPORT void job_returned(bool threw) noexcept;
CONC_EXPORT void before_completion(bool threw) noexcept;

// Jobs on their way into or out of an executor, in order. Whoever fills and empties it holds them.
class JobChain {
 public:
  JobChain() noexcept = default;
  explicit JobChain(Job& job) noexcept { push_back(job); }

  void push_back(Job& job) noexcept {
    job.place.next = nullptr;
    (last_ != nullptr ? last_->place.next : first_) = &job;
    last_ = &job;
    ++size_;
  }

  Job& pop_front() noexcept {
    Job& job = *first_;
    first_ = job.place.next;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return job;
  }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Job* front() const noexcept { return first_; }

  // Drops all, in order. With no lock held.
  void drop_all(Drop why) noexcept {
    while (!empty()) pop_front().drop(why);
  }

 private:
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  std::size_t size_ = 0;
};

// A call without a future. Used again and again: a thread takes its post jobs from a cache of its own, and the thread
// that has run one puts it into its cache; full and empty caches meet at a common depot. So a post allocates nothing
// in the steady state.
class CONC_EXPORT PostJob final : public Job {
 public:
  // Throws std::bad_alloc, and what copying or moving `f` throws.
  template <class F>
  static PostJob& make(F&& f) {
    if constexpr (Task::fits<std::decay_t<F>> && std::is_nothrow_constructible_v<std::decay_t<F>, F>) {
      return *::new (allocate()) PostJob(std::forward<F>(f));
    } else {
      Task task(std::forward<F>(f));  // what can throw is over before there is a job
      return *::new (allocate()) PostJob(std::move(task));
    }
  }

  // What the call throws goes to report().
  Ended run() noexcept override;
  void drop(Drop why) noexcept override;

 private:
  template <class F>
  explicit PostJob(F&& f) : task_(std::forward<F>(f)) {}
  ~PostJob() = default;

  static void* allocate();
  void recycle() noexcept;

  Task task_;
};

}  // namespace conc::detail
