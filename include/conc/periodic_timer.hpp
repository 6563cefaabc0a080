// PeriodicTimer: calls a function again and again, at a fixed rate.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/timer_core.hpp>
#include <conc/timer.hpp>
#include <conc/until.hpp>

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace conc {

struct PeriodicTimerOptions {
  std::string name = {};            // of the thread while the function runs, and in messages
  std::optional<bool> daemon = {};  // none: as the timer or Thread that makes it, or false
  Overrun overrun = Overrun::skip;
};

// Calls a function at start() + period, start() + 2 * period and so on, until it is cancelled.
//
//   conc::PeriodicTimer progress(1s, [&] { std::printf("%zu of %zu\n", done.load(), all); });
//   progress.start();
//   work();  // the destructor ends it
//
// The times are multiples of the period since start(), however late a single call was, so nothing
// drifts. One call ends before the next begins. What becomes of the times that pass while the
// function runs, the options say: `skip` leaves them out, `queue` makes up for them.
//
// Runs as a Timer does: on a helper thread, never before its time. The function and its arguments
// are copied or moved into the timer, called as lvalues, and destroyed after the last call. An
// exception that leaves the function is reported on conc.thread, and the timer goes on.
//
// May be moved as a Timer. Several threads may call the same object at once, but for the move. 8
// bytes.
//
// Lifetime: unlike a Timer, which ends by itself, it ends with its object: the destructor does as
// cancel_and_wait().
//
// End of the process: after main() has returned or std::exit() was called, a call that runs is
// waited for, and so is the end of a timer that was cancelled. There is no other call: the timer
// ends when it would come, and the function is destroyed with the object. A daemon is neither
// stopped nor waited for. For objects with static storage it is as for a Timer.
//
// fork(): as for a Timer.
//
// Python: has no such class; a loop in a threading.Thread around Event.wait(timeout), which drifts.
class PeriodicTimer {
 public:
  // A timer that will run f(args...) once every `period`.
  // Throws std::invalid_argument when the period is not positive; std::bad_alloc, and what copying
  // f and args throws.
  // Cost: one allocation.
  template <class Rep, class Period, class F, class... Args>
  requires std::invocable < std::decay_t<F>
  &, std::decay_t<Args>&... >
         explicit PeriodicTimer(std::chrono::duration<Rep, Period> period, F&& f, Args&&... args)
      : PeriodicTimer(PeriodicTimerOptions(), period, std::forward<F>(f),
                      std::forward<Args>(args)...) {}

  // The same with a name, the daemon flag and what to do about an overrun.
  template <class Rep, class Period, class F, class... Args>
  requires std::invocable < std::decay_t<F>
  &, std::decay_t<Args>&... >
         explicit PeriodicTimer(PeriodicTimerOptions options,
                                std::chrono::duration<Rep, Period> period, F&& f, Args&&... args)
      : core_(detail::TimerCore::make<true>(
            checked({std::move(options.name), options.daemon, detail::timer_interval(period),
                     options.overrun}),
            std::forward<F>(f), std::forward<Args>(args)...)) {}

  // Cancels it, and waits while the function runs; inside the function it does not wait.
  ~PeriodicTimer() { end(); }

  PeriodicTimer(PeriodicTimer&& other) noexcept = default;
  PeriodicTimer& operator=(PeriodicTimer&& other) noexcept {  // first does as the destructor
    if (this != &other) {
      end();
      core_ = std::move(other.core_);
    }
    return *this;
  }

  // From now on the first period passes. After a cancel() it ends at once. Never blocks.
  // Throws UsageError when it was started before; std::system_error when the operating system
  // refuses the thread of the first timer, and std::bad_alloc: it is then as before.
  // Synchronizes: what was done before is visible to the function.
  // Cost: O(log n) for n timers that are started; a system call when it is the earliest of them.
  void start() { core_.start(); }

  // Has it not be called again; before start() and inside the function too. A call that runs goes
  // on. True when this call did it, false when it was cancelled before. Never blocks, but destroys
  // the function unless it runs.
  // Cost: O(log n); no allocation.
  bool cancel() { return core_.cancel(); }

  // The same, and waits while the function runs: of a timer that was started nothing is left then.
  // Inside the function itself it does not wait. To wait for a limited time, call cancel() and
  // join(until).
  // Synchronizes: what the function did is visible to the caller.
  bool cancel_and_wait() { return core_.cancel_and_wait(); }

  // Waits until it has ended: it was cancelled, the last call has returned, and the function is
  // destroyed, if it was not cancelled before start(); or else that it ends with the process. Blocks
  // until then.
  // Throws UsageError in the function itself, and before start().
  // Synchronizes: what the function did is visible to the caller.
  void join() { static_cast<void>(join(forever)); }

  // The same, but gives up as `until` says; false then.
  [[nodiscard]] bool join(Until until) { return core_.join(until); }

  // Whether it was started and has not ended.
  [[nodiscard]] bool is_alive() const { return core_.is_alive(); }

  // As given; "" if no name was.
  [[nodiscard]] const std::string& name() const { return core_.name(); }

  // Whether the process may end while its function runs.
  [[nodiscard]] bool daemon() const { return core_.daemon(); }

 private:
  friend struct detail::Inspect;

  static detail::TimerTraits checked(detail::TimerTraits traits) {
    if (traits.interval.count() > 0) return traits;
    detail::throw_not_positive(traits.name);
  }

  void end() noexcept {
    if (core_.valid()) static_cast<void>(core_.cancel_and_wait());
  }

  detail::TimerCore core_;
};

}  // namespace conc
