// QueueCore: what the queues are made of, but for the items: the lock, the counts, and those who
// wait.
//
// A call on a queue takes the lock, looks whether it may go on, waits if it may not, moves its
// item, tells the core what it did, and leaves. Leaving gives the lock back and wakes whom the call
// has made room or an item for; the wake-ups are claimed under the lock and issued after it, and a
// queue where nobody sleeps looks at one count to find that out.
//
// Putters wait for room and getters for items, and both kinds by the same rules. For each side:
//
//   available   How much there is: items for getters, room for putters.
//   waiting     Those who sleep, the longest waiting first.
//   on the way  How many were taken off `waiting` for what is available and have not come for it
//               yet.
//   reserved    How much of what is available is kept for those of them who are sure to get it.
//
//   - A call goes on when available > reserved, whether it has just come or has waited: newcomers
//     may overtake a waiter that is on its way, since a queue that waited for a sleeping thread to
//     run would be as slow as that.
//   - Whoever leaves the queue with available > on the way, and `waiting` not empty, wakes the
//     first. So as many are on their way as there is something for, and no more.
//   - A waiter that was overtaken, and finds nothing, waits again at the front, and its next wake-up
//     is with a reservation. So a waiter at the front is overtaken only while on its first way, by
//     calls that may wait.
//   - A call that may not wait, or no longer, takes what is available, reserved or not: when it says
//     that the queue is empty or full, it is. So all that the queue says can be explained by an
//     order of the calls. A waiter that was robbed of its reservation so waits again at the front.
//   - reserved <= on the way.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/short_lock.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/until.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace conc::detail {

// How an attempt to put or get ended.
enum class QueueVerdict : std::uint8_t { ready, timed_out, stopped, shut_down };

class QueueCore {
 public:
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  // `type` is the queue's class, for messages.
  QueueCore(const char* type, std::size_t maxsize, const char* name) noexcept
      : limit_(maxsize != 0 ? maxsize : no_limit), maxsize_(maxsize), type_(type), name_(name) {}

  // Waits for a call that is still on its way out, nobody else.
  CONC_EXPORT ~QueueCore();

  QueueCore(const QueueCore&) = delete;
  QueueCore& operator=(const QueueCore&) = delete;

  // ---- The lock. A Hold is what every call on a queue does its work in.

  class Hold {
   public:
    CONC_ALWAYS_INLINE explicit Hold(QueueCore& core) noexcept : core_(core) { core.lock_.lock(); }
    CONC_ALWAYS_INLINE ~Hold() {
      if (held_) core_.leave();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    // Gives the lock back, and wakes whom that concerns.
    CONC_ALWAYS_INLINE void leave() noexcept {
      held_ = false;
      core_.leave();
    }
    void enter_again() noexcept {
      core_.lock_.lock();
      held_ = true;
    }

   private:
    QueueCore& core_;
    bool held_ = true;
  };

  // ---- What a Hold asks for and reports.

  [[nodiscard]] CONC_ALWAYS_INLINE bool may_put() const noexcept {
    const std::size_t taken = count() + putters_.reserved;
    return taken < limit_;
  }
  [[nodiscard]] CONC_ALWAYS_INLINE bool may_get() const noexcept {
    return count() > getters_.reserved;
  }

  // Waits until the call may go on. The lock is given up meanwhile, and held again on return,
  // whatever the verdict. To be called when may_put() or may_get() says no, which is not the last
  // word for a call that may not wait.
  // Throws std::bad_alloc at the thread's first contact with the library; the lock is held then
  // too.
  CONC_COLD CONC_EXPORT QueueVerdict wait_to_put(Patience& patience);
  CONC_COLD CONC_EXPORT QueueVerdict wait_to_get(Patience& patience);
  CONC_COLD CONC_EXPORT QueueVerdict wait_to_get(Until until);

  // Gives up the lock for its lifetime.
  class Unlocked {
   public:
    explicit Unlocked(Hold& hold) noexcept : hold_(hold) { hold_.leave(); }
    ~Unlocked() { hold_.enter_again(); }
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;

   private:
    Hold& hold_;
  };

  // An item was put in, or taken out.
  CONC_ALWAYS_INLINE void put_done() noexcept {
    size_.store(count() + 1, std::memory_order_relaxed);
    ++unfinished_;
  }
  CONC_ALWAYS_INLINE void get_done() noexcept {
    size_.store(count() - 1, std::memory_order_relaxed);
  }

