// Pool, the workers: where they find the next job, and what they do when there is none.
#include <algorithm>
#include <utility>

#include "pool_worker.hpp"
#include "spin.hpp"

namespace conc::detail {
namespace {

// Once in so many times a worker looks into the main queue first, so that its own tasks cannot
// starve it; and into what others have reserved, so that the main queue cannot starve that.
constexpr std::uint32_t fair_turn = 61;

// How many jobs a worker reserves at once: at most so many, and as many as it runs in about this
// time. The first makes the queue's lock cheap for empty jobs (BM_Executor_Post), the second keeps
// the order of those that take longer.
constexpr std::size_t longest_stretch = 32;
constexpr std::uint64_t stretch_ns = 32000;

}  // namespace

std::size_t Pool::Worker::stretch_for(std::size_t queued) noexcept {
  if (queued == 1) {
    turned = 0;
    return 1;
  }
  const std::uint64_t now = now_in_ns();
  if (turned != 0) {
    // Growing step by step: the last stretch says little about jobs of another kind.
    const std::uint64_t each =
        std::max<std::uint64_t>(1, (now - turned) / std::max<std::size_t>(1, taken));
    limit = std::clamp<std::size_t>(stretch_ns / each, 1, std::min(longest_stretch, 2 * limit));
  }
  turned = now;
  return std::min(limit, queued);
}

// The calling thread as a worker of this pool, or null.
Pool::Worker* Pool::own_worker() const noexcept {
  auto* const worker = static_cast<Worker*>(this_host);  // no other class of hosts
  return worker != nullptr && &worker->pool() == this ? worker : nullptr;
}

// Null when the worker is to leave, which it then has done.
Job* Pool::next_job(Worker& me) noexcept {
  if (me.has_stretch() && !paused()) {
    if (Job* const job = me.claim_next()) return job;
  }
  const bool main_first = me.searching || ++me.turns % fair_turn == 0;
  if (!in_order_ && !main_first) {
    if (Job* const job = take_local(me)) return job;
  }
  for (;;) {
    // Before it takes a job: whom it wakes may get its processor, and takes the oldest job then.
    if (me.searching && queued() > 1) end_search(me);
    // What another has reserved does not wait for long, be it that its jobs take long, or these.
    const bool look_at_others = me.limit == 1 || me.turns % fair_turn == 0;
    Job* job = look_at_others ? steal_from_stretches(me) : nullptr;
    if (job == nullptr) job = take(me);
    if (job == nullptr && !in_order_) job = take_local(me);
    const bool too_many = (gate_.load(std::memory_order_relaxed) & surplus) != 0;
    if (job == nullptr && !too_many) job = steal(me);
    if (job != nullptr) {
      if (me.searching) end_search(me);
      return job;
    }
    if (!me.has_stretch()) {
      Lock lock(mutex_);
      bool nothing = false;
      {
        const ShortGuard guard(main_.lock);
        nothing = (gate() & surplus) != 0 || (ends() && !has_work());
      }
      if (nothing) {
        me.give_back();
        leave(me, lock);
        return nullptr;
      }
    }
    if (search(me)) continue;
    if (!lie_down(me)) return nullptr;
  }
}

// The oldest job of the most urgent lane, and room in the worker's stretch for those behind it.
Job* Pool::take(Worker& me) noexcept {
  if (queued() == 0) return nullptr;
  if (me.has_stretch()) {
    if (paused()) return nullptr;
    if (Job* const job = me.claim_next()) return job;
  }
  if (!me.stretch.empty() && &me.stretch.block->ring.queue() != &main_) me.give_back();
  Job* job = nullptr;
  bool help = false;
  {
    const ShortGuard guard(main_.lock);
    me.give_back_locked();
    renounce(me);
    const Gate seen = gate();
    if (!has_work() || (seen & surplus) != 0) return nullptr;
    JobRing& ring = most_urgent();
    const std::size_t most = in_order_ ? 1 : me.stretch_for(queued());
    if (most == 1) {
      job = &ring.pop();
    } else {
      me.reserve(ring, most);
      announce(me);
      help = must_summon(seen);
      if (help) set_gate(searching);
    }
  }
  if (help) summon(Summon::in_any_case);
  if (job == nullptr) job = me.claim_next();
  if (max_pending_ != 0) {
    WakeChain submitter;
    {
      const std::lock_guard lock(mutex_);
      submitter = who_has_room();
    }
    submitter.wake_all();
  }
  return job;
}

// The oldest job of its own queue, to which only the worker itself adds.
Job* Pool::take_local(Worker& me) noexcept {
  if (me.queue.size.load(std::memory_order_relaxed) == 0 || paused()) return nullptr;
  if (me.has_stretch()) {
    if (Job* const job = me.claim_next()) return job;
  }
  if (!me.stretch.empty() && &me.stretch.block->ring != &me.queue.jobs) me.give_back();
  const ShortGuard guard(me.queue.lock);
  me.give_back_locked();
  const std::size_t size = me.queue.size.load(std::memory_order_relaxed);
  if (size == 0) return nullptr;
  const std::size_t most = me.stretch_for(size);
  if (most == 1) return &me.queue.jobs.pop();
  me.reserve(me.queue.jobs, most);
  return me.claim_next();
}

// The searching worker has found a job, or has something else to do. The next is summoned if there
// is work for it.
void Pool::end_search(Worker& me) noexcept {
  me.searching = false;
  bool more = false;
  {
    const ShortGuard guard(main_.lock);
    more = has_work();
    if (!more) clear_gate(searching);
  }
  if (more) summon(Summon::if_queued);
  summon_for_elsewhere();
}

// Looks for a moment whether there is a job, unless another does.
bool Pool::search(Worker& me) noexcept {
  if (!me.searching) {
    const ShortGuard guard(main_.lock);
    if ((gate() & searching) != 0) return has_work();
    set_gate(searching);
    me.searching = true;
    return true;  // what came before is still to be looked at
  }
  return spin([this] { return has_work(); });
}

// Sleeps until summoned, unless there is a job after all. False when it had nothing to do for too
// long, and has left.
bool Pool::lie_down(Worker& me) noexcept {
  ThreadNode node({WaitKind::pool_work, this, prefix_.c_str()});
  bool limited = false;
  {
    const std::lock_guard lock(mutex_);
    if (ends()) return true;
    const ShortGuard guard(main_.lock);
    if (has_work()) return true;
    if (!me.has_stretch()) renounce(me);
    clear_gate(full | (me.searching ? searching : 0));
    next_start_ = 0;
    me.searching = false;
    limited = idle_timeout_ && !paused();  // nobody leaves while it is paused
    idle_.push_front(node);
  }
  Patience patience(limited ? Until(*idle_timeout_) : forever);
  const bool look_again = any_elsewhere();
  if (look_again || node.sleep(patience) != Outcome::woken) {
    Lock lock(mutex_);
    if (node.linked()) {
      idle_.remove(node);
      if (look_again || me.has_stretch()) return true;
      {
        // A job on its way in counts on a worker that is there, and so does what waits, in whatever
        // queue, for the pool to go on.
        const ShortGuard guard(main_.lock);
        if (queued() != 0 || paused()) return true;
        if (workers_ == starting_ + 1) set_gate(guarded);
      }
      me.give_back();
      leave(me, lock);
      return false;
    }
    lock.unlock();
    node.sleep_until_woken();
  }
  me.searching = node.granted;
  return true;
}

// From here on it is searching: if somebody who sees the result submits a job, he need not wake
// anyone.
void Pool::job_ends(Worker& me) noexcept {
  const auto busy = [this] { return queued() != 0 || !must_summon(gate()); };
  if (me.has_stretch() || me.queue.size.load(std::memory_order_relaxed) != 0 || busy()) return;
  const ShortGuard guard(main_.lock);
  if (busy()) return;
  set_gate(searching);
  me.searching = true;
}

bool Pool::has_free_worker() noexcept {
  const std::lock_guard lock(mutex_);
  return !paused() && (!idle_.empty() || (gate() & searching) != 0);
}

void Pool::begin_wait() noexcept {
  {
    Lock lock(mutex_);
    ++blocked_;
    update_gate();
    if (workers_ != blocked_) return;
    bool work = false;
    {
      const ShortGuard guard(main_.lock);
      clear_gate(full);
      work = has_work() && must_summon(gate());
      if (work) set_gate(searching);
    }
    if (work) return summon_locked(lock, Summon::if_queued);
  }
  summon_for_elsewhere();
}

void Pool::end_wait() noexcept {
  const std::lock_guard lock(mutex_);
  --blocked_;
  update_gate();
}

// ---- Under the lock of the main queue

// The worker has a stretch of several jobs of the main queue; or it has come to its end.
void Pool::announce(Worker& me) noexcept {
  me.announced = true;
  stretches_.store(stretches_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}
void Pool::renounce(Worker& me) noexcept {
  if (!std::exchange(me.announced, false)) return;
  stretches_.store(stretches_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

// The lane of the job that is next. There must be one.
JobRing& Pool::most_urgent() noexcept {
  return *std::find_if(lanes_.begin(), lanes_.end(),
                       [](const JobRing& jobs) { return !jobs.empty(); });
}

JobRing& Pool::least_urgent() noexcept {
  return *std::find_if(lanes_.rbegin(), lanes_.rend(),
                       [](const JobRing& jobs) { return !jobs.empty(); });
}

}  // namespace conc::detail
