// Waiting for an item without taking it: in one queue, and in the first of several.
#include <conc/detail/queue_core.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/errors.hpp>

#include <cstddef>
#include <span>
#include <utility>

#include "queue_verdict.hpp"

namespace conc::detail {

QueueVerdict QueueCore::wait_not_empty(Until until) {
  Patience patience(until);
  static_cast<void>(this_thread_record());  // allocates at the first contact: not under the lock
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

}  // namespace conc::detail
