#include "pool.hpp"

#include <conc/errors.hpp>
#include <conc/hooks.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cpus.hpp"
#include "message.hpp"
#include "spin.hpp"

namespace conc::detail {

// ---- JobList

void JobList::push_back(Job& job) noexcept {
  job.place.next = nullptr;
  job.place.previous = last_;
  (last_ != nullptr ? last_->place.next : first_) = &job;
  last_ = &job;
  job.place.linked = true;
  ++size_;
}

void JobList::remove(Job& job) noexcept {
  (job.place.previous != nullptr ? job.place.previous->place.next : first_) = job.place.next;
  (job.place.next != nullptr ? job.place.next->place.previous : last_) = job.place.previous;
  job.place.linked = false;
  --size_;
}

Job& JobList::pop_front() noexcept {
  Job& job = *first_;
  remove(job);
  return job;
}

bool withdraw_job(Job& job) noexcept {
  JobQueue* const queue = job.place.home.load(std::memory_order_acquire);
  return queue != nullptr && queue->pool().remove(job);
}

// ---- Worker

class Pool::Worker final : public Host {
 public:
  explicit Worker(Pool& pool) noexcept : pool_(pool) {}

  void run_now(Job& job) noexcept override {
    JobQueue* const queue = job.place.home.load(std::memory_order_acquire);
    if (queue == nullptr || &queue->pool() != &pool_ || !pool_.remove(job)) return;
    ++depth;
    job.run();
    --depth;
  }
  void begin_wait() noexcept override { pool_.begin_wait(); }
  void end_wait() noexcept override { pool_.end_wait(); }
  void job_ends() noexcept override {
    if (depth == 0) pool_.job_ends(*this);
  }
  void callbacks_follow() noexcept override {
    if (searching) pool_.stop_searching(*this);
  }

  [[nodiscard]] bool belongs_to(const Pool& pool) const noexcept { return &pool_ == &pool; }

  NativeThread thread;        // guarded by threads_mutex_ of the pool
  std::size_t depth = 0;      // how many jobs the running job has taken over and waits for
  bool searching = false;     // the pool's searching worker is this one

