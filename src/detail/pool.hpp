// Pool: the queue and the workers of a ThreadPoolExecutor.
//
// A submitter pushes a job on to the inbox, a stack with the newest on top: one atomic read-modify-write. Workers, under
// the mutex, turn the inbox over into a list, from which they take the oldest. Idle workers sleep in a wait list.
//
// At most one worker at a time is *searching*: on its way to the queue, from sleep or from its start or from the job it
// has just ended, or spinning beside the empty queue. While there is one, a push wakes nobody. A searching worker that
// finds a job and leaves others behind, or a submitter that finds nobody searching, summons the next: it wakes an idle
// one, or starts a new thread when none is idle and there may be more. So as many get up as there is work for, one after
// the other, and a submitter makes one system call for many jobs.
//
// What holds at every moment: if a job is queued, then somebody is searching, or nobody can be summoned and every worker
// is at work or in a wait, and looks at the queue before it lies down.
#pragma once

#include <conc/detail/job.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/thread_pool_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host.hpp"

namespace conc::detail {

// Jobs in order, first in, first out; any can be taken out. Under the mutex of the queue.
class JobList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void push_back(Job& job) noexcept;
  void remove(Job& job) noexcept;
  Job& pop_front() noexcept;

 private:
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  std::size_t size_ = 0;
};

// What Job::Place::home points to.
class JobQueue {
 public:
  explicit JobQueue(class Pool& pool) noexcept : pool_(pool) {}
  [[nodiscard]] Pool& pool() const noexcept { return pool_; }

 private:
  Pool& pool_;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  explicit Pool(ThreadPoolOptions options);
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void enqueue(JobChain& jobs);
  void close(bool wait, bool cancel_jobs);

  // The executor is being destroyed.
  void close_for_good() noexcept;

  // Takes the job out of the queue; false when it is not in there.
  [[nodiscard]] bool remove(Job& job) noexcept;

  [[nodiscard]] std::size_t workers() const noexcept;
  [[nodiscard]] std::size_t idle_workers() const noexcept;
  [[nodiscard]] std::size_t queued() noexcept;

 private:
  class Worker;

  // The gate: the address of the newest job in the inbox, or 0, and three flags.
  //
  //   searching   A worker is on its way to the queue, or beside it. Set by whoever finds it unset and summons one, or
  //               by a worker whose job ends; cleared by that worker when it has taken a job and leaves none behind, or
  //               lies down, under the mutex; and by a summons that finds nobody, together with setting `full`.
  //   full        Nobody can be summoned: no worker is idle, and there are as many as there may be. Changed under the
  //               mutex: set by a summons that finds nobody; cleared when a worker lies down or leaves.
  //   guarded     A push must go under the mutex, where it may be refused or has to wait. Changed under the mutex; set
  //               while there is no worker, and from the shutdown on.
  using Gate = std::uintptr_t;
  static constexpr Gate searching = 1;
  static constexpr Gate full = 2;
  static constexpr Gate guarded = 4;
  static constexpr Gate flags = 7;
  static_assert(alignof(Job) > flags);

  static Job* newest_of(Gate gate) noexcept { return reinterpret_cast<Job*>(gate & ~flags); }
  static bool must_summon(Gate gate) noexcept { return (gate & (searching | full)) == 0; }

  using Lock = std::unique_lock<Mutex>;

  // ---- Submitters
  void enqueue_guarded(JobChain& jobs);
  void summon() noexcept;
  void summon_locked(Lock& lock) noexcept;
  void ensure_worker();
  void start_worker();

  // ---- Workers
  void work(Worker& me) noexcept;
  Job* next_job(Worker& me) noexcept;
  Job* take(Worker& me, Lock& lock) noexcept;
  bool search(Worker& me) noexcept;
  void lie_down(Worker& me) noexcept;
  void leave(Worker& me, Lock& lock) noexcept;
  void job_ends(Worker& me) noexcept;
  void stop_searching(Worker& me) noexcept;
  void begin_wait() noexcept;
  void end_wait() noexcept;

  // ---- Under the mutex
  void drain() noexcept;
  [[nodiscard]] bool can_grow() const noexcept;
  void update_guard() noexcept;

  [[nodiscard]] bool is_own_thread() const noexcept;

  const std::size_t max_workers_;
  const std::string prefix_;
  JobQueue queue_{*this};

  // On lines of their own: every submitter writes the one, every worker the other.
  alignas(64) Atomic<Gate> gate_{guarded};

  alignas(64) mutable Mutex mutex_;
  // Guarded by mutex_.
  JobList jobs_;
  WaitList idle_;     // workers that sleep, the last to lie down first
  WaitList closers_;  // who waits for the last worker to leave
  std::size_t workers_ = 0;   // threads that were started and have not left; with `starting_`
  std::size_t starting_ = 0;  // of them, those whose thread may not come to be
  std::size_t blocked_ = 0;   // workers that sleep for a future inside a job
  bool closed_ = false;

  Mutex threads_mutex_;  // taken before mutex_
  std::vector<std::unique_ptr<Worker>> threads_;  // guarded by threads_mutex_
  std::size_t next_number_ = 0;                   // the same
};

}  // namespace conc::detail
