#include "timer_service.hpp"

#include <conc/detail/thread_record.hpp>
#include <conc/hooks.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <pthread.h>

#include "at_exit.hpp"
#include "spin.hpp"

namespace conc::detail {
namespace {

// How long the helpers may be held up before there are more of them. Long against the start of a
// thread, so that short functions share few helpers; short against what anybody notices.
constexpr std::chrono::milliseconds patience{1};

// How long an idle helper stays.
constexpr std::chrono::seconds idle_time{2};

// How many timers the server takes out of the heap before it gives the lock back for a moment.
constexpr std::size_t most_at_a_time = 64;

constexpr std::size_t smallest_heap = 64;

// How long to look away from a lock that is held, and how often: some two microseconds each time.
constexpr int pauses = 100;
constexpr int looks = 8;

constinit thread_local const TimerState* running_timer = nullptr;

// For the time that a thread runs code of the user that belongs to a timer.
class Within {
 public:
  explicit Within(const TimerState& timer) noexcept
      : outer_(std::exchange(running_timer, &timer)) {}
  ~Within() { running_timer = outer_; }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  const TimerState* const outer_;
};

}  // namespace

alignas(64) constinit TimerLock TimerService::mutex;
alignas(64) constinit Atomic<TimerService*> TimerService::current{nullptr};
constinit TimerService* TimerService::newest = nullptr;

void TimerLock::lock_slow() noexcept {
  for (int i = single_cpu() ? looks : 0; i < looks; ++i) {
    for (int n = 0; n < pauses; ++n) cpu_pause();
    if (lock_.try_lock()) return;
  }
  lock_.lock();
}

const TimerState* TimerService::running_here() noexcept { return running_timer; }

TimerService& TimerService::make() {
  // A thread's record first, so that what it registers for fork() is registered before: handlers
  // are run the other way round, and under our lock nobody needs the lock of another.
  static_cast<void>(self_id());
  static const bool registered =
      ::pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); },
                       [] {
                         current.store(nullptr, std::memory_order_relaxed);
                         mutex.unlock();
                       }) == 0;
  if (!registered) throw std::bad_alloc();
  wait_at_exit(&TimerService::wait_for_all);
  std::unique_ptr<TimerService> made(new TimerService);
  const std::lock_guard lock(mutex);
  TimerService* service = current.load(std::memory_order_relaxed);
  if (service == nullptr) {
    service = made.release();
    service->previous_ = std::exchange(newest, service);
    current.store(service, std::memory_order_release);
  }
  return *service;
}

// ---- start and cancel

bool TimerService::start(TimerState& timer) {
  TimerService& self = instance();
  const TimePoint now = SteadyClock::now();
  Calls calls;
  {
    Lock lock(mutex);
    self.make_room(lock);
    switch (timer.phase_.load(std::memory_order_relaxed)) {
      case Phase::fresh:
        break;
      case Phase::cancelled:
        timer.phase_.store(Phase::ended, std::memory_order_release);
        return true;
      default:
        return false;
    }
    self.ensure_server();
    // Nothing throws from here on.
    timer.service_ = &self;
    timer.deadline_ =
        timer.interval_ < TimePoint::max() - now ? now + timer.interval_ : TimePoint::max();
    ++self.started_;
    if (!timer.daemon_ && !timer.periodic_) ++self.pending_;
    timer.phase_.store(Phase::pending, std::memory_order_release);
    calls = self.schedule(timer, now);
  }
  calls.make();
  return true;
}

Cancelled TimerService::cancel(TimerState& timer) noexcept {
  Lock lock(mutex);
  switch (timer.phase_.load(std::memory_order_relaxed)) {
    case Phase::fresh:
      timer.phase_.store(Phase::cancelled, std::memory_order_relaxed);
      return Cancelled::marked;
    case Phase::pending: {
      if (is_from_parent(timer)) break;
      TimerService& self = *timer.service_;
      if (timer.index_ == TimerState::in_line) {
        self.line_.remove(timer);
      } else {
        self.heap_.remove(timer);
      }
      self.drop_and_end(timer, lock);
      return Cancelled::ended;
    }
    case Phase::running:
      if (!timer.periodic_ || is_from_parent(timer)) break;
      return std::exchange(timer.stopped_, true) ? Cancelled::no : Cancelled::marked;
    case Phase::cancelled:
    case Phase::ending:
    case Phase::ended:
      break;
  }
  return Cancelled::no;
}

// The handle has gone.
void TimerService::let_go(TimerState& timer) noexcept {
  if (timer.was_started() && timer.phase_.load(std::memory_order_acquire) != Phase::ended) {
    const std::lock_guard lock(mutex);
    if (timer.phase_.load(std::memory_order_relaxed) != Phase::ended) {
      timer.orphan_ = true;
      return;
    }
  }
  delete &timer;
}

