// Job: what an executor queues. The seam between the typed calls of Executor and the executors that
// run them.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

namespace conc {

class Executor;

namespace detail {

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

// One call to be made. An executor holds a job from enqueue() on, and gives up its hold by run() or
// drop(), one of them once; the job may be gone when that returns. Both may run code of the user,
// so they are called with no lock held.
class CONC_EXPORT Job {
 public:
  // Where the job is. The marks of executors tell whether a job is one's own without a look at what
  // may be another's memory, and gone.
  struct Place {
    // In a chain the next job, if there is one; from the moment on when it is put into a queue,
    // until it is in a chain again, the mark of the executor: an odd number that no other has.
    Atomic<std::uintptr_t> next_or_mark{0};
    // Where it was put into a queue, or null before that; it is in there as long as the slot says
    // so. Written once, by the queue.
    Atomic<Atomic<Job*>*> slot{nullptr};
    // When it was submitted, in units of 64 ns of the steady clock, which come round after nineteen
    // hours; 0 when nobody asks.
    static constexpr std::uint64_t most_ticks = (std::uint64_t{1} << 40) - 1;
    [[nodiscard]] std::uint64_t since() const noexcept {
      return std::uint64_t{since_high} << 32 | since_low;
    }
    void set_since(std::uint64_t ticks) noexcept {
      since_low = static_cast<std::uint32_t>(ticks);
      since_high = static_cast<std::uint8_t>(ticks >> 32);
    }

    std::uint32_t since_low = 0;
    std::uint16_t index = 0;  // of the slot in its block
    std::uint8_t lane = 0;
    std::uint8_t since_high = 0;
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

// A place for one job in a queue.
using JobSlot = Atomic<Job*>;

// Tell the executor whose worker calls, if it is one: that its job has returned, or threw; and that
// after this it is about to complete its future. So whoever sees the result and submits the next
// job finds the thread free, and wakes no other.
CONC_EXPORT void job_returned(bool threw) noexcept;
CONC_EXPORT void before_completion(bool threw) noexcept;

// Takes the job off the queue that it is in; false when it is in none.
[[nodiscard]] CONC_EXPORT bool withdraw_job(Job& job) noexcept;

// Jobs on their way into or out of an executor, in order. Whoever fills and empties it holds them.
class JobChain {
 public:
  JobChain() noexcept = default;
  explicit JobChain(Job& job) noexcept : first_(&job), last_(&job), size_(1) {}

  void push_back(Job& job) noexcept {
    if (last_ != nullptr) {
      last_->place.next_or_mark.store(reinterpret_cast<std::uintptr_t>(&job),
                                      std::memory_order_relaxed);
    } else {
      first_ = &job;
    }
    last_ = &job;
    ++size_;
  }

  Job& pop_front() noexcept {
    Job& job = *first_;
    first_ = next(job);
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return job;
  }

  // The job behind one of the chain, or null. Of the last job nothing is read: most chains have one
  // job, which was written just now.
  [[nodiscard]] Job* next(const Job& job) const noexcept {
    if (&job == last_) return nullptr;
    return reinterpret_cast<Job*>(job.place.next_or_mark.load(std::memory_order_relaxed));
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

// Gives the jobs to the executor. Throws what Executor::submit throws, and the executor has taken
// none of them then.
CONC_EXPORT void enqueue(Executor& executor, JobChain& jobs);

// The memory of posted calls, used again and again, so that a post allocates nothing in the steady
// state: a thread cuts it from slabs of its own, and a slab whose calls have all run goes to
// whoever needs the next. Two sizes, so that a backlog of small calls takes one cache line for
// each.
class CONC_EXPORT PostMemory {
 public:
  static constexpr std::size_t small = 64;
  static constexpr std::size_t large = 128;

  // At least `size` bytes, aligned for std::max_align_t. Throws std::bad_alloc.
  [[nodiscard]] static void* allocate(std::size_t size);
  static void free(void* memory, std::size_t size) noexcept;
};

// The job itself, or, when something goes along with what this thread submits, one that carries
// that and the job. Throws std::bad_alloc.
[[nodiscard]] CONC_EXPORT Job& with_carried(Job& job);

// What a posted call threw goes to report().
CONC_COLD CONC_EXPORT void report_posted() noexcept;

// A call without a future.
template <class F>
class PostJob final : public Job {
 public:
  // Throws std::bad_alloc, and what copying or moving `f` throws.
  template <class G>
  static PostJob& make(G&& f) {
    void* const memory = allocate();
    if constexpr (std::is_nothrow_constructible_v<F, G>) {
      return *::new (memory) PostJob(std::forward<G>(f));
    } else {
      try {
        return *::new (memory) PostJob(std::forward<G>(f));
      } catch (...) {
        free(memory);
        throw;
      }
    }
  }

  Ended run() noexcept override {
    bool threw = false;
    try {
      static_cast<void>(std::invoke(std::move(f_)));
    } catch (...) {
      threw = true;
      report_posted();
    }
    destroy();
    job_returned(threw);
    return threw ? Ended::failed : Ended::done;
  }
  void drop(Drop) noexcept override { destroy(); }

 private:
  template <class G>
  explicit PostJob(G&& f) : f_(std::forward<G>(f)) {}
  ~PostJob() = default;

  void destroy() noexcept {
    this->~PostJob();
    free(this);
  }

  static void* allocate() {
    if constexpr (alignof(PostJob) > alignof(std::max_align_t)) {
      return ::operator new(sizeof(PostJob), std::align_val_t(alignof(PostJob)));
    } else {
      return PostMemory::allocate(sizeof(PostJob));
    }
  }
  static void free(void* memory) noexcept {
    if constexpr (alignof(PostJob) > alignof(std::max_align_t)) {
      ::operator delete(memory, std::align_val_t(alignof(PostJob)));
    } else {
      PostMemory::free(memory, sizeof(PostJob));
    }
  }

  [[no_unique_address]] F f_;
};

}  // namespace detail
}  // namespace conc
