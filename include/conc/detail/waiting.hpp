// The waiting layer: the one place where threads sleep.
//
// An object that threads wait for owns a WaitList, guarded by the object's own mutex. A thread that
// has to wait puts a WaitNode into the list, gives the mutex back and calls sleep(). Whoever has
// something for it takes the node off the list under the mutex, and then wakes it. Each thread
// sleeps on a condition variable of its own, so a wake-up goes to the thread that it is for, and a
// timeout or stop disturbs nobody else.
//
// The rules that make this sound, each with a test of that name:
//   1. A waker's last touch of a node is the exchange in wake(); what it notifies after that, the
//      thread's record, is never freed.
//   2. Off the list means woken: a waiter whose time ran out looks, under the object's mutex,
//      whether it is still on the list. If it is not, a wake-up is on its way, and it waits for
//      that and keeps what it brings.
//   3. Last touch: the store that lets a waiter go on is the last that the waker does to the
//      object, unless it holds the object's mutex, which the object's destructor takes.
//   4. Lock order: object's mutex, then record's mutex. A stop callback takes the record's only,
//      and is made and unmade while its thread holds neither.
//   5. No code of the user runs under either mutex.
//   6. Deadlines are on the steady clock and saturate; one that is past is not handed to the
//      operating system.
//   7. Nothing here allocates, but for the record of a thread at its first contact with the
//      library.
//   8. No fences, no timed mutexes, no std::condition_variable_any.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/wait_list.hpp>
#include <conc/until.hpp>

#include <cstdint>
#include <exception>
#include <mutex>

namespace conc::detail {

struct Inspect;  // lets diagnostics and tests see an object's wait list; see inspect.hpp

// What a thread waits for, for those who ask what everybody waits for.
enum class WaitKind : std::uint8_t {
  lock,
  rlock,
  condition,
  event,
  semaphore,
  barrier,
  queue_put,
  queue_get,
  queue_select,  // an item in any of several; the object is the first of them
  queue_join,
  thread,  // the end of a thread
  future,
  futures,     // any of several
  pool_room,   // room in the queue of a pool
  pool_work,   // something to do for a worker
  pool_end,    // the end of a pool's workers
  timer,       // the end of a timer
  timer_work,  // a timer's function to call
  short_lock,  // an internal lock
};

struct WaitReason {
  WaitKind kind;
  const void* object;
  const char* name;     // of the object, or nullptr
  ThreadId holder = 0;  // the thread that is waited for, where that never changes
};

// How a sleep ended. `deadlocked`: it did not begin, since it would have had no end.
enum class Outcome : std::uint8_t { woken, stopped, timed_out, deadlocked };

// An Until for the length of one blocking call, which may sleep several times: the deadline is
// worked out at the first sleep and kept.
class Patience {
 public:
  explicit Patience(Until until) noexcept : until_(until) {}

  [[nodiscard]] Until::Clock::time_point deadline() noexcept {
    if (!known_) {
      deadline_ = until_.deadline();
      known_ = true;
    }
    return deadline_;
  }
  [[nodiscard]] const std::stop_token* token() const noexcept { return until_.token(); }

  // Whether the time is up or a stop was requested. Reads the clock when a time is set.
  [[nodiscard]] bool over() noexcept {
    return until_.stop_requested() ||
           (deadline() != Until::Clock::time_point::max() && SteadyClock::now() >= deadline());
  }

  // Whether the call may not wait at all. Reads no clock.
  [[nodiscard]] bool none() const noexcept {
    return until_.is_at_once() || until_.stop_requested();
  }

 private:
  Until until_;
  Until::Clock::time_point deadline_{};
  bool known_ = false;
};

// A thread's place in a wait list.
//
// state     meaning                                      entered by
// awake     the thread runs: before sleep(), or it       constructor; sleep() at a timeout
//           spins, or the time is up
// asleep    the thread is in the condition variable,     sleep(), under the record's mutex
//           or about to be
// stopped   the stop token was triggered                 the stop callback, from awake or asleep
// woken     it was taken off a list; nobody but its      wake(), from any
//           thread touches the node again
class ThreadNode : public WaitNode {
 public:
  // Throws std::bad_alloc at the thread's first contact with the library.
  CONC_EXPORT explicit ThreadNode(const WaitReason& reason);

  // Waits to be woken, for as long as `patience` allows. With no lock held, after the node was put
  // into a list. Looks first, if it may wait for ever, whether threads wait for each other in a
  // cycle now. When the outcome is not `woken`, the caller looks under the object's mutex whether
  // the node is still linked: if so, it takes the node off the list and gives up; if not, it calls
  // sleep_until_woken(). *Blocks*. *Synchronizes* with the wake().
  CONC_EXPORT Outcome sleep(Patience& patience) noexcept;

