// JobRing and JobQueue: where jobs wait for a worker.
//
// A ring holds the addresses of its jobs in blocks of slots, in the order in which they came. A
// worker reserves a stretch of slots at once, and then claims the jobs in it one after the other,
// without the lock: whoever exchanges a slot for null has the job. So can anyone else claim it, as
// long as the worker has not: another worker with nothing to do, or who cancels the job.
//
// That a job is not touched before its turn, and not by the queue, is what makes a queue fast whose
// jobs are written by one processor and run by another: a slot is an eighth of a cache line.
//
//   a slot holds   meaning                                    entered by
//   null           free; or claimed, and not passed yet       constructor; claim(), pop(), withdraw()
//   a job          queued: before the ring's head, or in      push(), under the lock
//                  some worker's stretch
//
// A block is used again when each of its slots was passed, that is, when every worker that reserved
// a stretch of it has come to the stretch's end. Blocks live as long as their ring: the slot that a
// job was put into may be looked at as long as there is the job.
#pragma once

#include <conc/detail/job.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/short_lock.hpp>

#include <cstddef>
#include <cstdint>

namespace conc::detail {

class Pool;
class JobRing;

// So many slots that a block is a page.
inline constexpr std::size_t slots_in_block = 504;

struct alignas(64) JobBlock {
  explicit JobBlock(JobRing& owner) noexcept : ring(owner) {}

  // The block of the slot that the job was put into.
  static JobBlock& of(const Job& job, JobSlot* slot) noexcept {
    return *reinterpret_cast<JobBlock*>(slot - job.place.index);
  }

  JobSlot slots[slots_in_block] = {};
  JobRing& ring;
  JobBlock* next = nullptr;    // in the ring, or among the spare blocks
  JobBlock* older = nullptr;   // of all blocks of the ring
  std::uint64_t number = 0;    // in the order of use
  std::size_t not_passed = 0;  // slots
};

// Slots of one block, reserved by one worker.
struct JobStretch {
  [[nodiscard]] bool empty() const noexcept { return first == end; }

  // Takes a job out, for good; null when somebody else has.
  [[nodiscard]] static Job* claim(JobSlot& slot) noexcept {
    return slot.load(std::memory_order_relaxed) == nullptr
               ? nullptr
               : slot.exchange(nullptr, std::memory_order_acq_rel);
  }

  JobBlock* block = nullptr;
  std::size_t first = 0;
  std::size_t end = 0;
};

// Under the lock of its queue.
class JobRing {
 public:
  explicit JobRing(struct JobQueue& queue) noexcept : queue_(queue) {}
  ~JobRing();
  JobRing(const JobRing&) = delete;
  JobRing& operator=(const JobRing&) = delete;

  [[nodiscard]] JobQueue& queue() const noexcept { return queue_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  // Room for so many jobs was promised to somebody, who gives back what he has not used.
  [[nodiscard]] bool promise(std::size_t n) noexcept {
    if (room() < n) return false;
    promised_ += n;
    return true;
  }
  void take_back(std::size_t n) noexcept { promised_ -= n; }

  // For so many more jobs.
  [[nodiscard]] bool has_room(std::size_t n) const noexcept { return room() >= n; }
  void add(JobBlock& block) noexcept;

  // There must be room.
  void push(Job& job) noexcept;

  // The oldest job. There must be one.
  [[nodiscard]] Job& pop() noexcept;

  // The oldest jobs, at least one and at most `n`. There must be one.
  [[nodiscard]] JobStretch reserve(std::size_t n) noexcept;

  // The worker that reserved the stretch has found or made each slot of it null.
  void passed(const JobStretch& stretch) noexcept;

  // Takes out a job that is in this ring or reserved; false when it was claimed.
  [[nodiscard]] bool withdraw(Job& job) noexcept;

 private:
  [[nodiscard]] std::size_t room() const noexcept {
    return (tail_block_ != nullptr ? slots_in_block - tail_ : 0) + spare_ * slots_in_block -
           promised_;
  }
  void pass(JobBlock& block, std::size_t n) noexcept;
  void begin_block() noexcept;
  void leave_block() noexcept;
  void skip_withdrawn() noexcept;
  void retire(JobBlock& block) noexcept;

  JobQueue& queue_;
  JobBlock* head_block_ = nullptr;  // of the oldest slot that was not reserved
  JobBlock* tail_block_ = nullptr;  // of the next free slot
  std::size_t head_ = 0;
  std::size_t tail_ = slots_in_block;
  std::size_t size_ = 0;       // jobs between head and tail
  std::size_t withdrawn_ = 0;  // slots there that were made null
  std::size_t spare_ = 0;
  std::size_t promised_ = 0;
  std::uint64_t blocks_begun_ = 0;
  JobBlock* spare_blocks_ = nullptr;
  JobBlock* all_blocks_ = nullptr;
};

// Lives as long as its pool. Whoever has found a job's slot may lock it, for as long as the pool
// cannot end, which it does not while the job may still be in there.
struct JobQueue {
  JobQueue(Pool& owner, std::uintptr_t mark_of_owner) noexcept : pool(owner), mark(mark_of_owner) {}
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // The queue that a job was put into, or null.
  static JobQueue* of(const Job& job) noexcept {
    JobSlot* const slot = job.place.slot.load(std::memory_order_acquire);
    return slot == nullptr ? nullptr : &JobBlock::of(job, slot).ring.queue();
  }

  Pool& pool;
  const std::uintptr_t mark;  // of its pool
  ShortLock lock;
  Atomic<std::size_t> size{0};  // jobs that nobody has reserved; changed under `lock`
  std::size_t entered = 0;      // jobs that ever were in it; guarded by `lock`, as the next
  std::size_t cancelled = 0;    // jobs taken out to be cancelled
};

// What a worker's own tasks submit. The worker takes the oldest, and so do others that have nothing
// to do.
struct LocalQueue : JobQueue {
  using JobQueue::JobQueue;

  JobRing jobs{*this};
};

}  // namespace conc::detail
