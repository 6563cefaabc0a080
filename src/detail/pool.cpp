#include "pool.hpp"

#include <conc/errors.hpp>
#include <conc/hooks.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "cpus.hpp"
#include "job_times.hpp"
#include "message.hpp"
#include "spin.hpp"

namespace conc::detail {

bool withdraw_job(Job& job) noexcept {
  JobQueue* const queue = job.place.home.load(std::memory_order_acquire);
  return queue != nullptr && queue->pool.remove(job, true);
}

// ---- Worker

namespace {

// The unit of Job::Place::since.
constexpr std::uint32_t ns_in_tick = 64;
std::uint32_t ticks_of(std::uint64_t ns) noexcept {
  return static_cast<std::uint32_t>(ns / ns_in_tick);
}

}  // namespace

class Pool::Worker final : public Host {
 public:
  explicit Worker(Pool& pool) noexcept : queue(pool) {}

  void run_now(Job& job) noexcept override {
    JobQueue* const home = job.place.home.load(std::memory_order_acquire);
    if (home == nullptr || &home->pool != &pool() || !pool().remove(job, false)) return;
    ++depth;
    const std::uint64_t outer = began;
    run(job);
    began = outer;
    --depth;
  }
  void begin_wait() noexcept override { pool().begin_wait(); }
  void end_wait() noexcept override { pool().end_wait(); }
  void job_returned(bool threw) noexcept override {
    count(threw ? failed : done);
    if (began != 0) run_times.add(now_in_ns() - began);
  }
  void job_ends() noexcept override {
    if (depth == 0) pool().job_ends(*this);
  }
  void callbacks_follow() noexcept override {
    if (searching) pool().end_search(*this);
  }

  void run(Job& job) noexcept {
    began = 0;
    if (job.place.since != 0) {
      began = now_in_ns();
      wait_times.add(std::uint64_t{ticks_of(began) - job.place.since} * ns_in_tick);
    }
    if (job.run() == Ended::skipped) count(skipped);
  }

  [[nodiscard]] Pool& pool() const noexcept { return queue.pool; }

