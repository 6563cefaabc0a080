// Pool, its life: how it is made, watched, paused, and how it ends.
#include "pool.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include <unistd.h>

#include "cpus.hpp"
#include "message.hpp"
#include "pool_worker.hpp"

namespace conc::detail {
namespace {

std::size_t checked_workers(const std::optional<std::ptrdiff_t>& wanted) {
  if (!wanted) return std::min<std::size_t>(32, usable_cpus() + 4);
  if (*wanted <= 0) {
    throw std::invalid_argument(
        message("ThreadPoolExecutor", nullptr,
                "got max_workers = " + std::to_string(*wanted) + "; it needs one worker at least"));
  }
  return static_cast<std::size_t>(*wanted);
}

std::size_t checked_lanes(std::size_t wanted) {
  if (wanted == 0 || wanted > 256) {
    throw std::invalid_argument(message(
        "ThreadPoolExecutor", nullptr,
        "got priorities = " + std::to_string(wanted) + "; it may have from 1 to 256 lanes"));
  }
  return wanted;
}

std::uintptr_t next_mark() noexcept {
  static constinit Atomic<std::uintptr_t> last{1};
  return last.fetch_add(2, std::memory_order_relaxed) + 2;
}

std::string default_prefix() {
  static constinit Atomic<std::size_t> pools{0};
  return "ThreadPool-" + std::to_string(pools.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace

Pool::Pool(ThreadPoolOptions options)
    : mark_(next_mark()),
      process_(::getpid()),
      max_workers_(checked_workers(options.max_workers)),
      max_pending_(options.max_pending),
      overflow_(options.overflow),
      in_order_(max_workers_ == 1 || options.max_pending != 0 || options.priorities != 1),
      idle_timeout_(options.idle_timeout),
      prefix_(options.thread_name_prefix.empty() ? default_prefix()
                                                 : std::move(options.thread_name_prefix)),
      initializer_(std::move(options.initializer)) {
  for (std::size_t n = checked_lanes(options.priorities); n != 0; --n) lanes_.emplace_back(main_);
}

// Whoever has cancelled a job may still hold the lock of its queue.
Pool::~Pool() {
  for (const auto& worker : threads_) const ShortGuard last_one_is_out(worker->queue.lock);
  const ShortGuard last_submitter_is_out(main_.lock);
  const std::lock_guard last_one_is_out(mutex_);
}

bool withdraw_job(Job& job) noexcept {
  JobQueue* const queue = JobQueue::of(job);
  return queue != nullptr && queue->pool.remove(job, true);
}

bool Pool::remove(Job& job, bool to_cancel) noexcept {
  JobSlot* const slot = job.place.slot.load(std::memory_order_acquire);
  JobRing& ring = JobBlock::of(job, slot).ring;
  Lock lock(mutex_, std::defer_lock);
  if (max_pending_ != 0) lock.lock();
  {
    const ShortGuard guard(ring.queue().lock);
    if (!ring.withdraw(job)) return false;
    if (to_cancel) ++ring.queue().cancelled;
  }
  // From here on there may be no pool, but under the mutex.
  if (!lock.owns_lock()) return true;
  WakeChain submitter = who_has_room();
  lock.unlock();
  submitter.wake_all();
  return true;
}

void Pool::pause() {
  const std::lock_guard lock(mutex_);
  if (ends()) return;
  const ShortGuard guard(main_.lock);
  paused_.store(true, std::memory_order_relaxed);
}

void Pool::resume() {
  const auto alive = shared_from_this();  // a job that begins may destroy the executor
  {
    const std::lock_guard lock(mutex_);
    const ShortGuard guard(main_.lock);
    if (!paused()) return;
    paused_.store(false, std::memory_order_relaxed);
  }
  if (begin_summons(Summon::in_any_case)) summon(Summon::in_any_case);
  if (!idle_timeout_) return;
  // The others have lain down without a limit.
  WakeChain others;
  {
    const std::lock_guard lock(mutex_);
    others = idle_.take_all();
  }
  others.wake_all();
}

// ---- The end

// After end(), takes out the jobs that are in no lane: those of the workers' own queues, and those
// that workers have reserved and not begun. None gets from the one to the other meanwhile: a worker
// reserves jobs of its own queue under its lock, and those of another's under threads_mutex_. And
// no more come: the lanes are empty, and a push to a worker's queue looks at the gate under its
// lock.
void Pool::take_all_elsewhere(JobChain& jobs) noexcept {
  const std::size_t before = jobs.size();
  const std::lock_guard threads(threads_mutex_);
  for (const auto& worker : threads_) {
    const ShortGuard queue_guard(worker->queue.lock);
    while (!worker->queue.jobs.empty()) jobs.push_back(worker->queue.jobs.pop());
    const ShortGuard stretch_guard(worker->stretch_lock);
    const JobStretch& stretch = worker->stretch;
    for (std::size_t i = stretch.first; i != stretch.end; ++i) {
      if (Job* const job = JobStretch::claim(stretch.block->slots[i])) jobs.push_back(*job);
    }
  }
  const ShortGuard guard(main_.lock);
  main_.cancelled += jobs.size() - before;
}

// Once closed_ or broken_ is set: takes out all jobs that are never to be run, and hands out
// everyone who sleeps beside the queue.
WakeChain Pool::end(JobChain& dropped) noexcept {
  update_gate();  // first, so that nothing is pushed behind what is taken out
  {
    const ShortGuard guard(main_.lock);
    while (queued() != 0) dropped.push_back(most_urgent().pop());
    main_.cancelled += dropped.size();
  }
  return wake_everyone();
}

WakeChain Pool::wake_everyone() noexcept {
  update_gate();
  {
    const ShortGuard guard(main_.lock);
    paused_.store(false, std::memory_order_relaxed);
  }
  WakeChain woken = idle_.take_all();
  while (!submitters_.empty()) woken.push_back(submitters_.pop_front());
  return woken;
}

bool Pool::orphaned() const noexcept { return ::getpid() != process_; }

void Pool::close(bool wait, bool cancel_jobs) {
  if (orphaned()) return;
  const auto alive = shared_from_this();  // a job or a callback may destroy the executor
  JobChain dropped;
  WakeChain woken;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    woken = cancel_jobs ? end(dropped) : wake_everyone();
  }
  if (cancel_jobs) take_all_elsewhere(dropped);
  woken.wake_all();
  dropped.drop_all(Drop::cancelled);
  // Nobody was summoned for what was queued while the pool was paused.
  if (queued() != 0 && begin_summons(Summon::if_queued)) summon(Summon::if_queued);
  summon_for_elsewhere();
  if (!wait || is_own_thread()) return;

  ThreadNode node({WaitKind::pool_end, this, prefix_.c_str()});
  {
    Lock lock(mutex_);
    if (workers_ != 0) {
      closers_.push_back(node);
      lock.unlock();
      node.sleep_until_woken();
    }
  }
  // One after the other: who comes second finds no thread to join, but waits for them as well.
  const std::lock_guard joining(joining_);
  for (std::size_t i = 0;; ++i) {
    NativeThread ended;
    {
      const std::lock_guard threads(threads_mutex_);
      if (i == threads_.size()) return;
      ended = std::move(threads_[i]->thread);
    }
    if (ended.joinable()) ended.join();
  }
}

void Pool::close_for_good() noexcept {
  if (orphaned()) {
    // It stays: its threads cannot be joined, nor can they be let go of.
    static_cast<void>(new (std::nothrow) std::shared_ptr<Pool>(shared_from_this()));
    return;
  }
  close(true, false);
  // Those of a pool that its own thread destroys; or one that a submitter has just summoned.
  const std::lock_guard threads(threads_mutex_);
  unjoined_ = true;
  for (const auto& worker : threads_) {
    if (worker->thread.joinable()) worker->thread.detach();
  }
}

// ---- Looking

ThreadPoolStats Pool::stats() {
  ThreadPoolStats stats;
  Times wait_times;
  Times run_times;
  const std::lock_guard threads(threads_mutex_);
  // What has ended is counted before what is queued, and what is queued in the order in which a job
  // moves, backwards: so no job is counted twice.
  for (const auto& worker : threads_) {
    stats.done += worker->done.load(std::memory_order_acquire);
    stats.failed += worker->failed.load(std::memory_order_acquire);
    stats.cancelled += worker->skipped.load(std::memory_order_acquire);
    worker->wait_times.add_to(wait_times);
    worker->run_times.add_to(run_times);
    const ShortGuard guard(worker->queue.lock);
    stats.cancelled += worker->queue.cancelled;
  }
  {
    const std::lock_guard lock(mutex_);
    const ShortGuard guard(main_.lock);
    stats.cancelled += main_.cancelled + outside_cancelled_;
    stats.done += outside_done_;
    stats.failed += outside_failed_;
  }
  for (const auto& worker : threads_) {
    const ShortGuard guard(worker->stretch_lock);
    const JobStretch& stretch = worker->stretch;
    for (std::size_t i = stretch.first; i != stretch.end; ++i) {
      if (stretch.block->slots[i].load(std::memory_order_relaxed) != nullptr) ++stats.queued;
    }
  }
  const auto add = [&stats](const JobQueue& queue) {
    stats.queued += queue.size.load(std::memory_order_relaxed);
    stats.submitted += queue.entered;
  };
  for (const auto& worker : threads_) {
    const ShortGuard guard(worker->queue.lock);
    add(worker->queue);
  }
  {
    const std::lock_guard lock(mutex_);
    const ShortGuard guard(main_.lock);
    add(main_);
    stats.workers = workers_;
    stats.idle = idle_.size();
    stats.submitted += outside_;
  }
  // What was submitted is somewhere; jobs that end during the call are still counted as running.
  const std::size_t elsewhere = stats.queued + stats.done + stats.failed + stats.cancelled;
  stats.running = stats.submitted - std::min(stats.submitted, elsewhere);
  stats.wait = wait_times.summary();
  stats.run = run_times.summary();
  return stats;
}

}  // namespace conc::detail
