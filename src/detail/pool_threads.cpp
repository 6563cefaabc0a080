// Pool, the threads: how they are summoned, come to be, and leave.
#include <conc/hooks.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include "pool_worker.hpp"

namespace conc::detail {
namespace {

// How long after a thread could not be started no other is tried, unless a worker lies down: so
// that a busy pool that has reached the operating system's limit does not ask it for each job.
constexpr std::uint64_t pause_after_failure_ns = 10'000'000;

// The mark of the pool that the calling thread was started by, to the very end of the thread.
constinit thread_local std::uintptr_t mark_of_own_pool = 0;

}  // namespace

// Sets `searching` for somebody who is then to be summoned; false when that is not needed, or in
// vain. The look without the lock sees all that was done to the gate before the caller last held
// the lock of the queue that it wants somebody to look at; who changes the gate later looks at that
// queue later still.
bool Pool::begin_summons(Summon when) noexcept {
  if (!must_summon(gate())) return false;
  const ShortGuard guard(main_.lock);
  if (!must_summon(gate()) || (when == Summon::if_queued && !has_work())) return false;
  set_gate(searching);
  return true;
}

void Pool::summon(Summon when) noexcept {
  Lock lock(mutex_);
  summon_locked(lock, when);
}

// `searching` is set, for nobody yet. Gives the lock back.
void Pool::summon_locked(Lock& lock, Summon when) noexcept {
  for (;;) {
    if (when == Summon::if_queued) {
      const ShortGuard guard(main_.lock);
      // Somebody who was busy has taken what there was; or those come who are in their initializer.
      // Who is idle comes sooner: an initializer may take long, and may wait for the job.
      if (!has_work() || (idle_.empty() && queued() <= initializing_)) {
        clear_gate(searching);
        break;
      }
    }
    if (!idle_.empty()) {
      auto& node = static_cast<ThreadNode&>(idle_.pop_front());
      node.granted = true;
      lock.unlock();
      return node.wake();
    }
    if (can_grow() && (next_start_ == 0 || now_in_ns() >= next_start_)) {
      lock.unlock();
      try {
        const std::lock_guard starting(threads_mutex_);
        return start_worker();
      } catch (...) {
        // There is another worker, or the job would not have been accepted. A later summons tries
        // again.
      }
      lock.lock();
      next_start_ = now_in_ns() + pause_after_failure_ns;
      if (!idle_.empty()) continue;
    }
    // The busy workers look at the queue before they lie down.
    const ShortGuard guard(main_.lock);
    clear_gate(searching);
    if (!can_grow()) set_gate(full);
    break;
  }
  lock.unlock();
}

// For what no worker may come to, by one of those who stop looking for it.
void Pool::summon_for_elsewhere() noexcept {
  if (any_elsewhere() && begin_summons(Summon::in_any_case)) summon(Summon::in_any_case);
}

void Pool::ensure_worker() {
  const std::lock_guard starting(threads_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (workers_ != 0 || ends()) return;
  }
  {
    const ShortGuard guard(main_.lock);
    set_gate(searching);
  }
  try {
    start_worker();
  } catch (...) {
    const ShortGuard guard(main_.lock);
    clear_gate(searching);
    throw;
  }
}

// A thread that is searching from its start. Under threads_mutex_; throws when there is no memory,
// or the operating system has no thread to give.
void Pool::start_worker() {
  auto found = std::find_if(threads_.begin(), threads_.end(),
                            [](const auto& worker) { return worker->left; });
  if (found == threads_.end()) {
    threads_.reserve(threads_.size() + 1);
    found = threads_.insert(threads_.end(), std::make_unique<Worker>(*this));
  }
  Worker& worker = **found;
  std::string name = prefix_ + '_' + std::to_string(next_number_);
  // A thread that had the object may still be on its last steps, and run code of the user there. So
  // it is joined by the new one, at its end.
  const auto before = std::make_shared<NativeThread>(std::move(worker.thread));
  {
    const std::lock_guard lock(mutex_);
    ++workers_;
    ++starting_;
    update_gate();
  }
  worker.searching = true;
  worker.left = false;
  try {
    worker.thread = NativeThread(
        [&worker, pool = shared_from_this(), name = std::move(name), before]() mutable {
          try {
            set_this_thread_name(std::move(name));
          } catch (...) {
            // No memory for the name; the work is more important.
          }
          pool->work(worker);
          if (before->joinable()) before->join();
        });
    if (unjoined_) worker.thread.detach();
  } catch (...) {
    worker.thread = std::move(*before);
    worker.left = true;
    const std::lock_guard lock(mutex_);
    --starting_;
    --workers_;
    update_gate();
    throw;
  }
  ++next_number_;
  const std::lock_guard lock(mutex_);
  --starting_;
  update_gate();
}

// Whether the pool has started the calling thread, which may be on its last steps.
bool Pool::is_own_thread() const noexcept { return mark_of_own_pool == mark_; }

void Pool::work(Worker& me) noexcept {
  mark_of_own_pool = mark_;
  this_host = &me;
  if (initializer_ && !initialize(me)) {
    break_down(me);
  } else {
    while (Job* const job = next_job(me)) me.run(*job);
  }
  this_host = nullptr;
  const std::lock_guard lock(threads_mutex_);
  me.left = true;
}

// The worker was searching from its start, but this may take long. After it, it comes for a job.
bool Pool::initialize(Worker& me) noexcept {
  {
    const ShortGuard guard(main_.lock);
    ++initializing_;
  }
  end_search(me);
  bool done = true;
  try {
    initializer_();
  } catch (...) {
    report({"conc.future", Severity::critical, "The initializer of a ThreadPoolExecutor threw",
            std::current_exception()});
    done = false;
  }
  const ShortGuard guard(main_.lock);
  --initializing_;
  if (has_work() && must_summon(gate())) {
    set_gate(searching);
    me.searching = true;
  }
  return done;
}

// The worker leaves, and nothing that is queued will be run.
void Pool::break_down(Worker& me) noexcept {
  JobChain dropped;
  WakeChain woken;
  {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    woken = end(dropped);
  }
  take_all_elsewhere(dropped);
  Lock lock(mutex_);
  leave(me, lock);
  woken.wake_all();
  dropped.drop_all(Drop::broken);
}

// For good. Gives the lock back.
void Pool::leave(Worker& me, Lock& lock) noexcept {
  --workers_;
  update_gate();
  {
    const ShortGuard guard(main_.lock);
    renounce(me);
    if (can_grow()) clear_gate(full);
  }
  WakeChain closers;
  if (workers_ == 0) closers = closers_.take_all();
  if (std::exchange(me.searching, false)) {
    summon_locked(lock, Summon::if_queued);
  } else {
    lock.unlock();
  }
  // The others may all sleep for futures by now, and have counted on this one.
  summon_for_elsewhere();
  closers.wake_all();
}

// Whether one more worker may be started: always when all of them wait for futures.
bool Pool::can_grow() const noexcept { return workers_ < max_workers_ || workers_ == blocked_; }

// After a change of what the flags say that are changed under the mutex. Under the mutex.
void Pool::update_gate() noexcept {
  const bool guard_it = max_pending_ != 0 || ends() || workers_ == starting_;
  const bool too_many = workers_ - blocked_ > max_workers_;
  const ShortGuard guard(main_.lock);
  clear_gate(guarded | surplus);
  set_gate((guard_it ? guarded : 0) | (too_many ? surplus : 0));
}

}  // namespace conc::detail
