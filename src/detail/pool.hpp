// Pool: the queue and the workers of a ThreadPoolExecutor.
//
// A submitter pushes a job into the main queue, under its short lock. Workers reserve the oldest
// jobs, one or a few at a time. Idle workers sleep in a wait list.
//
// At most one worker at a time is *searching*: on its way to the queue, from sleep or from its
// start or from the job it has just ended, or spinning beside the empty queue. While there is one,
// a push wakes nobody. A searching worker that finds a job and leaves others behind, or a submitter
// that finds nobody searching, summons the next: it wakes an idle one, or starts a new thread when
// none is idle and there may be more. So as many get up as there is work for, one after the other,
// and a submitter makes one system call for many jobs.
//
// What holds at every moment: if a job is queued there, then somebody is searching, or no worker is
// idle and as many as there are jobs are still in their initializer, or nobody can be summoned and
// every worker is at work or in a wait; each of them looks at the queue before it lies down.
//
// A worker whose jobs are short reserves several, its *stretch*, as many as it runs in some
// microseconds. What it has not come to yet, others may claim; those whose jobs take long, or who
// have nothing to do, look there. Who reserves more than one job does so under the lock of the main
// queue, where he finds somebody searching, who will look at the stretch, or summons one.
//
// A job that a job of the pool submits goes to the queue of its own worker. A worker that finds
// nothing in the main queue helps itself there. Who pushes to such a queue looks at the gate
// afterwards, and who stops searching looks at those queues afterwards; both lock the queue in
// between, so one of them sees the other.
//
// Locks are taken in this order: threads_mutex_, mutex_, a queue's, a worker's stretch's.
#pragma once

#include <conc/detail/job.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/thread_pool_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "job_ring.hpp"

