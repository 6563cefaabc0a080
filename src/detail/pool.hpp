// Pool: the queue and the workers of a ThreadPoolExecutor.
//
// A submitter pushes a job on to the inbox, a stack with the newest on top: one atomic
// read-modify-write. Workers, under the mutex, turn the inbox over into a list, from which they
// take the oldest. Idle workers sleep in a wait list.
//
// At most one worker at a time is *searching*: on its way to the queue, from sleep or from its
// start or from the job it has just ended, or spinning beside the empty queue. While there is one,
// a push wakes nobody. A searching worker that finds a job and leaves others behind, or a submitter
// that finds nobody searching, summons the next: it wakes an idle one, or starts a new thread when
// none is idle and there may be more. So as many get up as there is work for, one after the other,
// and a submitter makes one system call for many jobs.
//
// What holds at every moment: if a job is queued there, then somebody is searching, or nobody can
// be summoned and every worker is at work or in a wait, and looks at the queue before it lies down.
//
// A job that a job of the pool submits goes to the queue of its own worker, under a mutex that
// others seldom touch. A worker that finds nothing in the inbox helps itself there. Who pushes to
// such a queue looks at the gate afterwards, and who stops searching looks at those queues
// afterwards; both lock the queue in between, so one of them sees the other.
#pragma once

#include <conc/detail/job.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/thread_pool_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host.hpp"
#include "job_queue.hpp"

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

  // Takes the job out of the queue that it is in, if it is in one of this pool: to cancel it, or
  // else to run it.
  [[nodiscard]] bool remove(Job& job, bool to_cancel) noexcept;

 private:
  class Worker;

  // The gate: the address of the newest job in the inbox, or 0, and three flags.
  //
  //   searching   A worker is on its way to the queue, or beside it. Set by whoever finds it and `full` unset and then
  //               summons one, or by a worker whose job ends or which finds nothing to do. Cleared, under the mutex, by
  //               that worker when it has taken a job and leaves none behind, or lies down; and by a summons that finds
  //               nothing left to do, or nobody.
  //   full        Nobody can be summoned: no worker is idle, and there are as many as there may be, or the last attempt
  //               to start a thread failed. Changed under the mutex: set by a summons that finds nobody; cleared when a
  //               worker lies down, leaves, or is the last of all to sleep for a future.
  //   guarded     A push must go under the mutex, where it may be refused or has to wait. Changed under the mutex; set
  //               for a pool with max_pending, while there is no worker, and from the shutdown on.
  using Gate = std::uintptr_t;
  static constexpr Gate searching = 1;
  static constexpr Gate full = 2;
  static constexpr Gate guarded = 4;
  static constexpr Gate flags = 7;
  static_assert(alignof(Job) > flags);

  static Job* newest_of(Gate gate) noexcept { return reinterpret_cast<Job*>(gate & ~flags); }
  static bool must_summon(Gate gate) noexcept { return (gate & (searching | full)) == 0; }

  using Lock = std::unique_lock<Mutex>;
  enum class Summon : bool { if_queued, in_any_case };

  // ---- Submitters
  void push_local(Worker& me, JobChain& jobs) noexcept;
  void enqueue_guarded(JobChain& jobs);
  void push_bounded(JobChain& jobs, Lock& lock);
  void refuse(JobChain& jobs) const;
  [[nodiscard]] bool begin_summons() noexcept;
  void summon(Summon when) noexcept;
  void summon_locked(Lock& lock, Summon when) noexcept;
  void ensure_worker();
  void start_worker();

  // ---- Workers
  void work(Worker& me) noexcept;
  bool initialize() noexcept;
  void break_down(Worker& me) noexcept;
  Job* next_job(Worker& me) noexcept;
  Job* take_local(Worker& me) noexcept;
  Job* take(Lock& lock) noexcept;
  Job* steal(Worker& me) noexcept;
  void end_search(Worker& me) noexcept;
  bool search(Worker& me) noexcept;
  bool lie_down(Worker& me) noexcept;
  void leave(Worker& me, Lock& lock) noexcept;
  void job_ends(Worker& me) noexcept;
  void begin_wait() noexcept;
  void end_wait() noexcept;

  // ---- Under the mutex
  void drain() noexcept;
  void push(Job& job) noexcept;
  Job& pop() noexcept;
  Job& pop_least_urgent() noexcept;
  [[nodiscard]] bool has_work() const noexcept { return queued_ != 0 && !paused_; }
  [[nodiscard]] bool ends() const noexcept { return closed_ || broken_; }
  [[nodiscard]] bool can_grow() const noexcept;
  void update_guard() noexcept;
  [[nodiscard]] WakeChain who_has_room() noexcept;
  [[nodiscard]] WakeChain end(JobChain& dropped) noexcept;
  [[nodiscard]] WakeChain wake_everyone() noexcept;

  // ---- With no lock held
  void take_all_local(JobChain& jobs) noexcept;
  [[nodiscard]] Worker* own_worker() const noexcept;
  [[nodiscard]] bool any_local() noexcept;

  const std::size_t max_workers_;
  const std::size_t max_pending_;
  const Overflow overflow_;
  const bool has_local_queues_;
  const std::optional<std::chrono::nanoseconds> idle_timeout_;
  const std::string prefix_;
  const std::function<void()> initializer_;

  // On a line of its own: every submitter writes it.
  alignas(64) Atomic<Gate> gate_{guarded};

  alignas(64) JobQueue main_{*this};  // its mutex is the mutex
  Mutex& mutex_ = main_.mutex;
  // Guarded by mutex_.
  std::vector<JobList> lanes_;
  std::size_t queued_ = 0;          // jobs in the lanes
  std::size_t entered_ = 0;         // jobs that ever were in the lanes
  std::size_t cancelled_ = 0;       // jobs taken out of any queue to be cancelled
  std::size_t outside_done_ = 0;    // jobs run by a submitter
  std::size_t outside_failed_ = 0;  // the same
  WaitList idle_;                   // workers that sleep, the last to lie down first
  WaitList submitters_;             // who waits for room
  WaitList closers_;                // who waits for the last worker to leave
  std::size_t workers_ = 0;         // threads that were started and have not left; with `starting_`
  std::size_t starting_ = 0;        // of them, those whose thread may not come to be
  std::size_t blocked_ = 0;         // workers that sleep for a future inside a job
  bool closed_ = false;
  bool broken_ = false;  // the initializer threw
  bool paused_ = false;

  Atomic<bool> paused_flag_{false};  // paused_, for the workers' own queues
  Atomic<bool> local_used_{false};   // a job was once pushed to a worker's own queue

  Mutex threads_mutex_;  // taken before mutex_ and before the mutex of a worker's queue
  std::vector<std::unique_ptr<Worker>>
      threads_;                  // guarded by threads_mutex_; used again, freed with the pool
  std::size_t next_number_ = 0;  // the same
};

}  // namespace conc::detail