  // Written by this worker alone.
  static void count(Atomic<std::size_t>& counter, std::size_t n = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  NativeThread thread;  // guarded by threads_mutex_ of the pool
  bool left =
      true;  // the same: there is no thread, or it is ending, and the object may be used for another
  LocalQueue queue;
  std::size_t depth = 0;    // how many jobs the running job has taken over and waits for
  std::uint64_t began = 0;  // when the running job began, if that is measured
  std::uint32_t turns = 0;  // how often it has taken a job
  bool searching = false;   // the pool's searching worker is this one

  Atomic<std::size_t> entered{0};  // jobs that ever were in `queue` from its own tasks
  Atomic<std::size_t> done{0};
  Atomic<std::size_t> failed{0};
  Atomic<std::size_t> skipped{0};
  LiveTimes wait_times;
  LiveTimes run_times;
};

namespace {

// A worker looks into the common queue first once in so many times, so that its own tasks cannot
// starve it.
constexpr std::uint32_t fair_turn = 61;

// How many jobs a worker takes from another's queue at most, of half that there are.
constexpr std::size_t most_stolen = 16;

// Which submissions of a thread are measured: reading the clock takes as long as the rest of a
// submission.
constexpr std::uint32_t all_measured_up_to = 256;
constexpr std::uint32_t one_measured_in = 64;

std::uint32_t time_if_measured() noexcept {
  static constinit thread_local std::uint32_t submissions = 0;
  const std::uint32_t n = submissions++;
  return n < all_measured_up_to || n % one_measured_in == 0 ? ticks_of(now_in_ns()) | 1
                                                            : 0;  // never 0
}

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

std::string default_prefix() {
  static constinit Atomic<std::size_t> pools{0};
  return "ThreadPool-" + std::to_string(pools.fetch_add(1, std::memory_order_relaxed));
}

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

Pool::Pool(ThreadPoolOptions options)
    : max_workers_(checked_workers(options.max_workers)),
      max_pending_(options.max_pending),
      overflow_(options.overflow),
      has_local_queues_(max_workers_ > 1 && options.max_pending == 0 && options.priorities == 1),
      idle_timeout_(options.idle_timeout),
      prefix_(options.thread_name_prefix.empty() ? default_prefix()
                                                 : std::move(options.thread_name_prefix)),
      initializer_(std::move(options.initializer)),
      lanes_(checked_lanes(options.priorities)) {}

Pool::~Pool() { const std::lock_guard last_one_is_out(mutex_); }

// The calling thread as a worker of this pool, or null.
Pool::Worker* Pool::own_worker() const noexcept {
  auto* const worker = static_cast<Worker*>(this_host);  // no other class of hosts
  return worker != nullptr && &worker->pool() == this ? worker : nullptr;
}

// ---- Submitters

void Pool::enqueue(JobChain& jobs, std::uint8_t lane) {
  for (Job* job = jobs.front(); job != nullptr; job = job->place.next) {
    job->place.lane = lane;
    job->place.since = time_if_measured();
    job->place.home.store(&main_, std::memory_order_relaxed);
  }
  Gate seen = gate_.load(std::memory_order_relaxed);
  if ((seen & guarded) != 0) return enqueue_guarded(jobs);
  if (has_local_queues_) {
    if (Worker* const me = own_worker()) return push_local(*me, jobs);
  }

  Job* const oldest = jobs.front();
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
  if (must_summon(seen)) summon(Summon::if_queued);
}

// By a job of the pool.
void Pool::push_local(Worker& me, JobChain& jobs) noexcept {
  if (!local_used_.load(std::memory_order_relaxed)) local_used_.store(true);
  Worker::count(me.entered, jobs.size());
  {
    const std::lock_guard lock(me.queue.mutex);
    while (!jobs.empty()) {
      Job& job = jobs.pop_front();
      job.place.home.store(&me.queue, std::memory_order_relaxed);
      me.queue.push_back(job);
    }
  }
  if (begin_summons()) summon(Summon::in_any_case);
}

void Pool::enqueue_guarded(JobChain& jobs) {
  Lock lock(mutex_);
  for (;;) {
    if (ends()) refuse(jobs);
    if (workers_ != starting_) break;
    lock.unlock();
    ensure_worker();
    lock.lock();
  }
  if (max_pending_ != 0) return push_bounded(jobs, lock);
  while (!jobs.empty()) push(jobs.pop_front());
  if (begin_summons()) summon_locked(lock, Summon::if_queued);
}

void Pool::refuse(JobChain& jobs) const {
  for (Job* job = jobs.front(); job != nullptr; job = job->place.next) {
    job->place.home.store(nullptr, std::memory_order_relaxed);
  }
  if (broken_) {
    throw BrokenExecutor(
        message("ThreadPoolExecutor", nullptr,
                "runs nothing any more: the initializer of one of its workers threw"));
  }
  throw UsageError(message("ThreadPoolExecutor", nullptr,
                           "got a call to run after shutdown(); submit before that"));
}

// With max_pending. Takes all jobs over, or throws and has taken none.
void Pool::push_bounded(JobChain& jobs, Lock& lock) {
  const auto room = [this] { return max_pending_ - std::min(max_pending_, queued_); };
  if (overflow_ == Overflow::reject && jobs.size() > room()) {
    const std::size_t queued = queued_;
    lock.unlock();
    for (Job* job = jobs.front(); job != nullptr; job = job->place.next) {
      job->place.home.store(nullptr, std::memory_order_relaxed);
    }
    throw Full(message("ThreadPoolExecutor", nullptr,
                       "has " + std::to_string(queued) + " calls queued and may have " +
                           std::to_string(max_pending_)));
  }
  const bool exceeds = overflow_ == Overflow::block && own_worker() != nullptr;
  std::optional<ThreadNode> node;  // made with no lock held, since that may throw
  if (overflow_ == Overflow::block && !exceeds && jobs.size() > room()) {
    lock.unlock();
    node.emplace(WaitReason{WaitKind::pool_room, this, prefix_.c_str()});
    lock.lock();
  }
  bool waited = false;
  JobChain dropped;
  while (!jobs.empty()) {
    if (ends()) {
      // Shut down while it waited: as if the jobs had been queued before.
      if (!waited) refuse(jobs);
      const Drop why = broken_ ? Drop::broken : Drop::cancelled;
      entered_ += jobs.size();
      cancelled_ += jobs.size();
      lock.unlock();
      jobs.drop_all(why);
      return;
    }
    if (room() != 0 || exceeds) {
      push(jobs.pop_front());
      continue;
    }
    if (begin_summons()) {
      summon_locked(lock, Summon::if_queued);
      lock.lock();
      continue;
    }
    switch (overflow_) {
      case Overflow::drop_oldest:
        dropped.push_back(pop_least_urgent());
        ++cancelled_;
        break;
      case Overflow::caller_runs: {
        Job& job = jobs.pop_front();
        job.place.home.store(nullptr, std::memory_order_relaxed);
        ++entered_;
        lock.unlock();
        const Ended ended = job.run();
        lock.lock();
        ++(ended == Ended::done     ? outside_done_
           : ended == Ended::failed ? outside_failed_
                                    : cancelled_);
        break;
      }
      case Overflow::block:
      case Overflow::reject:  // cannot be: it had room for all
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
  if (begin_summons()) {
    summon_locked(lock, Summon::if_queued);
  } else {
    lock.unlock();
  }
  dropped.drop_all(Drop::cancelled);
}

// Sets `searching` for somebody who is then to be summoned; false when that is not needed, or in
// vain.
bool Pool::begin_summons() noexcept {
  Gate seen = gate_.load(std::memory_order_acquire);
  while (must_summon(seen)) {
    if (gate_.compare_exchange_weak(seen, seen | searching, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      return true;
    }
  }
  return false;
}

void Pool::summon(Summon when) noexcept {
  Lock lock(mutex_);
  summon_locked(lock, when);
}

// `searching` is set, for nobody yet. Gives the lock back.
void Pool::summon_locked(Lock& lock, Summon when) noexcept {
  for (;;) {
    Gate seen = gate_.load(std::memory_order_relaxed);
    if (newest_of(seen) != nullptr && paused_) drain();
    // Somebody who was busy has taken what there was.
    while (!has_work() && (paused_ || newest_of(seen) == nullptr) && when == Summon::if_queued) {
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
      // There is another worker, or the job would not have been accepted. A later summons tries
      // again.
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
    if (workers_ != 0 || ends()) return;
  }
  gate_.fetch_or(searching, std::memory_order_relaxed);
  try {
    start_worker();
  } catch (...) {
    gate_.fetch_and(~searching, std::memory_order_relaxed);
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
  if (worker.thread.joinable()) worker.thread.join();  // it is on its last steps
  std::string name = prefix_ + '_' + std::to_string(next_number_);
  {
    const std::lock_guard lock(mutex_);
    ++workers_;
    ++starting_;
  }
  worker.searching = true;
  worker.left = false;
  try {
    worker.thread =
        NativeThread([&worker, pool = shared_from_this(), name = std::move(name)]() mutable {
          try {
            set_this_thread_name(std::move(name));
          } catch (...) {
            // No memory for the name; the work is more important.
          }
          pool->work(worker);
        });
  } catch (...) {
    worker.left = true;
    const std::lock_guard lock(mutex_);
    --starting_;
    --workers_;
    throw;
  }
  ++next_number_;
  const std::lock_guard lock(mutex_);
  --starting_;
  update_guard();
}

// ---- Workers

void Pool::work(Worker& me) noexcept {
  this_host = &me;
  if (initializer_ && !initialize()) {
    break_down(me);
  } else {
    while (Job* const job = next_job(me)) me.run(*job);
  }
  this_host = nullptr;
  const std::lock_guard lock(threads_mutex_);
  me.left = true;
}

bool Pool::initialize() noexcept {
  try {
    initializer_();
    return true;
  } catch (...) {
    report({"conc.future", Severity::critical, "The initializer of a ThreadPoolExecutor threw",
            std::current_exception()});
  }
  return false;
}

// The worker leaves, and nothing that is queued will be run.
void Pool::break_down(Worker& me) noexcept {
  JobChain dropped;
  WakeChain woken;
  take_all_local(dropped);
  {
    Lock lock(mutex_);
    broken_ = true;
    woken = end(dropped);
    leave(me, lock);
  }
  woken.wake_all();
  dropped.drop_all(Drop::broken);
}

// Null when the worker is to leave, which it then has done.
Job* Pool::next_job(Worker& me) noexcept {
  const bool main_first = me.searching || ++me.turns % fair_turn == 0;
  if (has_local_queues_ && !main_first) {
    if (Job* const job = take_local(me)) return job;
  }
  for (;;) {
    Job* job = nullptr;
    bool surplus =
        false;  // others that were in a wait are at work again, and there is one worker too many
    {
      Lock lock(mutex_);
      surplus = workers_ - blocked_ > max_workers_;
      if (!surplus) job = take(lock);
    }
    if (job == nullptr && has_local_queues_) {
      job = take_local(me);
      if (job == nullptr && !surplus) job = steal(me);
    }
    if (job != nullptr) {
      if (me.searching) end_search(me);
      return job;
    }
    {
      Lock lock(mutex_);
      const bool empty = !has_work() && newest_of(gate_.load(std::memory_order_relaxed)) == nullptr;
      if (surplus || (ends() && empty)) {
        leave(me, lock);
        return nullptr;
      }
    }
    if (search(me)) continue;
    if (!lie_down(me)) return nullptr;
  }
}

// The oldest job of its own queue, to which only the worker itself adds.
Job* Pool::take_local(Worker& me) noexcept {
  if (me.queue.size.load(std::memory_order_relaxed) == 0 ||
      paused_flag_.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  const std::lock_guard lock(me.queue.mutex);
  return me.queue.jobs.empty() ? nullptr : &me.queue.pop_front();
}

// The oldest job, with the lock given back; or null, under the lock.
Job* Pool::take(Lock& lock) noexcept {
  if (queued_ == 0 || lanes_.size() > 1) drain();
  if (!has_work()) {
    drain();
    return nullptr;
  }
  Job& job = pop();
  WakeChain submitter = who_has_room();
  lock.unlock();
  submitter.wake_all();
  return &job;
}

// Moves the older half of another worker's queue to its own, but for the oldest job, which it
// returns.
Job* Pool::steal(Worker& me) noexcept {
  if (!local_used_.load(std::memory_order_relaxed) ||
      paused_flag_.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  JobChain stolen;
  {
    const std::lock_guard threads(threads_mutex_);
    for (const auto& other : threads_) {
      if (other.get() == &me) continue;
      const std::lock_guard lock(other->queue.mutex);
      const std::size_t half = (other->queue.size.load(std::memory_order_relaxed) + 1) / 2;
      for (std::size_t n = std::min(half, most_stolen); n != 0; --n) {
        Job& job = other->queue.pop_front();
        job.place.home.store(&me.queue, std::memory_order_release);
        stolen.push_back(job);
      }
      if (!stolen.empty()) break;
    }
  }
  if (stolen.empty()) return nullptr;
  Job& oldest = stolen.pop_front();
  if (!stolen.empty()) {
    const std::lock_guard lock(me.queue.mutex);
    while (!stolen.empty()) {
      me.queue.push_back(stolen.pop_front());
    }
  }
  return &oldest;
}

// The searching worker has found a job, or has something else to do. The next is summoned if there
// is work for it.
void Pool::end_search(Worker& me) noexcept {
  me.searching = false;
  summon(Summon::if_queued);
  if (any_local() && begin_summons()) summon(Summon::in_any_case);
}

// Whether a worker's own queue holds a job.
bool Pool::any_local() noexcept {
  if (!local_used_.load(std::memory_order_relaxed) ||
      paused_flag_.load(std::memory_order_relaxed)) {
    return false;
  }
  const std::lock_guard threads(threads_mutex_);
  return std::any_of(threads_.begin(), threads_.end(), [](const auto& worker) {
    const std::lock_guard lock(worker->queue.mutex);
    return !worker->queue.jobs.empty();
  });
}

// Looks for a moment whether there is a job, unless another does.
bool Pool::search(Worker& me) noexcept {
  if (!me.searching) {
    const Gate before = gate_.fetch_or(searching, std::memory_order_acq_rel);
    if ((before & searching) != 0) return newest_of(before) != nullptr;
    me.searching = true;
    return true;  // what came before is still to be looked at
  }
  return spin([this] { return newest_of(gate_.load(std::memory_order_relaxed)) != nullptr; });
}

// Sleeps until summoned, unless there is a job after all. False when it had nothing to do for too
// long, and has left.
bool Pool::lie_down(Worker& me) noexcept {
  ThreadNode node({WaitKind::pool_work, this, prefix_.c_str()});
  {
    const std::lock_guard lock(mutex_);
    if (ends() || has_work()) return true;
    Gate seen = gate_.load(std::memory_order_relaxed);
    do {
      if (newest_of(seen) != nullptr) return true;
    } while (!gate_.compare_exchange_weak(seen, seen & ~(full | (me.searching ? searching : 0)),
                                          std::memory_order_acq_rel, std::memory_order_relaxed));
    me.searching = false;
    idle_.push_front(node);
  }
  Patience patience(idle_timeout_ ? Until(*idle_timeout_) : forever);
  const bool look_again = any_local();
  if (look_again || node.sleep(patience) != Outcome::woken) {
    Lock lock(mutex_);
    if (node.linked()) {
      idle_.remove(node);
      if (look_again) return true;
      Gate seen = gate_.load(std::memory_order_relaxed);
      do {
        // A job on its way in counts on a worker that is there.
        if (newest_of(seen) != nullptr || has_work()) return true;
      } while (workers_ == starting_ + 1 &&
               !gate_.compare_exchange_weak(seen, seen | guarded, std::memory_order_acq_rel,
                                            std::memory_order_relaxed));
      leave(me, lock);
      return false;
    }
    lock.unlock();
    node.sleep_until_woken();
  }
  me.searching = node.granted;
  return true;
}

// For good. Gives the lock back.
void Pool::leave(Worker& me, Lock& lock) noexcept {
  --workers_;
  update_guard();
  if (can_grow()) gate_.fetch_and(~full, std::memory_order_relaxed);
  WakeChain closers;
  if (workers_ == 0) closers = closers_.take_all();
  if (std::exchange(me.searching, false)) {
    summon_locked(lock, Summon::if_queued);
  } else {
    lock.unlock();
  }
  closers.wake_all();
}

// From here on it is searching: if somebody who sees the result submits a job, he need not wake
// anyone.
void Pool::job_ends(Worker& me) noexcept {
  Gate seen = gate_.load(std::memory_order_relaxed);
  if (newest_of(seen) != nullptr || !must_summon(seen) ||
      me.queue.size.load(std::memory_order_relaxed) != 0) {
    return;
  }
  me.searching = gate_.compare_exchange_strong(seen, seen | searching, std::memory_order_acq_rel,
                                               std::memory_order_relaxed);
}

void Pool::begin_wait() noexcept {
  {
    Lock lock(mutex_);
    ++blocked_;
    if (workers_ != blocked_) return;
    gate_.fetch_and(~full, std::memory_order_acq_rel);
    if (has_work() || newest_of(gate_.load(std::memory_order_relaxed)) != nullptr) {
      if (begin_summons()) summon_locked(lock, Summon::if_queued);
      return;
    }
  }
  if (any_local() && begin_summons()) summon(Summon::in_any_case);
}

void Pool::end_wait() noexcept {
  const std::lock_guard lock(mutex_);
  --blocked_;
}

bool Pool::remove(Job& job, bool to_cancel) noexcept {
  for (;;) {
    JobQueue& home = *job.place.home.load(std::memory_order_acquire);
    Lock lock(home.mutex);
    if (job.place.home.load(std::memory_order_relaxed) != &home) continue;  // stolen meanwhile
    if (&home != &main_) {
      if (!job.place.linked) return false;
      static_cast<LocalQueue&>(home).remove(job);
      lock.unlock();
      if (to_cancel) {
        const std::lock_guard counting(mutex_);
        ++cancelled_;
      }
      return true;
    }
    if (!job.place.linked) drain();
    if (!job.place.linked) return false;
    lanes_[job.place.lane].remove(job);
    --queued_;
    if (to_cancel) ++cancelled_;
    WakeChain submitter = who_has_room();
    lock.unlock();
    submitter.wake_all();
    return true;
  }
}

// ---- Under the mutex

void Pool::push(Job& job) noexcept {
  lanes_[job.place.lane].push_back(job);
  ++queued_;
  ++entered_;
}

// The oldest job of the most urgent lane. There must be one.
Job& Pool::pop() noexcept {
  const auto lane =
      std::find_if(lanes_.begin(), lanes_.end(), [](const JobList& jobs) { return !jobs.empty(); });
  --queued_;
  return lane->pop_front();
}

Job& Pool::pop_least_urgent() noexcept {
  const auto lane = std::find_if(lanes_.rbegin(), lanes_.rend(),
                                 [](const JobList& jobs) { return !jobs.empty(); });
  --queued_;
  return lane->pop_front();
}

// Moves the jobs of the inbox into the lanes.
void Pool::drain() noexcept {
  if (newest_of(gate_.load(std::memory_order_relaxed)) == nullptr) return;
  Job* job = newest_of(gate_.fetch_and(flags, std::memory_order_acq_rel));
  if (lanes_.size() == 1) {
    const std::size_t count = lanes_.front().push_back_stack(job);
    queued_ += count;
    entered_ += count;
    return;
  }
  job = reverse(job);
  while (job != nullptr) push(*std::exchange(job, job->place.next));
}

// The submitter that waits longest for room, if there is room now.
WakeChain Pool::who_has_room() noexcept {
  return queued_ < max_pending_ ? submitters_.take_front(1) : WakeChain();
}

// Whether one more worker may be started: always when all of them wait for futures.
bool Pool::can_grow() const noexcept { return workers_ < max_workers_ || workers_ == blocked_; }

void Pool::update_guard() noexcept {
  if (max_pending_ != 0 || ends() || workers_ == starting_) {
    gate_.fetch_or(guarded, std::memory_order_relaxed);
  } else {
    gate_.fetch_and(~guarded, std::memory_order_relaxed);
  }
}

// Once closed_ or broken_ is set: takes out all jobs that are never to be run, and hands out
// everyone who sleeps beside the queue.
WakeChain Pool::end(JobChain& dropped) noexcept {
  drain();
  while (queued_ != 0) dropped.push_back(pop());
  cancelled_ += dropped.size();
  return wake_everyone();
}

WakeChain Pool::wake_everyone() noexcept {
  update_guard();
  paused_ = false;
  paused_flag_.store(false, std::memory_order_relaxed);
  WakeChain woken = idle_.take_all();
  while (!submitters_.empty()) woken.push_back(submitters_.pop_front());
  return woken;
}

// ---- From outside

void Pool::take_all_local(JobChain& jobs) noexcept {
  const std::lock_guard threads(threads_mutex_);
  for (const auto& worker : threads_) {
    const std::lock_guard lock(worker->queue.mutex);
    while (!worker->queue.jobs.empty()) jobs.push_back(worker->queue.pop_front());
  }
}

void Pool::pause() {
  const std::lock_guard lock(mutex_);
  if (ends()) return;
  paused_ = true;
  paused_flag_.store(true, std::memory_order_relaxed);
}

void Pool::resume() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(paused_, false)) return;
    paused_flag_.store(false, std::memory_order_relaxed);
  }
  if (begin_summons()) summon(Summon::in_any_case);
}

void Pool::close(bool wait, bool cancel_jobs) {
  JobChain dropped;
  WakeChain woken;
  if (cancel_jobs) take_all_local(dropped);
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    woken = cancel_jobs ? end(dropped) : wake_everyone();
  }
  woken.wake_all();
  dropped.drop_all(Drop::cancelled);
  if (!wait || own_worker() != nullptr) return;

  ThreadNode node({WaitKind::pool_end, this, prefix_.c_str()});
  {
    Lock lock(mutex_);
    if (workers_ != 0) {
      closers_.push_back(node);
      lock.unlock();
      node.sleep_until_woken();
    }
  }
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
  close(true, false);
  if (own_worker() == nullptr) return;
  const std::lock_guard threads(threads_mutex_);
  for (const auto& worker : threads_) {
    if (worker->thread.joinable()) worker->thread.detach();
  }
}

ThreadPoolStats Pool::stats() {
  ThreadPoolStats stats;
  Times wait_times;
  Times run_times;
  const std::lock_guard threads(threads_mutex_);
  for (const auto& worker : threads_) {
    stats.done += worker->done.load(std::memory_order_acquire);
    stats.failed += worker->failed.load(std::memory_order_acquire);
    stats.cancelled += worker->skipped.load(std::memory_order_acquire);
    worker->wait_times.add_to(wait_times);
    worker->run_times.add_to(run_times);
  }
  for (const auto& worker : threads_) {
    const std::lock_guard lock(worker->queue.mutex);
    stats.queued += worker->queue.size.load(std::memory_order_relaxed);
    stats.submitted += worker->entered.load(std::memory_order_relaxed);
  }
  {
    const std::lock_guard lock(mutex_);
    drain();
    stats.workers = workers_;
    stats.idle = idle_.size();
    stats.submitted += entered_;
    stats.queued += queued_;
    stats.done += outside_done_;
    stats.failed += outside_failed_;
    stats.cancelled += cancelled_;
  }
  // What was submitted is somewhere; jobs that end during the call are still counted as running.
  const std::size_t elsewhere = stats.queued + stats.done + stats.failed + stats.cancelled;
  stats.running = stats.submitted - std::min(stats.submitted, elsewhere);
  stats.wait = wait_times.summary();
  stats.run = run_times.summary();
  return stats;
}

}  // namespace conc::detail
