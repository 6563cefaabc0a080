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
  QueueCore* const self = this;
  Watcher watcher;
  std::size_t index = 0;
  return select({&self, 1}, {&watcher, 1}, until, index);
}

// ---- Watching several

// One thread, and how many of its watchers were fired.
//
// The first to fire wakes the thread. That one must then wait for the others that were taken off
// their lists, since a waker that is on its way still touches its watcher: so it subtracts how many
// they are in all, and when that leaves the count below zero, sleeps until the last of them, who
// brings it to zero, wakes it again.
struct QueueCore::Watcher::Watch final : ThreadNode {
  Watch(std::span<QueueCore* const> some, std::span<Watcher> their_watchers)
      : ThreadNode({WaitKind::queue_select, some.front(), some.front()->name_}),
        cores(some),
        watchers(their_watchers) {}

  // The thread was woken by the first.
  void wait_for_wakers(std::ptrdiff_t taken) noexcept {
    reuse();
    if (fired.fetch_sub(taken, std::memory_order_acq_rel) != taken) {
      sleep_until_woken();
      reuse();
    }
  }

  const std::span<QueueCore* const> cores;
  const std::span<Watcher> watchers;
  Atomic<std::ptrdiff_t> fired{0};
};

void QueueCore::Watcher::fire(WaitNode& node) noexcept {
  Watch& watch = *static_cast<Watcher&>(node).watch_;
  const std::ptrdiff_t before = watch.fired.fetch_add(1, std::memory_order_acq_rel);
  if (before == 0 || before == -1) watch.wake();
}

// See forget_sleeper().
void QueueCore::Watcher::forget(ThreadNode& node) noexcept {
  const auto& watch = static_cast<const Watch&>(node);
  for (std::size_t i = 0; i < watch.cores.size(); ++i) {
    QueueCore& core = *watch.cores[i];
    if (!watch.watchers[i].watching_ || !core.lock_.try_lock()) continue;
    static_cast<void>(core.withdraw(core.watchers_, watch.watchers[i]));
    core.lock_.unlock();
  }
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

  Watcher::Watch watch(cores, watchers);
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

    const Outcome outcome = empty && open ? watch.spin_then_sleep(patience) : Outcome::timed_out;

    std::ptrdiff_t taken = 0;
    for (std::size_t i = 0; i < cores.size(); ++i) {
      if (!std::exchange(watchers[i].watching_, false)) continue;
      QueueCore& core = *cores[i];
      const Hold hold(core);
      if (!core.withdraw(core.watchers_, watchers[i])) ++taken;
    }
    if (taken != 0) {
      if (outcome != Outcome::woken) watch.sleep_until_woken();
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