  // The same, spinning for a moment before it sleeps.
  CONC_EXPORT Outcome spin_then_sleep(Patience& patience) noexcept;

  CONC_EXPORT void sleep_until_woken() noexcept;

  // For calls that may throw DeadlockError: has sleep() return Outcome::deadlocked if on_deadlock()
  // says so. Once the node is off the list, the call ends with throw_if_deadlocked().
  void may_throw() noexcept { may_throw_ = true; }
  void throw_if_deadlocked() const {
    if (deadlock_ != nullptr) [[unlikely]]
      throw_deadlock();
  }

  // Whether the calling thread's last wait ended in such a throw. Then it hands its locks over to
  // those who wait for them: it could take them again before these are awake, and the same cycle
  // would close anew, time and again.
  [[nodiscard]] static bool gives_way() noexcept;

  // Makes a woken node ready to be put into a list again.
  void reuse() noexcept {
    deadlock_known_ = false;
    state_.store(State::awake, std::memory_order_relaxed);
  }

  [[nodiscard]] ThreadId thread() const noexcept { return thread_; }
  [[nodiscard]] const WaitReason& reason() const noexcept { return reason_; }

  // Under the record's mutex, by others than the thread itself. Whether it sleeps and nobody has
  // woken it: the object it waits for is there then, and stays while the mutex is held, since its
  // thread cannot leave the call that waits for it.
  [[nodiscard]] bool asleep() const noexcept {
    return state_.load(std::memory_order_acquire) == State::asleep;
  }
  // When it first fell asleep, and when it will give up: time_point::max() for never.
  [[nodiscard]] SteadyClock::time_point since() const noexcept { return since_; }
  [[nodiscard]] SteadyClock::time_point deadline() const noexcept { return deadline_; }
  // Whether it can only be woken: there is no deadline, and no stop that could be requested.
  [[nodiscard]] bool endless() const noexcept { return endless_; }
  // Whether its thread has found a deadlock that it is in.
  [[nodiscard]] bool deadlock_known() const noexcept { return deadlock_known_; }

  // Under the record's mutex, by the thread itself.
  void note_deadlock() noexcept { deadlock_known_ = true; }

  // What waiter and waker tell each other, under the mutex of the object.
  bool wants_handoff = false;  // LockCore: to be given the lock, not just told that it is free
  bool granted = false;        // it got what it waits for with the wake-up
  bool notified = false;       // Condition: off the condition's list and on to the lock's

 private:
  enum class State : std::uint32_t { awake, asleep, stopped, woken };
  struct StopCallback;

  static void wake_thread(WaitNode& node) noexcept;
  void stop() noexcept;
  Outcome sleep_on_bed(Patience& patience, bool may_be_stopped) noexcept;
  void look_for_deadlock(std::unique_lock<Mutex>& lock) noexcept;
  [[noreturn]] CONC_COLD CONC_EXPORT void throw_deadlock() const;

  Atomic<State> state_{State::awake};
  ThreadRecord& record_;
  const ThreadId thread_;
  const WaitReason reason_;
  SteadyClock::time_point since_{};
  SteadyClock::time_point deadline_{};
  bool endless_ = false;
  bool deadlock_known_ = false;
  bool may_throw_ = false;
  std::exception_ptr deadlock_;  // what the call throws
};

// Makes the sleep of the calling thread, whose `node` and `record` these are, known to others, and
// tells of the cycle that it is in, if there is one of which nobody has told. With no lock held.
// Returns the error to throw if on_deadlock() asks for one and the call `may_throw`; else null.
// Defined above this floor, where the diagnostics are.
// Cost: two mutexes, when the thread that is waited for does not sleep itself.
[[nodiscard]] std::exception_ptr find_deadlock(ThreadNode& node, ThreadRecord& record,
                                               bool may_throw) noexcept;

// In the child of a fork, for a node whose thread is gone, and slept: takes it out of what it waits
// for, as if the thread had given up. An object that another thread was just at work on is left as
// it is. The node is there still, on the stack that its thread had. Defined above this floor, where
// all that threads wait for is known.
void forget_sleeper(ThreadNode& node) noexcept;

// Has it reported that the calling thread is about to sleep, if the program was started with
// CONC_TRACE=1. With no lock held but the program's own. Returns before the report is made. Defined
// where the diagnostics are, as well.
// Cost: one relaxed load when the program is not traced.
void trace(const WaitReason& reason, ThreadId sleeper) noexcept;

// Leaves out the waits of threads for which `is_left_out` is true when they are about to sleep:
// those that receive the reports, and would have more to receive the more they wait.
CONC_EXPORT void leave_out_of_trace(bool (*is_left_out)() noexcept) noexcept;

}  // namespace conc::detail
