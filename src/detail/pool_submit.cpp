// Pool, the submitters' part.
#include <conc/errors.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "message.hpp"
#include "pool_worker.hpp"

namespace conc::detail {
namespace {

// Which submissions of a thread are measured: reading the clock takes as long as the rest of a
// submission.
constexpr std::uint32_t all_measured_up_to = 256;
constexpr std::uint32_t one_measured_in = 64;

std::uint64_t time_if_measured() noexcept {
  static constinit thread_local std::uint32_t submissions = 0;
  const std::uint32_t n = submissions++;
  if (n >= all_measured_up_to && n % one_measured_in != 0) return 0;
  const std::uint64_t now = ticks_of(now_in_ns());
  return now != 0 ? now : Job::Place::most_ticks;  // that is one earlier
}

}  // namespace

void make_room(JobRing& ring, std::size_t n) {
  for (;;) {
    auto block = std::make_unique<JobBlock>(ring);
    const std::lock_guard guard(ring.queue().lock);
    ring.add(*block.release());
    if (ring.has_room(n)) return;
  }
}

Pool::Promised::Promised(JobRing& ring, std::size_t n) : ring_(ring), left_(n) {
  for (;;) {
    {
      const ShortGuard guard(ring_.queue().lock);
      if (ring_.promise(n)) return;
    }
    make_room(ring_, n);
  }
}

Pool::Promised::~Promised() {
  const ShortGuard guard(ring_.queue().lock);
  ring_.take_back(left_);
}

void Pool::Promised::push(Job& job) noexcept {
  ring_.take_back(1);
  --left_;
  ring_.push(job);
}

void Pool::enqueue(JobChain& jobs, std::uint8_t lane) {
  for (Job* job = jobs.front(); job != nullptr; job = jobs.next(*job)) {
    job->place.lane = lane;
    job->place.set_since(time_if_measured());
  }
  if (!in_order_) {
    if (Worker* const me = own_worker(); me != nullptr && push_local(*me, jobs)) {
      return;
    }
  }
  JobRing& ring = ring_of(lane);
  for (;;) {
    {
      std::unique_lock guard(main_.lock);
      const Gate seen = gate();
      if ((seen & guarded) != 0) break;
      if (ring.has_room(jobs.size())) {
        do ring.push(jobs.pop_front());
        while (!jobs.empty());
        if (must_summon(seen)) {
          // A busy worker may come for the job, which may be what destroys the executor.
          const auto alive = shared_from_this();
          set_gate(searching);
          guard.unlock();
          summon(Summon::if_queued);
        }
        return;
      }
    }
    make_room(ring, jobs.size());
  }
  enqueue_guarded(jobs, lane);
}

// By a job of the pool. False, and nothing is pushed, when a push must go under the mutex.
bool Pool::push_local(Worker& me, JobChain& jobs) {
  if (!local_used_.load(std::memory_order_relaxed)) {
    // Under the lock, for one who just stops searching: it sees this, or is seen to have stopped.
    const ShortGuard guard(main_.lock);
    local_used_.store(true, std::memory_order_relaxed);
  }
  JobRing& ring = me.queue.jobs;
  while (!jobs.empty()) {
    {
      const ShortGuard guard(me.queue.lock);
      if ((gate_.load(std::memory_order_relaxed) & guarded) != 0) return false;
      if (ring.has_room(jobs.size())) {
        while (!jobs.empty()) ring.push(jobs.pop_front());
        break;
      }
    }
    make_room(ring, jobs.size());
  }
  if (begin_summons(Summon::in_any_case)) summon(Summon::in_any_case);
  return true;
}

void Pool::enqueue_guarded(JobChain& jobs, std::uint8_t lane) {
  // The job, or a callback of one that is dropped for it, may be what destroys the executor.
  const auto alive = shared_from_this();
  Promised room(ring_of(lane), jobs.size());
  Lock lock(mutex_);
  for (;;) {
    if (ends()) refuse();
    if (workers_ != starting_) break;
    lock.unlock();
    ensure_worker();
    lock.lock();
  }
  if (max_pending_ != 0) return push_bounded(jobs, lock, room);
  {
    const ShortGuard guard(main_.lock);
    while (!jobs.empty()) room.push(jobs.pop_front());
  }
  if (begin_summons(Summon::if_queued)) summon_locked(lock, Summon::if_queued);
}

void Pool::refuse() const {
  if (broken_) {
    throw BrokenExecutor(
        message("ThreadPoolExecutor", nullptr,
                "runs nothing any more: the initializer of one of its workers threw"));
  }
  throw UsageError(message("ThreadPoolExecutor", nullptr,
                           "got a call to run after shutdown(); submit before that"));
}

// With max_pending. Takes all jobs over, or throws and has taken none.
void Pool::push_bounded(JobChain& jobs, Lock& lock, Promised& room) {
  const auto free = [this] {
    const std::size_t queued = main_.size.load(std::memory_order_relaxed);
    return max_pending_ - std::min(max_pending_, queued);
  };
  if (overflow_ == Overflow::reject && jobs.size() > free()) {
    const std::size_t queued = main_.size.load(std::memory_order_relaxed);
    lock.unlock();
    throw Full(message("ThreadPoolExecutor", nullptr,
                       "has " + std::to_string(queued) + " calls queued and may have " +
                           std::to_string(max_pending_)));
  }
  const bool exceeds = overflow_ == Overflow::block && own_worker() != nullptr;
  std::optional<ThreadNode> node;  // made with no lock held, since that may throw
  if (overflow_ == Overflow::block && !exceeds && jobs.size() > free()) {
    lock.unlock();
    node.emplace(WaitReason{WaitKind::pool_room, this, prefix_.c_str()});
    lock.lock();
  }
  bool waited = false;
  const std::size_t all = jobs.size();
  JobChain dropped;
  while (!jobs.empty()) {
    if (ends()) {
      if (jobs.size() == all) refuse();
      // Shut down when it had put some in, or run them: as if all had been queued before.
      const Drop why = broken_ ? Drop::broken : Drop::cancelled;
      outside_ += jobs.size();
      outside_cancelled_ += jobs.size();
      lock.unlock();
      dropped.drop_all(Drop::cancelled);
      jobs.drop_all(why);
      return;
    }
    if (free() != 0 || exceeds) {
      const ShortGuard guard(main_.lock);
      room.push(jobs.pop_front());
      continue;
    }
    if (begin_summons(Summon::if_queued)) {
      summon_locked(lock, Summon::if_queued);
      lock.lock();
      continue;
    }
    switch (overflow_) {
      case Overflow::drop_oldest: {
        const ShortGuard guard(main_.lock);
        if (queued() == 0) break;  // taken just now
        dropped.push_back(least_urgent().pop());
        ++main_.cancelled;
        break;
      }
      case Overflow::caller_runs: {
        Job& job = jobs.pop_front();
        ++outside_;
        lock.unlock();
        const Ended ended = [&job] {
          const GuestJob guest;
          return job.run();
        }();
        lock.lock();
        ++(ended == Ended::done     ? outside_done_
           : ended == Ended::failed ? outside_failed_
                                    : outside_cancelled_);
        break;
      }
      case Overflow::block:
      case Overflow::reject:  // it had room for all, and pushes are made under the mutex
        if (waited) {
          node->reuse();
          submitters_.push_front(*node);  // a newcomer has taken the room that it was woken for
        } else {
          submitters_.push_back(*node);
        }
        lock.unlock();
        node->sleep_until_woken();
        waited = true;
        lock.lock();
        break;
    }
  }
  if (begin_summons(Summon::if_queued)) {
    summon_locked(lock, Summon::if_queued);
  } else {
    lock.unlock();
  }
  dropped.drop_all(Drop::cancelled);
}

// The submitter that waits longest for room, if there is room now. Under the mutex, by whoever has
// taken a job from a queue that has a bound.
WakeChain Pool::who_has_room() noexcept {
  return main_.size.load(std::memory_order_relaxed) < max_pending_ ? submitters_.take_front(1)
                                                                   : WakeChain();
}

}  // namespace conc::detail