namespace conc::detail {

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  explicit Pool(ThreadPoolOptions options);
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] std::size_t max_workers() const noexcept { return max_workers_; }
  [[nodiscard]] std::size_t lanes() const noexcept { return lanes_.size(); }
  [[nodiscard]] std::uint8_t middle_lane() const noexcept {
    return static_cast<std::uint8_t>(lanes_.size() / 2);
  }

  void enqueue(JobChain& jobs, std::uint8_t lane);
  void close(bool wait, bool cancel_jobs);
  void pause();
  void resume();
  [[nodiscard]] ThreadPoolStats stats();

  // The executor is being destroyed.
  void close_for_good() noexcept;

  // Whether this is the child of a fork, where the pool has no threads, and its locks may be held
  // by threads that are gone.
  [[nodiscard]] bool orphaned() const noexcept;

  // Takes the job out of the queue that it is in, if it is in one of this pool: to cancel it, or
  // else to run it.
  [[nodiscard]] bool remove(Job& job, bool to_cancel) noexcept;

 private:
  class Worker;
  class Promised;

  // The gate: flags that are changed under the main queue's lock.
  //
  //   searching   A worker is on its way to the queue, or beside it. Set by whoever finds it and `full` unset and then
  //               summons one, or by a worker whose job ends or which finds nothing to do. Cleared by that worker when
  //               it has taken a job and leaves none behind, or lies down; and by a summons that finds nothing left to
  //               do, or nobody.
  //   full        Nobody can be summoned: no worker is idle, and there are as many as there may be. Set by a summons that
  //               finds nobody; cleared when a worker lies down, leaves, or is the last of all to sleep for a future.
  //               Changed under the mutex as well, as are the next.
  //   guarded     A push must go under the mutex, where it may be refused or has to wait: in a pool with max_pending,
  //               while there is no worker, and from the shutdown on.
  //   surplus     Others that were in a wait are at work again, and there is one worker too many.
  using Gate = std::uint32_t;
  static constexpr Gate searching = 1;
  static constexpr Gate full = 2;
  static constexpr Gate guarded = 4;
  static constexpr Gate surplus = 8;

  static bool must_summon(Gate gate) noexcept { return (gate & (searching | full)) == 0; }

  using Lock = std::unique_lock<Mutex>;
  using ShortGuard = std::lock_guard<ShortLock>;
  enum class Summon : bool { if_queued, in_any_case };

  // ---- Submitters (pool_submit.cpp)
  bool push_local(Worker& me, JobChain& jobs);
  void enqueue_guarded(JobChain& jobs, std::uint8_t lane);
  void push_bounded(JobChain& jobs, Lock& lock, Promised& room);
  void refuse() const;
  [[nodiscard]] WakeChain who_has_room() noexcept;

  // ---- Threads that come and go (pool_threads.cpp)
  [[nodiscard]] bool begin_summons(Summon when) noexcept;
  void summon(Summon when) noexcept;
  void summon_locked(Lock& lock, Summon when) noexcept;
  void summon_for_elsewhere() noexcept;
  void ensure_worker();
  void start_worker();
  void work(Worker& me) noexcept;
  bool initialize(Worker& me) noexcept;
  void break_down(Worker& me) noexcept;
  void leave(Worker& me, Lock& lock) noexcept;
  void update_gate() noexcept;

  // ---- Workers (pool_work.cpp)
  Job* next_job(Worker& me) noexcept;
  Job* take(Worker& me) noexcept;
  Job* take_local(Worker& me) noexcept;
  void end_search(Worker& me) noexcept;
  bool search(Worker& me) noexcept;
  bool lie_down(Worker& me) noexcept;
  void job_ends(Worker& me) noexcept;
  [[nodiscard]] bool has_free_worker() noexcept;
  void begin_wait() noexcept;
  void end_wait() noexcept;
  [[nodiscard]] Worker* own_worker() const noexcept;
  [[nodiscard]] bool is_own_thread() const noexcept;

  // ---- Workers, what they take from each other (pool_steal.cpp)
  Job* steal(Worker& me) noexcept;
  Job* steal_from_stretches(const Worker& me) noexcept;
  [[nodiscard]] bool any_elsewhere() noexcept;

  // ---- The end (pool.cpp)
  void take_all_elsewhere(JobChain& jobs) noexcept;
  [[nodiscard]] WakeChain end(JobChain& dropped) noexcept;
  [[nodiscard]] WakeChain wake_everyone() noexcept;

  // Asked for every job, so not with what a submission writes.
  [[nodiscard]] bool paused() const noexcept { return paused_.load(std::memory_order_relaxed); }

  // ---- Under the lock of the main queue
  [[nodiscard]] Gate gate() const noexcept { return gate_.load(std::memory_order_relaxed); }
  void set_gate(Gate flags) noexcept { gate_.store(gate() | flags, std::memory_order_relaxed); }
  void clear_gate(Gate flags) noexcept { gate_.store(gate() & ~flags, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t queued() const noexcept {
    return main_.size.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool has_work() const noexcept { return queued() != 0 && !paused(); }
  [[nodiscard]] JobRing& ring_of(std::uint8_t lane) noexcept {
    return lane == 0 ? lanes_.front() : lanes_[lane];
  }
  void announce(Worker& me) noexcept;
  void renounce(Worker& me) noexcept;
  [[nodiscard]] JobRing& most_urgent() noexcept;
  [[nodiscard]] JobRing& least_urgent() noexcept;

  // ---- Under the mutex
  [[nodiscard]] bool ends() const noexcept { return closed_ || broken_; }
  [[nodiscard]] bool can_grow() const noexcept;

  const std::uintptr_t mark_;  // see Job::Place
  const std::int64_t process_;
  const std::size_t max_workers_;
  const std::size_t max_pending_;
  const Overflow overflow_;
  const bool in_order_;  // jobs begin in the one order: no stretches, no queues of the workers' own
  const std::optional<std::chrono::nanoseconds> idle_timeout_;
  const std::string prefix_;
  const std::function<void()> initializer_;

  // No job may be taken. Set and cleared by pause() and resume(), cleared by the shutdown; under
  // the lock of main_.
  Atomic<bool> paused_{false};

  // On a line of its own: every submitter writes it.
  alignas(64) JobQueue main_{*this, mark_};
  Atomic<Gate> gate_{guarded};
  Atomic<std::size_t> stretches_{0};  // that hold more than one job, or did; as the gate
  std::size_t initializing_ = 0;      // workers in the initializer; guarded by the lock of main_

  alignas(64) std::deque<JobRing> lanes_;  // guarded by the lock of main_

  alignas(64) Mutex mutex_;
  // Guarded by mutex_.
  std::size_t outside_done_ = 0;       // jobs run by a submitter
  std::size_t outside_failed_ = 0;     // the same
  std::size_t outside_cancelled_ = 0;  // jobs that were accepted, and never queued
  std::size_t outside_ = 0;            // all three, and those that run now
  WaitList idle_;                      // workers that sleep, the last to lie down first
  WaitList submitters_;                // who waits for room
  WaitList closers_;                   // who waits for the last worker to leave
  std::size_t workers_ = 0;       // threads that were started and have not left; with `starting_`
  std::size_t starting_ = 0;      // of them, those whose thread may not come to be
  std::size_t blocked_ = 0;       // workers that sleep for a future inside a job
  std::uint64_t next_start_ = 0;  // when a thread may be started, after one could not
  bool closed_ = false;
  bool broken_ = false;  // the initializer threw

  Atomic<bool> local_used_{false};  // a job was once pushed to a worker's own queue

  Mutex threads_mutex_;
  std::vector<std::unique_ptr<Worker>>
      threads_;                  // guarded by threads_mutex_; used again, freed with the pool
  std::size_t next_number_ = 0;  // the same
  bool unjoined_ = false;        // the same: nobody will join the threads
  Mutex joining_;                // held by who joins them, before threads_mutex_
};

// Room for jobs in a ring of the main queue, made before anything is changed.
class Pool::Promised {
 public:
  // Throws std::bad_alloc.
  Promised(JobRing& ring, std::size_t n);
  ~Promised();
  Promised(const Promised&) = delete;
  Promised& operator=(const Promised&) = delete;

  // Under the lock of the queue.
  void push(Job& job) noexcept;

 private:
  JobRing& ring_;
  std::size_t left_;
};

// Makes room in the ring for n jobs. With no lock held; throws std::bad_alloc.
void make_room(JobRing& ring, std::size_t n);

}  // namespace conc::detail