// May give the lock back for a moment, in order to allocate.
void TimerService::make_room(Lock& lock) {
  while (started_ >= heap_.capacity()) {
    const std::size_t wanted = std::max(smallest_heap, 2 * heap_.capacity());
    lock.unlock();
    std::vector<TimerHeap::Entry> room;
    room.reserve(wanted);
    lock.lock();
    if (room.capacity() > heap_.capacity()) heap_.move_to(room);
    lock.unlock();
    room = {};
    lock.lock();
  }
}

// Once in a process, so under the lock: who starts a timer meanwhile has to know how this went.
void TimerService::ensure_server() {
  if (has_server_) return;
  NativeThread([this] { serve(); }).detach();
  has_server_ = true;
}

// Where it belongs: in the line when its time has come, or else in the heap.
TimerService::Calls TimerService::schedule(TimerState& timer, TimePoint now) noexcept {
  if (timer.deadline_ <= now) {
    line_.push_back(timer, now);
    return whom_to_call(now);
  }
  heap_.push(timer);
  Calls calls;
  if (timer.deadline_ < sleeps_until_) {
    sleeps_until_ = timer.deadline_;
    calls.server = this;
  }
  return calls;
}

// What the line needs after it has changed.
TimerService::Calls TimerService::whom_to_call(TimePoint now) noexcept {
  Calls calls;
  if (line_.empty() || arriving_ != 0) return calls;
  if (!idle_.empty()) {
    calls.helper = &static_cast<ThreadNode&>(idle_.pop_front());
    ++arriving_;
    last_progress_ = now;
    return calls;
  }
  const TimePoint look_at = helpers_ == 0 ? now : std::max(last_progress_ + patience, now);
  if (look_at < sleeps_until_) {
    sleeps_until_ = look_at;
    calls.server = this;
  }
  return calls;
}

// ---- The end of a timer

WakeChain TimerService::one_less_pending() noexcept {
  --pending_;
  // One may be the call from which the process exits.
  return pending_ <= 1 ? exiters_.take_all() : WakeChain();
}

void TimerService::end(TimerState& timer, Lock& lock) noexcept {
  --started_;
  WakeChain exiters;
  if (!timer.daemon_ && !timer.periodic_) exiters = one_less_pending();
  WakeChain joiners = timer.joiners_.take_all();
  const bool orphan = timer.orphan_;
  timer.phase_.store(Phase::ended, std::memory_order_release);  // the last touch, but for an orphan
  lock.unlock();
  joiners.wake_all();
  exiters.wake_all();
  if (orphan) delete &timer;
}

void TimerService::drop_and_end(TimerState& timer, Lock& lock) noexcept {
  timer.phase_.store(Phase::ending, std::memory_order_relaxed);
  if (!timer.trivial_) {
    lock.unlock();
    {
      const Within within(timer);
      timer.drop();
    }
    lock.lock();
  }
  end(timer, lock);
}

// ---- The server

void TimerService::serve() noexcept {
  try {
    begin_this_thread("Timers", true);
  } catch (...) {
    // No memory for the record; it can do without.
  }
  Lock lock(mutex);
  for (;;) {
    const TimePoint now = SteadyClock::now();
    for (std::size_t n = 0; n < most_at_a_time && heap_.earliest() <= now; ++n) {
      line_.push_back(heap_.pop(), now);
    }
    const Calls calls = whom_to_call(now);
    const std::size_t more = how_many_to_start(now);
    TimePoint next = heap_.earliest();
    if (!line_.empty()) {
      next = std::min(next, (arriving_ != 0 ? now : last_progress_) + patience);
    }
    sleeps_until_ = next;
    lock.unlock();
    calls.make();
    start_helpers(more);
    sleep_until(next);
    lock.lock();
    sleeps_until_ = TimePoint::min();
  }
}

// Counts them as helpers, too.
std::size_t TimerService::how_many_to_start(TimePoint now) noexcept {
  if (line_.empty() || arriving_ != 0) return 0;
  std::size_t n = 0;
  if (helpers_ == 0) {
    n = 1;
  } else if (now >= last_progress_ + patience) {
    n = std::min(helpers_, line_.size());
  } else if (now >= line_.front_since() + patience) {
    n = 1;
  }
  if (n != 0) last_progress_ = now;
  helpers_ += n;
  arriving_ += n;
  return n;
}

// When the operating system refuses, the server looks again after `patience`, since the line is not
// empty.
void TimerService::start_helpers(std::size_t n) noexcept {
  for (; n != 0; --n) {
    try {
      NativeThread([this] { help(); }).detach();
    } catch (...) {
      const std::lock_guard lock(mutex);
      helpers_ -= n;
      arriving_ -= n;
      return;
    }
  }
}

void TimerService::ring() noexcept {
  {
    const std::lock_guard lock(bed_mutex_);
    rung_ = true;
  }
  bed_.notify_one();
}

void TimerService::sleep_until(TimePoint time) noexcept {
  std::unique_lock lock(bed_mutex_);
  while (!rung_) {
    if (time == TimePoint::max()) {
      bed_.wait(lock);
    } else if (SteadyClock::now() < time) {
      bed_.wait_until(lock, time);
    } else {
      break;
    }
  }
  rung_ = false;
}

