#include "timer_service.hpp"

#include <conc/detail/thread_record.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <pthread.h>

#include "at_exit.hpp"
#include "bare_node.hpp"
#include "spin.hpp"
#include "thread_registry.hpp"

namespace conc::detail {
namespace {

constexpr std::size_t smallest_heap = 64;

// How long to look away from a lock that is held, and how often: some two microseconds each time.
constexpr int pauses = 100;
constexpr int looks = 8;

}  // namespace

constinit thread_local const TimerService::Within* TimerService::Within::innermost = nullptr;

TimerService::Within::Within(const TimerState& timer) noexcept
    : timer_(timer), outer_(std::exchange(innermost, this)) {}

TimerService::Within::~Within() { innermost = outer_; }

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

const TimerState* TimerService::running_here() noexcept {
  return Within::innermost != nullptr ? &Within::innermost->timer_ : nullptr;
}

bool TimerService::is_running_here(const TimerState& timer) noexcept {
  const Within* within = Within::innermost;
  while (within != nullptr && &within->timer_ != &timer) within = within->outer_;
  return within != nullptr;
}

// When the library is loaded. What threads register for fork() is registered first: handlers run
// the other way round, and under our lock nobody needs the lock of another.
const bool TimerService::at_load = [] {
  ThreadRegistry::instance();
  if (::pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); },
                       [] {
                         current.store(nullptr, std::memory_order_relaxed);
                         mutex.unlock();
                       }) != 0) {
    throw std::bad_alloc();
  }
  return true;
}();

TimerService& TimerService::make() {
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
      if (timer.periodic_ && !timer.daemon_) ++self.pending_;
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

// ---- The end of a timer

WakeChain TimerService::one_less_pending() noexcept {
  --pending_;
  return pending_ <= own_ ? exiters_.take_all() : WakeChain();
}

void TimerService::end(TimerState& timer, Lock& lock) noexcept {
  --started_;
  WakeChain exiters;
  if (!timer.daemon_) exiters = one_less_pending();
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

// ---- The end of the process

bool TimerService::wait_for_all() noexcept {
  TimerService* const self = current.load(std::memory_order_acquire);
  if (self == nullptr) return false;
  // The calls from which the process exits cannot be waited for.
  std::size_t own = 0;
  for (const Within* within = Within::innermost; within != nullptr; within = within->outer_) {
    if (!within->timer_.daemon_ && !is_from_parent(within->timer_)) ++own;
  }
  const auto has_waited = [self, own](auto&& node) noexcept {
    {
      const std::lock_guard lock(mutex);
      self->exiting_ = true;
      self->own_ = std::max(self->own_, own);
      if (self->pending_ <= own) return false;
      self->exiters_.push_back(node);
    }
    node.sleep_until_woken();
    return true;
  };
  for (bool any = false;; any = true) {
    try {
      if (!has_waited(ThreadNode({WaitKind::timer, self, "all of them"}))) return any;
    } catch (const std::bad_alloc&) {
      if (!has_waited(BareNode())) return any;
    }
  }
}

}  // namespace conc::detail
