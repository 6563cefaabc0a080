// Pool::Worker: what one thread of a pool has to itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "host.hpp"
#include "job_times.hpp"
#include "pool.hpp"

namespace conc::detail {

// The unit of Job::Place::since().
constexpr std::uint64_t ns_in_tick = 64;
inline std::uint64_t ticks_of(std::uint64_t ns) noexcept {
  return ns / ns_in_tick & Job::Place::most_ticks;
}

class Pool::Worker final : public Host {
 public:
  explicit Worker(Pool& pool) noexcept : queue(pool, pool.mark_) {}

  void run_now(Job& job) noexcept override {
    if (job.place.slot.load(std::memory_order_acquire) == nullptr ||
        job.place.next_or_mark.load(std::memory_order_relaxed) != queue.mark ||
        !pool().remove(job, false)) {
      return;
    }
    ++depth;
    const std::uint64_t outer = began;
    const std::size_t guests = std::exchange(guests_, 0);
    run(job);
    guests_ = guests;
    began = outer;
    --depth;
  }
  bool others_are_free() noexcept override { return pool().has_free_worker(); }
  void begin_wait() noexcept override { pool().begin_wait(); }
  void end_wait() noexcept override { pool().end_wait(); }
  void job_returned(bool threw) noexcept override {
    if (guests_ != 0) return;
    count(threw ? failed : done);
    if (began != 0) run_times.add(now_in_ns() - began);
  }
  void job_ends() noexcept override {
    if (depth == 0 && guests_ == 0) pool().job_ends(*this);
  }
  void user_code_follows() noexcept override {
    if (searching) pool().end_search(*this);
  }

  void run(Job& job) noexcept {
    began = 0;
    if (const std::uint64_t since = job.place.since(); since != 0) {
      began = now_in_ns();
      wait_times.add(((ticks_of(began) - since) & Job::Place::most_ticks) * ns_in_tick);
    }
    if (job.run() == Ended::skipped) count(skipped);
  }

  [[nodiscard]] Pool& pool() const noexcept { return queue.pool; }

  // ---- The stretch

  [[nodiscard]] bool has_stretch() const noexcept { return next != stretch.end; }

  // The next job of it that nobody else has claimed; or null, at its end.
  Job* claim_next() noexcept {
    while (next != stretch.end) {
      JobSlot* const slots = stretch.block->slots;
      // Written by another processor; by the time it is the turn of these jobs, they are here.
      if (next + 2 < stretch.end)
        __builtin_prefetch(slots[next + 2].load(std::memory_order_relaxed));
      if (Job* const job = JobStretch::claim(slots[next++])) return job;
    }
    return nullptr;
  }

  // Under the lock of the queue that it is from, after give_back().
  void reserve(JobRing& ring, std::size_t most) noexcept {
    const JobStretch reserved = ring.reserve(most);
    {
      const ShortGuard guard(stretch_lock);
      stretch = reserved;
    }
    next = stretch.first;
    taken = stretch.end - stretch.first;
    // Another processor wrote them, and this one will: each line once, not when its turn comes.
    const auto* const slots = reinterpret_cast<const char*>(&stretch.block->slots[next]);
    for (std::size_t at = 0; at < taken * sizeof(JobSlot); at += 64) prefetch_to_write(slots + at);
  }

  // The stretch is at its end. With no lock held.
  void give_back() noexcept {
    if (stretch.empty()) return;
    JobRing& ring = stretch.block->ring;
    const ShortGuard guard(ring.queue().lock);
    give_back_locked();
  }

  // Under the lock of the queue that it is from.
  void give_back_locked() noexcept {
    if (stretch.empty()) return;
    const JobStretch ended = stretch;
    {
      const ShortGuard guard(stretch_lock);
      stretch = {};
    }
    next = 0;
    ended.block->ring.passed(ended);
  }

  // How many jobs to reserve of `queued`. It is at its next turn: reads the clock when there is a
  // choice.
  std::size_t stretch_for(std::size_t queued) noexcept;

  // Written by this worker alone.
  static void count(Atomic<std::size_t>& counter, std::size_t n = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  NativeThread thread;  // guarded by threads_mutex_ of the pool
  bool left =
      true;  // the same: there is no thread, or it is ending, and the object may be used for another
  LocalQueue queue;
  std::size_t depth = 0;     // how many jobs the running job has taken over and waits for
  std::uint64_t began = 0;   // when the running job began, if that is measured
  std::uint32_t turns = 0;   // how often it has looked for a job
  bool searching = false;    // the pool's searching worker is this one
  bool announced = false;    // its stretch is counted in stretches_
  std::size_t next = 0;      // in the stretch
  std::size_t taken = 0;     // how many jobs the stretch was
  std::size_t limit = 1;     // how many jobs it would reserve, by the time that they take
  std::uint64_t turned = 0;  // when it reserved the stretch, if that was measured

  alignas(64) ShortLock stretch_lock;
  JobStretch stretch;  // changed by the worker, under stretch_lock; read by others under it

  Atomic<std::size_t> done{0};
  Atomic<std::size_t> failed{0};
  Atomic<std::size_t> skipped{0};
  LiveTimes wait_times;
  LiveTimes run_times;
};

}  // namespace conc::detail
