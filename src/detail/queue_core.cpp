#include <conc/detail/queue_core.hpp>
#include <conc/detail/short_lock.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/errors.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

#include "message.hpp"
#include "queue_verdict.hpp"
#include "spin.hpp"

namespace conc::detail {
namespace {

// How long to look for an item or for room before sleeping: rounds of pauses and a look, twice as
// many pauses in each round as in the one before, 255 in all. That is 3 to 7 us, about the cost of
// falling asleep and being woken on another processor; chosen with the rows HandOffTwoCpus and
// Bounded1P1C of the queue benchmark. A look takes the cache line from the thread that is waited
// for, so the longer it has taken, the fewer there are.
//
// From `first_yield` on, each round ends with a yield, for a partner on the same processor, whom
// pauses only keep waiting (HandOffOneCpu); and `yields` more come last, for a process that has but
// one. More of them would cost time slices where other programs compete for the processor.
constexpr unsigned rounds = 8;
constexpr unsigned first_yield = 3;
constexpr unsigned yields = 2;

// While it has not slept, a putter looks for this part of a bounded queue to be free, rather than
// for the first free place: where the getters are the slower side, it would otherwise meet them at
// the lock for every item that they take. It costs nobody an item, since the queue is nearly full,
// and the last look, under the lock, is for any room.
constexpr std::size_t room_worth_a_look = 8;

}  // namespace

QueueCore::~QueueCore() { const Hold last_caller_is_out(*this); }

// ---- Waking

std::size_t QueueCore::available(const Side& side) const noexcept {
  if (&side == &getters_) return count();
  return count() < limit_ ? limit_ - count() : 0;
}

// Takes those off the list for whom there is something.
void QueueCore::claim(Side& side, WakeChain& chain) noexcept {
  const std::size_t there = available(side);
  while (!side.waiting.empty() && there > side.on_the_way) {
    auto& node = static_cast<ThreadNode&>(side.waiting.pop_front());
    --sleepers_;
    ++side.on_the_way;
    node.granted = node.wants_handoff;
    if (node.granted) ++side.reserved;
    chain.push_back(node);
  }
}

void QueueCore::leave_and_wake() noexcept {
  WakeChain chain;
  claim(getters_, chain);
  claim(putters_, chain);
  if (count() != 0) {
    while (!watchers_.empty()) {
      chain.push_back(watchers_.pop_front());
      --sleepers_;
    }
  }
  lock_.unlock();
  chain.wake_all();
}

void QueueCore::shut_down(bool dropped, Hold& hold) noexcept {
  WakeChain chain;
  closed_.store(true, std::memory_order_relaxed);
  limit_ = 0;
  if (dropped) {
    // Fewer than there are, if more were called done than were taken.
    unfinished_ -= std::min(unfinished_, count());
    size_.store(0, std::memory_order_relaxed);
    if (unfinished_ == 0) chain = joiners_.take_all();
  }
  for (Side* const side : {&getters_, &putters_}) {
    while (!side->waiting.empty()) {
      ++side->on_the_way;
      chain.push_back(side->waiting.pop_front());
    }
  }
  while (!watchers_.empty()) chain.push_back(watchers_.pop_front());
  sleepers_ = 0;
  hold.leave();
  chain.wake_all();
}

// ---- Waiting

// Whether it looks, without the lock, as if it were worth taking the lock for a call on this side.
bool QueueCore::worth_a_look(const Side& side) const noexcept {
  const std::size_t items = size_.load(std::memory_order_relaxed);
  return (&side == &getters_ ? items != 0 : items + maxsize_ / room_worth_a_look < maxsize_) ||
         closed_.load(std::memory_order_relaxed);
}

// Gives the lock up for a moment, in case that is all it takes.
void QueueCore::let_others_act(const Side& side) {
  struct Again {
    ShortLock& lock;
    ~Again() { lock.lock(); }
  };
  leave();
  const Again again{lock_};
  for (unsigned round = single_cpu() ? rounds : 0; round < rounds && !worth_a_look(side); ++round) {
    for (unsigned pauses = 1U << round; pauses != 0; --pauses) cpu_pause();
    if (round >= first_yield && !worth_a_look(side)) cpu_yield();
  }
  for (unsigned i = 0; i < yields && !worth_a_look(side); ++i) cpu_yield();
  static_cast<void>(this_thread_record());  // where memory may be allocated, not under the lock
}

QueueVerdict QueueCore::wait(Side& side, WaitKind kind, Patience& patience) {
  const auto last_look = [this, &side](QueueVerdict otherwise) {
    return available(side) != 0 ? QueueVerdict::ready : otherwise;
  };
  if (closed()) return last_look(QueueVerdict::shut_down);
  if (patience.none()) return last_look(exhausted(patience));
  let_others_act(side);
  if (ready(side)) return QueueVerdict::ready;
  if (closed()) return last_look(QueueVerdict::shut_down);

  ThreadNode node({kind, this, name_});
  for (;;) {
    node.wants_handoff ? side.waiting.push_front(node) : side.waiting.push_back(node);
    ++sleepers_;
    leave();
    const Outcome outcome = node.sleep(patience);
    lock_.lock();
    if (!withdraw(side.waiting, node)) {
      if (outcome != Outcome::woken) {
        // The wake-up is on its way, and what it was sent for is ours to take or to leave to the
        // next.
        leave();
        node.sleep_until_woken();
        lock_.lock();
      }
      --side.on_the_way;
      if (node.granted) --side.reserved;
    }
    if (ready(side) || (node.granted && available(side) != 0)) return QueueVerdict::ready;
    if (closed()) return last_look(QueueVerdict::shut_down);
    if (outcome != Outcome::woken) return last_look(verdict(outcome));
    node.reuse();
    node.granted = false;
    node.wants_handoff = true;
  }
}

// Takes the node of one who gives up out of the list, if it is there. Under the lock.
bool QueueCore::withdraw(WaitList& list, WaitNode& node) noexcept {
  if (!node.linked()) return false;
  list.remove(node);
  --sleepers_;
  return true;
}

QueueVerdict QueueCore::wait_to_put(Patience& patience) {
  return wait(putters_, WaitKind::queue_put, patience);
}

QueueVerdict QueueCore::wait_to_get(Patience& patience) {
  return wait(getters_, WaitKind::queue_get, patience);
}

QueueVerdict QueueCore::wait_to_get(Until until) {
  Patience patience(until);
  return wait_to_get(patience);
}

// ---- Unfinished work

void QueueCore::task_done(std::size_t n) {
  Hold hold(*this);
  if (unfinished_ < n) {
    hold.leave();
    throw UsageError(
        message(type_, name_,
                "got task_done() more often than items were put; call it once for each "
                "item that was got"));
  }
  unfinished_ -= n;
  if (unfinished_ != 0) return;
  WakeChain chain = joiners_.take_all();
  hold.leave();
  chain.wake_all();
}

bool QueueCore::join(Until until) {
  Patience patience(until);
  static_cast<void>(this_thread_record());  // allocates at the first contact: not under the lock
  Hold hold(*this);
  if (unfinished_ == 0) return true;
  if (patience.none()) return false;
  ThreadNode node({WaitKind::queue_join, this, name_});
  joiners_.push_back(node);
  hold.leave();
  const Outcome outcome = node.spin_then_sleep(patience);
  if (outcome == Outcome::woken) return true;
  hold.enter_again();
  if (node.linked()) {
    joiners_.remove(node);
    return false;
  }
  hold.leave();
  node.sleep_until_woken();
  return true;
}

// ---- Over a fork

void QueueCore::forget(ThreadNode& node) noexcept {
  if (node.reason().kind == WaitKind::queue_select) return Watcher::forget(node);
  if (!lock_.try_lock()) return;
  switch (node.reason().kind) {
    case WaitKind::queue_put:
      static_cast<void>(withdraw(putters_.waiting, node));
      break;
    case WaitKind::queue_get:
      static_cast<void>(withdraw(getters_.waiting, node));
      break;
    default:
      if (node.linked()) joiners_.remove(node);
  }
  lock_.unlock();
}

void QueueCore::renew_after_fork() noexcept {
  for (Side* const side : {&getters_, &putters_}) {
    side->reserved = side->on_the_way = 0;
    side->waiting.forget_all();
  }
  watchers_.forget_all();
  joiners_.forget_all();
  sleepers_ = 0;
  unfinished_ = count();
  lock_.unlock();
}

// ---- Saying so

void QueueCore::throw_from_put(QueueVerdict verdict) const {
  switch (verdict) {
    case QueueVerdict::stopped:
      throw Stopped(message(type_, name_, "had no room for an item before the stop was requested"));
    case QueueVerdict::shut_down:
      throw ShutDown(message(type_, name_, "takes no more items, because it was shut down"));
    case QueueVerdict::ready:
    case QueueVerdict::timed_out:
      break;
  }
  throw Full(
      message(type_, name_,
              "is full (maxsize " + std::to_string(maxsize_) + "), and no item was taken in time"));
}

void QueueCore::throw_from_get(QueueVerdict verdict) const {
  switch (verdict) {
    case QueueVerdict::stopped:
      throw Stopped(message(type_, name_, "had no item before the stop was requested"));
    case QueueVerdict::shut_down:
      throw ShutDown(message(type_, name_, "has no more items to give, because it was shut down"));
    case QueueVerdict::ready:
    case QueueVerdict::timed_out:
      break;
  }
  throw Empty(message(type_, name_, "is empty, and no item came in time"));
}

std::size_t QueueCore::waiters() const noexcept {
  lock_.lock();
  const std::size_t count = sleepers_ + joiners_.size();
  lock_.unlock();
  return count;
}

}  // namespace conc::detail
