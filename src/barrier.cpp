#include <conc/barrier.hpp>
#include <conc/errors.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "detail/message.hpp"
#include "detail/spin.hpp"

namespace conc {

using detail::Outcome;
using detail::Patience;
using detail::ThreadNode;
using detail::WaitKind;
using detail::WakeChain;

Barrier::Barrier(std::size_t parties, std::function<void()> action,
                 std::optional<std::chrono::nanoseconds> timeout, const char* name)
    : parties_(parties), action_(std::move(action)), timeout_(timeout), name_(name) {
  if (parties == 0 || parties > max_parties) {
    throw std::invalid_argument(detail::message("Barrier", name,
                                                "was made for " + std::to_string(parties) +
                                                    " parties; it takes 1 to " +
                                                    std::to_string(max_parties)));
  }
}

Barrier::~Barrier() { const std::lock_guard last_breaker_is_out(mutex_); }

// ---- Arriving

std::size_t Barrier::wait(Until until) {
  // Met here, so that nothing throws once the thread has arrived.
  static_cast<void>(detail::self_id());
  Word seen = word_.load(std::memory_order_relaxed);
  while ((seen & (broken_bit | acting | stragglers)) == 0) {
    const std::size_t index = arrived_in(seen);
    const bool last = index + 1 == parties_;
    if (last && (action_ || (seen & sleepers) != 0)) break;
    if (word_.compare_exchange_weak(
            seen, last ? empty_round(round_in(seen) + 1, seen) : seen + one_arrived,
            std::memory_order_acq_rel, std::memory_order_relaxed)) {
      return last ? index : watch(round_in(seen), index, until);
    }
  }
  return arrive_slow(until);
}

std::size_t Barrier::arrive_slow(Until until) {
  Patience patience(until);
  ThreadNode node(reason());
  std::unique_lock lock(mutex_);
  Word seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    if ((seen & broken_bit) != 0) {
      lock.unlock();
      throw_broken("is broken; reset() makes it whole again");
    }
    if ((seen & acting) != 0) {
      if (actor_ == node.thread()) {
        lock.unlock();
        throw UsageError(detail::message(
            "Barrier", name_, "got wait() from its own action, which would wait for itself"));
      }
      // Not of this round. Whoever ends the action, or breaks the barrier, wakes it.
      waiters_.push_back(node);
      lock.unlock();
      const bool in_time = node.sleep(patience) == Outcome::woken;
      lock.lock();
      if (!in_time) {
        if (node.linked()) give_up_next(node, lock);
        lock.unlock();
        node.sleep_until_woken();
        lock.lock();
      }
      node.reuse();
      seen = word_.load(std::memory_order_relaxed);
      continue;
    }
    const std::size_t index = arrived_in(seen);
    const bool last = index + 1 == parties_;
    const Word arrived = seen + one_arrived;
    const Word next = !last ? arrived | sleepers
                            : (action_ ? arrived | acting : empty_round(round_in(seen) + 1, seen));
    if (!word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                     std::memory_order_relaxed)) {
      continue;
    }
    if (!last) {
      waiters_.push_back(node);
      ++sleeping_;
      lock.unlock();
      return sleep(node, index, patience);
    }
    if (action_) {
      actor_ = node.thread();
      lock.unlock();
      return act(round_in(seen));
    }
    WakeChain woken = take_all(true);
    lock.unlock();
    woken.wake_all();
    return index;
  }
}

// ---- Waiting, as one who has arrived