 private:
  Pool& pool_;
};

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

std::string default_prefix() {
  static constinit Atomic<std::size_t> pools{0};
  return "ThreadPool-" + std::to_string(pools.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace

Pool::Pool(ThreadPoolOptions options)
    : max_workers_(checked_workers(options.max_workers)),
      prefix_(options.thread_name_prefix.empty() ? default_prefix()
                                                 : std::move(options.thread_name_prefix)) {}

Pool::~Pool() { const std::lock_guard last_one_is_out(mutex_); }

bool Pool::is_own_thread() const noexcept {
  const auto* const worker = static_cast<const Worker*>(this_host);
  return worker != nullptr && worker->belongs_to(*this);
}

// ---- Submitters

namespace {

// Turns a list of jobs over. Returns its new first.
Job* reverse(Job* first) noexcept {
  Job* reversed = nullptr;
  while (first != nullptr) {
    Job* const next = std::exchange(first->place.next, reversed);
    reversed = std::exchange(first, next);
  }
  return reversed;
}

}  // namespace

void Pool::enqueue(JobChain& jobs) {
  Gate seen = gate_.load(std::memory_order_relaxed);
  if ((seen & guarded) != 0) return enqueue_guarded(jobs);

  Job* const oldest = jobs.front();
  for (Job* job = oldest; job != nullptr; job = job->place.next) {
    job->place.home.store(&queue_, std::memory_order_relaxed);
  }
  Job* const newest = reverse(oldest);
  Gate next = 0;
  do {
    if ((seen & guarded) != 0) {
      oldest->place.next = nullptr;
      reverse(newest);
      return enqueue_guarded(jobs);
    }
    oldest->place.next = newest_of(seen);
    next = reinterpret_cast<Gate>(newest) | (seen & flags) | (must_summon(seen) ? searching : 0);
  } while (!gate_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  if (must_summon(seen)) summon();
}

void Pool::enqueue_guarded(JobChain& jobs) {
  Lock lock(mutex_);
  for (;;) {
    if (closed_) {
      for (Job* job = jobs.front(); job != nullptr; job = job->place.next) {
        job->place.home.store(nullptr, std::memory_order_relaxed);
      }
      throw UsageError(message("ThreadPoolExecutor", nullptr,
                               "got a call to run after shutdown(); submit before that"));
    }
    if (workers_ != starting_) break;
    lock.unlock();
    ensure_worker();
    lock.lock();
  }
  while (!jobs.empty()) {
    Job& job = jobs.pop_front();
    job.place.home.store(&queue_, std::memory_order_relaxed);
    jobs_.push_back(job);
  }
  if (must_summon(gate_.fetch_or(searching, std::memory_order_acq_rel))) summon_locked(lock);
}

// The caller has set `searching`.
void Pool::summon() noexcept {
  Lock lock(mutex_);
  summon_locked(lock);
}

// `searching` is set, for nobody yet. Gives the lock back.
void Pool::summon_locked(Lock& lock) noexcept {
  for (;;) {
    Gate seen = gate_.load(std::memory_order_relaxed);
    // Somebody who was busy has taken what there was.
    while (jobs_.empty() && newest_of(seen) == nullptr) {
      if (gate_.compare_exchange_weak(seen, seen & ~searching, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return lock.unlock();
      }
    }
    if (!idle_.empty()) {
      auto& node = static_cast<ThreadNode&>(idle_.pop_front());
      node.granted = true;
      lock.unlock();
      return node.wake();
    }
    if (!can_grow()) break;
    lock.unlock();
    try {
      const std::lock_guard starting(threads_mutex_);
      return start_worker();
    } catch (...) {
      // There is another worker, or this job would not have been accepted. The next summons tries again.
    }
    lock.lock();
    if (idle_.empty()) break;
  }
  // The busy workers look at the queue before they lie down.
  Gate seen = gate_.load(std::memory_order_relaxed);
  while (!gate_.compare_exchange_weak(seen, (seen & ~searching) | full, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
  }
  lock.unlock();
}

void Pool::ensure_worker() {
  const std::lock_guard starting(threads_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (workers_ != 0 || closed_) return;
  }
  gate_.fetch_or(searching, std::memory_order_relaxed);
  try {
    start_worker();
  } catch (...) {
    gate_.fetch_and(~searching, std::memory_order_relaxed);
    throw;
  }
}

// A thread that is searching from its start. Under threads_mutex_; throws when there is no memory, or the operating system
// has no thread to give.
void Pool::start_worker() {
  auto worker = std::make_unique<Worker>(*this);
  threads_.reserve(threads_.size() + 1);
  std::string name = prefix_ + '_' + std::to_string(next_number_);
  {
    const std::lock_guard lock(mutex_);
    ++workers_;
    ++starting_;
  }
  worker->searching = true;
  try {
    worker->thread = NativeThread(
        [me = worker.get(), pool = shared_from_this(), name = std::move(name)]() mutable {
          try {
            set_this_thread_name(std::move(name));
          } catch (...) {
            // No memory for the name; the work is more important.
          }
          pool->work(*me);
        });
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --starting_;
    --workers_;
    throw;
  }
  threads_.push_back(std::move(worker));
  ++next_number_;
  const std::lock_guard lock(mutex_);
  --starting_;
  update_guard();
}

// ---- Workers

void Pool::work(Worker& me) noexcept {
  this_host = &me;
  while (Job* const job = next_job(me)) job->run();
  this_host = nullptr;
}

// Null when the worker is to leave, which it then has done.
Job* Pool::next_job(Worker& me) noexcept {
  for (;;) {
    {
      Lock lock(mutex_);
      if (workers_ - blocked_ > max_workers_) {
        leave(me, lock);
        return nullptr;
      }
      if (Job* const job = take(me, lock)) return job;
      if (closed_) {
        leave(me, lock);
        return nullptr;
      }
    }
    if (search(me)) continue;
    lie_down(me);
  }
}

// The oldest job, with the lock given back; or null, under the lock.
Job* Pool::take(Worker& me, Lock& lock) noexcept {
  if (jobs_.empty()) drain();
  if (jobs_.empty()) return nullptr;
  Job& job = jobs_.pop_front();
  if (std::exchange(me.searching, false)) {
    summon_locked(lock);
  } else {
    lock.unlock();
  }
  return &job;
}

// Looks for a moment whether there is a job, unless another does.
bool Pool::search(Worker& me) noexcept {
  if (!me.searching) {
    const Gate before = gate_.fetch_or(searching, std::memory_order_acq_rel);
    if (newest_of(before) != nullptr) {
      if ((before & searching) == 0) me.searching = true;
      return true;
    }
    if ((before & searching) != 0) return false;
    me.searching = true;
  }
  return spin([this] { return newest_of(gate_.load(std::memory_order_relaxed)) != nullptr; });
}

// Sleeps until summoned, unless there is a job after all.
void Pool::lie_down(Worker& me) noexcept {
  ThreadNode node({WaitKind::queue_get, this, prefix_.c_str()});
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || !jobs_.empty()) return;
    Gate seen = gate_.load(std::memory_order_relaxed);
    do {
      if (newest_of(seen) != nullptr) return;
    } while (!gate_.compare_exchange_weak(seen, seen & ~(full | (me.searching ? searching : 0)),
                                          std::memory_order_acq_rel, std::memory_order_relaxed));
    me.searching = false;
    idle_.push_front(node);
  }
  Patience patience(forever);
  while (node.sleep(patience) != Outcome::woken) {
  }
  me.searching = node.granted;
}

// For good. Gives the lock back.
void Pool::leave(Worker& me, Lock& lock) noexcept {
  --workers_;
  update_guard();
  if (can_grow()) gate_.fetch_and(~full, std::memory_order_relaxed);
  WakeChain closers;
  if (workers_ == 0) closers = closers_.take_all();
  if (std::exchange(me.searching, false)) {
    summon_locked(lock);
  } else {
    lock.unlock();
  }
  closers.wake_all();
}

void Pool::job_ends(Worker& me) noexcept {
  Gate seen = gate_.load(std::memory_order_relaxed);
  if (newest_of(seen) != nullptr || !must_summon(seen)) return;
  me.searching = gate_.compare_exchange_strong(seen, seen | searching, std::memory_order_acq_rel,
                                               std::memory_order_relaxed);
}

void Pool::stop_searching(Worker& me) noexcept {
  me.searching = false;
  summon();
}

void Pool::begin_wait() noexcept {
  Lock lock(mutex_);
  ++blocked_;
  if (workers_ != blocked_) return;
  const Gate before = gate_.fetch_and(~full, std::memory_order_acq_rel);
  if ((before & searching) != 0 || (jobs_.empty() && newest_of(before) == nullptr)) return;
  if ((gate_.fetch_or(searching, std::memory_order_acq_rel) & searching) == 0) summon_locked(lock);
}

void Pool::end_wait() noexcept {
  const std::lock_guard lock(mutex_);
  --blocked_;
}

bool Pool::remove(Job& job) noexcept {
  const std::lock_guard lock(mutex_);
  if (!job.place.linked) drain();
  if (!job.place.linked) return false;
  jobs_.remove(job);
  return true;
}

// ---- Under the mutex

// Moves the jobs of the inbox to the end of the list.
void Pool::drain() noexcept {
  if (newest_of(gate_.load(std::memory_order_relaxed)) == nullptr) return;
  Job* job = reverse(newest_of(gate_.fetch_and(flags, std::memory_order_acq_rel)));
  while (job != nullptr) jobs_.push_back(*std::exchange(job, job->place.next));
}

// Whether one more worker may be started: always when all of them wait for futures.
bool Pool::can_grow() const noexcept { return workers_ < max_workers_ || workers_ == blocked_; }

void Pool::update_guard() noexcept {
  if (closed_ || workers_ == starting_) {
    gate_.fetch_or(guarded, std::memory_order_relaxed);
  } else {
    gate_.fetch_and(~guarded, std::memory_order_relaxed);
  }
}

// ---- The end

void Pool::close(bool wait, bool cancel_jobs) {
  JobChain dropped;
  WakeChain woken;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    update_guard();
    if (cancel_jobs) {
      drain();
      while (!jobs_.empty()) dropped.push_back(jobs_.pop_front());
    }
    woken = idle_.take_all();
  }
  woken.wake_all();
  dropped.drop_all(Drop::cancelled);
  if (!wait || is_own_thread()) return;

  ThreadNode node({WaitKind::thread, this, prefix_.c_str()});
  {
    Lock lock(mutex_);
    if (workers_ != 0) {
      closers_.push_back(node);
      lock.unlock();
      node.sleep_until_woken();
    }
  }
  std::vector<std::unique_ptr<Worker>> ended;
  {
    const std::lock_guard lock(threads_mutex_);
    ended.swap(threads_);
  }
  for (const auto& worker : ended) worker->thread.join();
}

void Pool::close_for_good() noexcept {
  close(true, false);
  if (!is_own_thread()) return;
  const std::lock_guard lock(threads_mutex_);
  for (const auto& worker : threads_) worker->thread.detach();
}

std::size_t Pool::workers() const noexcept {
  const std::lock_guard lock(mutex_);
  return workers_;
}

std::size_t Pool::idle_workers() const noexcept {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

std::size_t Pool::queued() noexcept {
  const std::lock_guard lock(mutex_);
  drain();
  return jobs_.size();
}

}  // namespace conc::detail
