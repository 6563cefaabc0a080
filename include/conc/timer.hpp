// Timer: calls a function once, when a time has passed.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/timer_core.hpp>
#include <conc/until.hpp>

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace conc {

struct TimerOptions {
  std::string name = {};            // of the thread while the function runs, and in messages
  std::optional<bool> daemon = {};  // none: as the timer or Thread that makes it, or false
};

// Calls a function once, an interval after start(), unless it is cancelled before.
//
//   conc::Timer alarm(30s, [&] { log.warning("nothing heard for 30 s"); });
//   alarm.start();
//   ...
//   if (alarm.cancel()) return;  // it has not been called, and will not be
//
// All timers of the process share one thread, which sleeps until the earliest is due, so a hundred
// thousand of them cost memory and nothing else. The function is run by one of a few helper
// threads, never before its time; another is added while all of them are held up, so a function
// that blocks delays no other timer by more than a moment, and goes when it has been idle for some
// seconds. Time is that of the steady clock: when somebody sets the wall clock, nothing changes.
//
// The function and its arguments are copied or moved into the timer, moved from there into the
// call, and destroyed when it has returned, or when it was started and is then cancelled; otherwise
// with the object. An exception that leaves the function is reported on conc.thread; it never ends
// the program.
//
// A Timer may be moved: the object is a handle, and a moved-from one may only be destroyed or
// assigned to. Several threads may call the same object at once, but for the move. 8 bytes.
//
// Lifetime: the destructor never blocks and cancels nothing: a timer that was started fires without
// its handle. Before something goes that the function refers to, call cancel_and_wait().
//
// End of the process: after main() has returned or std::exit() was called, all timers that were
// started are waited for, as Python does it, until they have fired or were cancelled; unless they
// are daemons, which must not use what may go before the process ends. Objects with static storage
// that were made before the first timer or thread was started go after that, later ones before.
//
// fork(): in the child, a timer that the parent had started is over without having been called, and
// its function is never destroyed; new timers work.
//
// Python: threading.Timer. Unlike there, it has no thread of its own while it waits, and cancel()
// says what it did; and a Local, or what is thread_local, may have the value that the function of
// another timer gave it.
class Timer {
 public:
  // A timer that will run f(args...) when `interval` has passed since start(); at once when it is
  // not positive, never when it is longer than 292 years.
  // Throws std::bad_alloc, what copying f and args throws, and std::invalid_argument for an
  // interval that is not a number.
  // Cost: one allocation.
  // Python: Timer(interval, f, args)
  template <class Rep, class Period, class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  explicit Timer(std::chrono::duration<Rep, Period> interval, F&& f, Args&&... args)
      : Timer(TimerOptions(), interval, std::forward<F>(f), std::forward<Args>(args)...) {}

  // The same with a name and the daemon flag.
  template <class Rep, class Period, class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  explicit Timer(TimerOptions options, std::chrono::duration<Rep, Period> interval, F&& f,
                 Args&&... args)
      : core_(detail::TimerCore::make<false>(
            {std::move(options.name), options.daemon, detail::timer_interval(interval)},
            std::forward<F>(f), std::forward<Args>(args)...)) {}

  // From now on the interval passes. After a cancel() there is nothing to wait for, and it has
  // ended. Never blocks, and does not run the function itself.
  // Throws UsageError when it was started before; std::system_error when the operating system
  // refuses the thread of the first timer, and std::bad_alloc: it is then as before.
  // Synchronizes: what was done before is visible to the function.
  // Cost: O(log n) for n timers that are started; a system call when it is the earliest of them.
  // Python: start()
  void start() { core_.start(); }

  // Has it not be called, if that is not too late; before start() too. True when this call
  // prevented it: false when the function runs, has run, or was prevented before. Never blocks, but
  // destroys the function if the timer was started.
  // Synchronizes: when true, what was done before is visible to those who join().
  // Cost: O(log n); no allocation.
  // Python: cancel()
  bool cancel() { return core_.cancel(); }

  // The same, and when the function runs, waits until it has returned: of a timer that was started
  // nothing is left then. Inside the function itself it does not wait. Blocks while the function
  // runs. To wait for a limited time, call cancel() and join(until).
  // Synchronizes: what the function did is visible to the caller.
  bool cancel_and_wait() { return core_.cancel_and_wait(); }

  // Waits until it has ended: the function has returned, or it was cancelled, and the function is
  // destroyed, if it was not cancelled before start(). Any thread may, as often as it likes. Blocks
  // until then.
  // Throws UsageError in the function itself, and before start().
  // Synchronizes: what the function did is visible to the caller.
  // Python: join()
  void join() { static_cast<void>(join(forever)); }

  // The same, but gives up as `until` says; false then.
  // Python: join(timeout), is_alive()
  [[nodiscard]] bool join(Until until) { return core_.join(until); }

  // Whether it was started and has not ended: it waits for its time, or runs.
  // Python: is_alive()
  [[nodiscard]] bool is_alive() const { return core_.is_alive(); }

  // As given; "" if no name was.
  // Python: name
  [[nodiscard]] const std::string& name() const { return core_.name(); }

  // Whether the process may end without it.
  // Python: daemon
  [[nodiscard]] bool daemon() const { return core_.daemon(); }

 private:
  friend struct detail::Inspect;

  detail::TimerCore core_;
};

}  // namespace conc