  // How many items there are, under the lock.
  [[nodiscard]] CONC_ALWAYS_INLINE std::size_t count() const noexcept {
    return size_.load(std::memory_order_relaxed);
  }
  // How many a call that may go on can get at once, under the lock: what is not reserved, but one
  // at least.
  [[nodiscard]] std::size_t stock() const noexcept {
    return count() > getters_.reserved ? count() - getters_.reserved : 1;
  }

  // Lets nobody put any more, lets everyone go who waits, and gives the lock back. With `dropped`,
  // the items were taken out and count as got and done.
  CONC_EXPORT void shut_down(bool dropped, Hold& hold) noexcept;

  // ---- Calls of their own, without a Hold.

  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t maxsize() const noexcept { return maxsize_; }
  [[nodiscard]] const char* type() const noexcept { return type_; }
  [[nodiscard]] const char* name() const noexcept { return name_; }

  CONC_EXPORT void task_done(std::size_t n);
  CONC_EXPORT bool join(Until until);
  CONC_EXPORT QueueVerdict wait_not_empty(Until until);

  // Waits until one of the queues has an item, and puts its index into `index`; `shut_down` when
  // all are shut down and empty. There are as many watchers as queues.
  class Watcher;
  CONC_EXPORT static QueueVerdict select(std::span<QueueCore* const> cores,
                                         std::span<Watcher> watchers, Until until,
                                         std::size_t& index);

  // ---- Over a fork

  // See forget_sleeper().
  CONC_EXPORT void forget(ThreadNode& node) noexcept;

  // What the queue holds is whole while the lock is held.
  void lock_for_fork() noexcept { lock_.lock(); }
  void unlock_after_fork() noexcept { lock_.unlock(); }
  // In the child, where nobody waits and nobody works on an item: then gives the lock back.
  CONC_EXPORT void renew_after_fork() noexcept;

  // Throws what `verdict`, which is not `ready`, means for a put or get.
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_from_put(QueueVerdict verdict) const;
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_from_get(QueueVerdict verdict) const;

  // How many threads are in the wait lists.
  [[nodiscard]] CONC_EXPORT std::size_t waiters() const noexcept;

 private:
  struct Side {
    std::size_t reserved = 0;
    std::size_t on_the_way = 0;
    WaitList waiting;
  };

  CONC_ALWAYS_INLINE void leave() noexcept {
    if (sleepers_ == 0) [[likely]] {
      lock_.unlock();
    } else {
      leave_and_wake();
    }
  }
  CONC_COLD CONC_EXPORT void leave_and_wake() noexcept;

  [[nodiscard]] std::size_t available(const Side& side) const noexcept;
  [[nodiscard]] bool ready(const Side& side) const noexcept {
    return available(side) > side.reserved;
  }
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
  QueueVerdict wait(Side& side, WaitKind kind, Patience& patience);
  void let_others_act(const Side& side);
  [[nodiscard]] bool worth_a_look(const Side& side) const noexcept;
  [[nodiscard]] bool withdraw(WaitList& list, WaitNode& node) noexcept;
  static QueueVerdict look(std::span<QueueCore* const> cores, std::size_t& index) noexcept;
  void claim(Side& side, WakeChain& chain) noexcept;

  // What every put and get writes stands together, and behind it what they only read while nobody
  // waits: see QueueEngine.
  mutable ShortLock lock_;

  // Guarded by lock_. The first two are also read without it, as a snapshot.
  Atomic<bool> closed_{false};
  Atomic<std::size_t> size_{0};
  std::size_t unfinished_ = 0;  // items that were put and not reported by task_done()

  std::size_t limit_;         // how many items there may be: maxsize, or no_limit; 0 once shut down
  std::size_t sleepers_ = 0;  // how many nodes are in getters_, putters_ and watchers_
  Side getters_;
  Side putters_;
  WaitList watchers_;  // wait_not_empty and select: all are woken when there is an item
  WaitList joiners_;   // join: all are woken when unfinished_ gets 0

  const std::size_t maxsize_;
  const char* const type_;
  const char* const name_;
};

// A place in the watchers_ of one queue, for a thread that watches several.
class QueueCore::Watcher final : public WaitNode {
 public:
  Watcher() noexcept : WaitNode(&Watcher::fire) {}

 private:
  friend class QueueCore;
  struct Watch;

  static void fire(WaitNode& node) noexcept;
  static void forget(ThreadNode& node) noexcept;

  Watch* watch_ = nullptr;
  bool watching_ = false;  // it was put into a list; only its own thread looks
};

// Throws what `verdict`, which is not `ready`, means for a select.
[[noreturn]] CONC_COLD CONC_EXPORT void throw_from_select(QueueVerdict verdict);

}  // namespace conc::detail
