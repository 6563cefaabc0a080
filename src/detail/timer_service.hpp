// TimerService: the threads behind all timers of the process.
//
// One thread, the server, sleeps until the earliest timer is due and moves what is due from the
// heap to the line. Helpers take timers from the line and call their functions. Idle helpers sleep
// in a wait list, the last to lie down first, and end after a while.
//
// A helper is *arriving* from the moment that it is woken or started until it has looked at the
// line. While one is, nobody wakes another; one that takes a timer and leaves others behind wakes
// the next. When none is idle and the line is not empty, the server looks once every `patience`
// whether it should start helpers: as many again as there are, when none has taken a timer since,
// so that all are held up; one, when the first in the line has waited for so long.
//
// The lock is one for all and held for a few dozen instructions, but for the start of the server.
// It is taken before fork() and given back after it, so the child finds everything whole. There the
// service of the parent, whose threads are gone, is put aside with all its timers, which so are
// neither called nor destroyed, and the first new timer makes a new one. A service is never
// destroyed, since its threads may outlive every global object.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/short_lock.hpp>
#include <conc/detail/timer_core.hpp>
#include <conc/detail/waiting.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "timer_heap.hpp"

namespace conc::detail {

// What became of a cancel().
enum class Cancelled : std::uint8_t {
  no,      // it has prevented nothing
  marked,  // it will not be called (again): not started yet, or periodic and in its last call
  ended,   // it was pending, and has ended
};

// A ShortLock for what threads do one after the other, each many times. Who finds it held looks
// away for as long as it takes to start a few dozen timers: were it to look at once, the lock and
// all that it guards would go to and fro between two processors with every timer.
class TimerLock {
 public:
  void lock() noexcept {
    if (!lock_.try_lock()) [[unlikely]]
      lock_slow();
  }
  void unlock() noexcept { lock_.unlock(); }

 private:
  CONC_COLD void lock_slow() noexcept;

  ShortLock lock_;
};

class TimerService {
 public:
  using TimePoint = Until::Clock::time_point;
  using Lock = std::unique_lock<TimerLock>;

  // That of this process, made at first need. Throws std::bad_alloc.
  static TimerService& instance() {
    TimerService* const service = current.load(std::memory_order_acquire);
    return service != nullptr ? *service : make();
  }

  // Whether the timer was started before a fork() that made this process.
  static bool is_from_parent(const TimerState& timer) noexcept {
    return timer.service_ != current.load(std::memory_order_relaxed);
  }

  // The timer whose function the calling thread runs or destroys, or null; of several, one inside
  // the other, the innermost.
  static const TimerState* running_here() noexcept;

  // Whether it is one of them.
  static bool is_running_here(const TimerState& timer) noexcept;

  static Lock lock() { return Lock(mutex); }

  // False when it was started before. Throws std::system_error and std::bad_alloc; nothing has
  // changed then.
  static bool start(TimerState& timer);
  static Cancelled cancel(TimerState& timer) noexcept;
  static void let_go(TimerState& timer) noexcept;

 private:
  using Phase = TimerState::Phase;

  // Whom to wake once the lock is given back.
  struct Calls {
    ThreadNode* helper = nullptr;
    TimerService* server = nullptr;
    void make() const noexcept {
      if (helper != nullptr) helper->wake();
      if (server != nullptr) server->ring();
    }
  };

  // For the time that a thread runs code of the user that belongs to a timer. Inside it there may
  // be another: a function that cancels a timer destroys what that one held.
  class Within {
   public:
    explicit Within(const TimerState& timer) noexcept;
    ~Within();
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    friend class TimerService;

    static constinit thread_local const Within* innermost;

    const TimerState& timer_;
    const Within* const outer_;
  };

  TimerService() = default;
  static const bool at_load;
  CONC_COLD static TimerService& make();
  static bool wait_for_all() noexcept;

  // ---- Under the lock
  void make_room(Lock& lock);
  void ensure_server();
  Calls whom_to_call(TimePoint now) noexcept;
  Calls schedule(TimerState& timer, TimePoint now) noexcept;
  std::size_t how_many_to_start(TimePoint now) noexcept;
  WakeChain one_less_pending() noexcept;
  // These give the lock back.
  void schedule_next(TimerState& timer, Lock& lock, TimePoint now) noexcept;
  void end(TimerState& timer, Lock& lock) noexcept;
  void drop_and_end(TimerState& timer, Lock& lock) noexcept;

  // ---- The server, with no lock held; timer_threads.cpp
  void serve() noexcept;
  void start_helpers(std::size_t n) noexcept;
  void ring() noexcept;
  void sleep_until(TimePoint time) noexcept;

  // ---- Helpers; timer_threads.cpp
  void help() noexcept;
  bool lie_down(Lock& lock, TimePoint& now) noexcept;
  bool run(TimerState& timer, Lock& lock, TimePoint now) noexcept;
  static void call(TimerState& timer) noexcept;

  alignas(64) static constinit TimerLock mutex;  // guards all services and all timers
  alignas(64) static constinit Atomic<TimerService*> current;
  static constinit TimerService* newest;  // the head of the chain of all that were made

  TimerService* previous_ = nullptr;  // from before a fork()

  // Guarded by `mutex`.
  TimerHeap heap_;
  TimerLine line_;
  WaitList idle_;
  WaitList exiters_;           // who waits for `pending_`
  std::size_t started_ = 0;    // timers that were started and have not ended: the heap has room for
                               // them all, so that a periodic one can always go back
  std::size_t pending_ = 0;    // what the process may not end without: timers that were started and
                               // have not ended, periodic ones only while their function is called
                               // or destroyed; no daemons
  std::size_t own_ = 1;        // of them, at most, those from whose functions somebody exits
  std::size_t helpers_ = 0;    // with those that are being started
  std::size_t arriving_ = 0;   // of them, those who have not looked at the line yet
  TimePoint last_progress_{};  // when a helper was last started, woken, or took a timer
  TimePoint sleeps_until_ = TimePoint::min();  // the server: whoever has something for it before
                                               // that rings; min() while it is awake
  bool has_server_ = false;
  bool exiting_ = false;  // a periodic timer ends when it would be called next, with its function
                          // left to the handle, unless it is a daemon

  Atomic<std::uint64_t> next_number_{1};  // for the names of helpers

  Mutex bed_mutex_;  // never taken together with `mutex`
  CondVar bed_;      // only the server waits
  bool rung_ = false;
};

}  // namespace conc::detail
