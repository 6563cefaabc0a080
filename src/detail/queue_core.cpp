#include <conc/detail/queue_core.hpp>
#include <conc/errors.hpp>

#include <cstddef>
#include <string>
#include <utility>

#include "message.hpp"
#include "spin.hpp"

namespace conc::detail {
namespace {

// How often to look for an item or for room before sleeping. The pauses take 1 to 3 us, about the
// cost of falling asleep and being woken; chosen with BM_Queue_Int_HandOffTwoCpus: a partner who is
// awake answers in that time. The yields are for a partner on the same processor
// (BM_Queue_Int_HandOffOneCpu); more of them would cost time slices where other programs compete
// for the processor.
constexpr int pauses = 160;
constexpr int yields = 4;

// Why a call that has no patience left gives up.
QueueVerdict exhausted(const Patience& patience) noexcept {
  const std::stop_token* const token = patience.token();
  return token != nullptr && token->stop_requested() ? QueueVerdict::stopped
                                                     : QueueVerdict::timed_out;
}

QueueVerdict verdict(Outcome outcome) noexcept {
  return outcome == Outcome::stopped ? QueueVerdict::stopped : QueueVerdict::timed_out;
}

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
    unfinished_ -= count();
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

// Whether it looks, without the lock, as if a call on this side might go on.
bool QueueCore::worth_a_look(const Side& side) const noexcept {
  const std::size_t items = size_.load(std::memory_order_relaxed);
  return (&side == &getters_ ? items != 0 : items < maxsize_) ||
         closed_.load(std::memory_order_relaxed);
}

QueueVerdict QueueCore::wait(Side& side, WaitKind kind, Patience& patience) noexcept {
  const auto last_look = [this, &side](QueueVerdict otherwise) {
    return available(side) != 0 ? QueueVerdict::ready : otherwise;
  };
  if (closed()) return last_look(QueueVerdict::shut_down);
  if (patience.none()) return last_look(exhausted(patience));
  leave();
  if (!single_cpu()) {
    for (int i = 0; i < pauses && !worth_a_look(side); ++i) cpu_pause();
  }
  for (int i = 0; i < yields && !worth_a_look(side); ++i) cpu_yield();
  lock_.lock();
  if (ready(side)) return QueueVerdict::ready;
  if (closed()) return last_look(QueueVerdict::shut_down);

  ThreadNode node({kind, this, name_});
  for (;;) {
    node.wants_handoff ? side.waiting.push_front(node) : side.waiting.push_back(node);
    ++sleepers_;
    leave();
    const Outcome outcome = node.sleep(patience);
    lock_.lock();
    if (node.linked()) {
      side.waiting.remove(node);
      --sleepers_;
    } else {
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

QueueVerdict QueueCore::wait_to_put(Patience& patience) noexcept {
  return wait(putters_, WaitKind::queue_put, patience);
}

QueueVerdict QueueCore::wait_to_get(Until until) noexcept {
  Patience patience(until);
  return wait(getters_, WaitKind::queue_get, patience);
}

QueueVerdict QueueCore::wait_not_empty(Until until) {
  Patience patience(until);
  Hold hold(*this);
  if (count() != 0) return QueueVerdict::ready;
  if (closed()) return QueueVerdict::shut_down;
  if (patience.none()) return exhausted(patience);
  ThreadNode node({WaitKind::queue_get, this, name_});
  watchers_.push_back(node);
  ++sleepers_;
  hold.leave();
  const Outcome outcome = node.spin_then_sleep(patience);
  hold.enter_again();
  if (node.linked()) {
    watchers_.remove(node);
    --sleepers_;
    return verdict(outcome);
  }
  const bool let_go = closed() && count() == 0;
  hold.leave();
  if (outcome != Outcome::woken) node.sleep_until_woken();
  return let_go ? QueueVerdict::shut_down : QueueVerdict::ready;
}

// ---- Watching several

// One thread, and how many of its watchers were fired.
//
// The first to fire wakes the thread. That one must then wait for the others that were taken off
// their lists, since a waker that is on its way still touches its watcher: so it subtracts how many
// they are in all, and when that leaves the count below zero, sleeps until the last of them, who
// brings it to zero, wakes it again.
struct QueueCore::Watcher::Watch {
  explicit Watch(const WaitReason& reason) : sleeper(reason) {}

  ThreadNode sleeper;
  Atomic<std::ptrdiff_t> fired{0};

  // The sleeper was woken by the first.
  void wait_for_wakers(std::ptrdiff_t taken) noexcept {
    sleeper.reuse();
    if (fired.fetch_sub(taken, std::memory_order_acq_rel) != taken) {
      sleeper.sleep_until_woken();
      sleeper.reuse();
    }
  }
};

void QueueCore::Watcher::fire(WaitNode& node) noexcept {
  Watch& watch = *static_cast<Watcher&>(node).watch_;
  const std::ptrdiff_t before = watch.fired.fetch_add(1, std::memory_order_acq_rel);
  if (before == 0 || before == -1) watch.sleeper.wake();
}

// The first queue that has an item. `timed_out` means: none, but there may come one.
QueueVerdict QueueCore::look(std::span<QueueCore* const> cores, std::size_t& index) noexcept {
  bool open = false;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    const Hold hold(*cores[i]);
    if (cores[i]->count() != 0) {
      index = i;
      return QueueVerdict::ready;
    }
    open = open || !cores[i]->closed();
  }
  return open ? QueueVerdict::timed_out : QueueVerdict::shut_down;
}

QueueVerdict QueueCore::select(std::span<QueueCore* const> cores, std::span<Watcher> watchers,
                               Until until, std::size_t& index) {
  Patience patience(until);
  QueueVerdict seen = look(cores, index);
  if (seen != QueueVerdict::timed_out) return seen;
  if (patience.none()) return exhausted(patience);

  Watcher::Watch watch({WaitKind::queue_get, cores.front(), cores.front()->name_});
  for (;;) {
    // A watcher for every queue that may get an item, unless one has got it meanwhile.
    bool empty = true;
    bool open = false;
    for (std::size_t i = 0; i < cores.size() && empty; ++i) {
      QueueCore& core = *cores[i];
      const Hold hold(core);
      empty = core.count() == 0;
      if (!empty || core.closed()) continue;
      open = true;
      watchers[i].watch_ = &watch;
      watchers[i].watching_ = true;
      core.watchers_.push_back(watchers[i]);
      ++core.sleepers_;
    }

    const Outcome outcome =
        empty && open ? watch.sleeper.spin_then_sleep(patience) : Outcome::timed_out;

    std::ptrdiff_t taken = 0;
    for (std::size_t i = 0; i < cores.size(); ++i) {
      if (!std::exchange(watchers[i].watching_, false)) continue;
      QueueCore& core = *cores[i];
      const Hold hold(core);
      if (watchers[i].linked()) {
        core.watchers_.remove(watchers[i]);
        --core.sleepers_;
      } else {
        ++taken;
      }
    }
    if (taken != 0) {
      if (outcome != Outcome::woken) watch.sleeper.sleep_until_woken();
      watch.wait_for_wakers(taken);
    }

    seen = look(cores, index);
    if (seen != QueueVerdict::timed_out) return seen;
    if (empty && outcome != Outcome::woken) return verdict(outcome);
  }
}

// ---- Unfinished work

void QueueCore::task_done() {
  Hold hold(*this);
  if (unfinished_ == 0) {
    hold.leave();
    throw UsageError(
        message(type_, name_,
                "got task_done() more often than items were put; call it once for each "
                "item that was got"));
  }
  if (--unfinished_ != 0) return;
  WakeChain chain = joiners_.take_all();
  hold.leave();
  chain.wake_all();
}

bool QueueCore::join(Until until) {
  Patience patience(until);
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

void throw_from_select(QueueVerdict verdict) {
  switch (verdict) {
    case QueueVerdict::stopped:
      throw Stopped("conc::select found no item before the stop was requested.");
    case QueueVerdict::shut_down:
      throw ShutDown("conc::select found every queue empty and shut down.");
    case QueueVerdict::ready:
    case QueueVerdict::timed_out:
      break;
  }
  throw Empty("conc::select found every queue empty, and no item came in time.");
}

std::size_t QueueCore::waiters() const noexcept {
  lock_.lock();
  const std::size_t count = sleepers_ + joiners_.size();
  lock_.unlock();
  return count;
}

}  // namespace conc::detail