// Looks at the word for a moment, then sleeps.
std::size_t Barrier::watch(Word round, std::size_t index, Until until) {
  Patience patience(until);
  Word seen = 0;
  const auto is_over = [&] {
    seen = word_.load(std::memory_order_acquire);
    return round_in(seen) != round || (seen & broken_bit) != 0;
  };
  if (!patience.none() && detail::spin(is_over) && round_in(seen) != round &&
      (seen & stragglers) == 0) {
    return index;
  }
  ThreadNode node(reason());
  std::unique_lock lock(mutex_);
  do {
    if (is_over()) {
      const bool complete = was_complete(round);
      lock.unlock();
      if (!complete) throw_broken("was broken while this thread waited");
      return index;
    }
  } while (!word_.compare_exchange_weak(seen, seen | sleepers, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  waiters_.push_back(node);
  ++sleeping_;
  lock.unlock();
  return sleep(node, index, patience);
}

// How a round ended that is over, for a thread of it that never was in the list. Under the mutex.
bool Barrier::was_complete(Word round) noexcept {
  if (straggling_ == 0 || straggled_round_ != round) return true;
  if (--straggling_ == 0) word_.fetch_and(~stragglers, std::memory_order_relaxed);
  return false;
}

std::size_t Barrier::sleep(ThreadNode& node, std::size_t index, Patience& patience) {
  if (node.sleep(patience) != Outcome::woken) {
    std::unique_lock lock(mutex_);
    if (node.linked()) give_up(lock);
    lock.unlock();
    node.sleep_until_woken();
  }
  if (!node.granted) throw_broken("was broken while this thread waited");
  return index;
}

// The round ends for this thread and all others.
void Barrier::give_up(std::unique_lock<detail::Mutex>& lock) {
  end_broken(false);
  WakeChain woken = take_all(false);  // the calling thread's own node among them
  lock.unlock();
  woken.wake_all();
  throw_gave_up();
}

// The same while the action runs, for a thread that has not arrived. The round before is none of
// its business: when that goes on, its own is broken in advance.
void Barrier::give_up_next(ThreadNode& node, std::unique_lock<detail::Mutex>& lock) {
  if (n_waiting() == 0) give_up(lock);
  waiters_.remove(node);
  word_.fetch_or(doomed, std::memory_order_relaxed);
  lock.unlock();
  throw_gave_up();
}

// ---- The action

std::size_t Barrier::act(Word round) {
  try {
    action_();
  } catch (...) {
    end_action(round, false);
    throw;
  }
  if (!end_action(round, true)) throw_broken("was broken while this thread ran the action");
  return parties_ - 1;
}

// Ends the round as well, if that is not over yet: as complete when the action has succeeded. False
// when the round was broken.
bool Barrier::end_action(Word round, bool succeeded) noexcept {
  WakeChain woken;
  {
    const std::lock_guard lock(mutex_);
    actor_ = 0;
    const Word seen = word_.load(std::memory_order_relaxed);
    const bool over = round_in(seen) != round || (seen & broken_bit) != 0;
    succeeded = succeeded && !over;
    if (succeeded) {
      // Nobody can arrive, and whatever else changes the word does so under the mutex.
      const Word next = empty_round(round + 1, seen) & ~acting;
      word_.store((seen & doomed) != 0 ? next | broken_bit : next, std::memory_order_release);
    } else {
      if (!over) end_broken(false);
      word_.fetch_and(~acting, std::memory_order_release);
    }
    woken = take_all(succeeded);
  }
  woken.wake_all();
  return succeeded;
}

// ---- The end of a round

void Barrier::reset() noexcept {
  WakeChain woken;
  {
    const std::lock_guard lock(mutex_);
    if (!broken() && n_waiting() == 0) return;
    end_broken(true);
    woken = take_all(false);
  }
  woken.wake_all();
}

void Barrier::abort() noexcept {
  WakeChain woken;
  {
    const std::lock_guard lock(mutex_);
    if (broken()) return;
    end_broken(false);
    woken = take_all(false);
  }
  woken.wake_all();
}

void Barrier::forget(ThreadNode& node) noexcept {
  const bool idle = mutex_.try_lock();
  if (!idle) return;
  mutex_.unlock();
  if (node.linked()) abort();
}

// Ends this round as broken: the barrier is broken then, or `whole`, that is, in the next round.
// Under the mutex. The caller takes everyone off the list and wakes them.
void Barrier::end_broken(bool whole) noexcept {
  Word seen = word_.load(std::memory_order_relaxed);
  Word next = 0;
  std::size_t untold = 0;  // have arrived, are not in the list, and do not run the action
  do {
    untold = arrived_in(seen);
    if (untold != 0) untold -= sleeping_ + ((seen & acting) != 0 ? 1U : 0U);
    next = whole ? empty_round(round_in(seen) + 1, seen)
                 : empty_round(round_in(seen), seen) | broken_bit;
    if (untold != 0) next |= stragglers;
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  if (untold != 0) {
    straggling_ = static_cast<std::uint32_t>(untold);
    straggled_round_ = round_in(seen);
  }
}

// Takes everyone off the list, and tells those of this round whether it was complete; the others
// see for themselves. Under the mutex.
WakeChain Barrier::take_all(bool complete) noexcept {
  WakeChain woken;
  while (!waiters_.empty()) {
    auto& node = static_cast<ThreadNode&>(waiters_.pop_front());
    node.granted = complete;
    woken.push_back(node);
  }
  sleeping_ = 0;
  return woken;
}

detail::WaitReason Barrier::reason() const noexcept { return {WaitKind::barrier, this, name_}; }

void Barrier::throw_gave_up() const {
  throw_broken("was broken by this thread, which gave up waiting");
}

void Barrier::throw_broken(const char* how) const {
  throw BrokenBarrier(detail::message("Barrier", name_, how));
}

}  // namespace conc