// ---- Helpers

void TimerService::help() noexcept {
  bool known = true;
  try {
    begin_this_thread(
        "TimerHelper-" + std::to_string(next_number_.fetch_add(1, std::memory_order_relaxed)),
        false);
  } catch (...) {
    known = false;  // no memory for the record, without which it cannot lie down
  }
  TimePoint now = SteadyClock::now();
  Lock lock(mutex);
  --arriving_;
  if (!known) {
    --helpers_;
    return;
  }
  for (;;) {
    if (line_.empty()) {
      if (!lie_down(lock, now)) return;
      continue;
    }
    last_progress_ = now;
    TimerState& timer = line_.pop_front();
    if (!run(timer, lock, now)) return;
    now = SteadyClock::now();
    lock.lock();
  }
}

// Returns with the lock held, at the time `now`; or false when nobody has called it for so long that
// it left.
bool TimerService::lie_down(Lock& lock, TimePoint& now) noexcept {
  ThreadNode node({WaitKind::queue_get, this, "timers"});
  idle_.push_front(node);
  lock.unlock();
  Patience until_it_leaves(idle_time);
  const bool woken = node.sleep(until_it_leaves) == Outcome::woken;
  now = SteadyClock::now();
  lock.lock();
  if (!woken) {
    if (node.linked()) {
      idle_.remove(node);
      --helpers_;
      return false;
    }
    lock.unlock();
    node.sleep_until_woken();
    lock.lock();
  }
  --arriving_;
  return true;
}

// Gives the lock back. False when the helper is to go: the function has called fork(), and this is
// the child, where nothing of the service may be touched.
bool TimerService::run(TimerState& timer, Lock& lock, TimePoint now) noexcept {
  const Calls calls = whom_to_call(now);
  const bool counts = timer.periodic_ && !timer.daemon_;
  if (counts && exiting_) {
    drop_and_end(timer, lock);
    calls.make();
    return true;
  }
  if (counts) ++pending_;
  timer.phase_.store(Phase::running, std::memory_order_relaxed);
  lock.unlock();
  calls.make();
  {
    const Within within(timer);
    call(timer);
    if (is_from_parent(timer)) return false;
    if (!timer.periodic_) timer.drop();
  }
  now = SteadyClock::now();
  lock.lock();
  if (!timer.periodic_) {
    end(timer, lock);
    return true;
  }
  WakeChain exiters;
  if (counts) exiters = one_less_pending();
  if (timer.stopped_ || (counts && exiting_)) {
    drop_and_end(timer, lock);
  } else {
    schedule_next(timer, lock, now);
  }
  exiters.wake_all();
  return true;
}

void TimerService::call(TimerState& timer) noexcept {
  std::string own_name;
  try {
    if (!timer.name_.empty()) {
      own_name = this_thread_name();
      set_this_thread_name(timer.name_);
    }
  } catch (...) {
    // No memory for the names; the work is more important.
  }
  try {
    timer.call();
  } catch (...) {
    std::string text;
    try {
      text = timer.said("has called a function that threw");
    } catch (...) {
      // The exception is what matters.
    }
    report({"conc.thread", Severity::error,
            text.empty() ? "a timer has called a function that threw" : text,
            std::current_exception()});
  }
  if (!own_name.empty()) {
    try {
      set_this_thread_name(std::move(own_name));
    } catch (...) {
      // It keeps the timer's.
    }
  }
}

// Gives the lock back.
void TimerService::schedule_next(TimerState& timer, Lock& lock, TimePoint now) noexcept {
  const std::chrono::nanoseconds period = timer.interval_;
  if (timer.overrun_ == Overrun::skip && timer.deadline_ <= now) {
    timer.deadline_ += (now - timer.deadline_) / period * period;
  }
  timer.deadline_ =
      period < TimePoint::max() - timer.deadline_ ? timer.deadline_ + period : TimePoint::max();
  timer.phase_.store(Phase::pending, std::memory_order_relaxed);
  const Calls calls = schedule(timer, now);
  lock.unlock();
  calls.make();
}

// ---- The end of the process

bool TimerService::wait_for_all() noexcept {
  TimerService* const self = current.load(std::memory_order_acquire);
  if (self == nullptr) return false;
  // The call from which the process exits cannot be waited for.
  const bool inside =
      running_timer != nullptr && !running_timer->daemon_ && !is_from_parent(*running_timer);
  const std::size_t own = inside ? 1 : 0;
  bool any = false;
  for (;;) {
    ThreadNode node({WaitKind::thread, self, "timers"});
    {
      const std::lock_guard lock(mutex);
      self->exiting_ = true;
      if (self->pending_ <= own) return any;
      self->exiters_.push_back(node);
    }
    any = true;
    node.sleep_until_woken();
  }
}

}  // namespace conc::detail
