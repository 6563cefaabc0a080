// TimerCore: what Timer and PeriodicTimer have in common.
//
// Every timer is one object, its TimerState, which holds the function as well. It goes when its
// handle has gone and it is not between start() and its end: a timer without a handle still fires.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/until.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace conc {

// What a periodic timer does about the times that have come while its function still ran.
enum class Overrun : std::uint8_t {
  skip,   // leaves them out: the next call is at the next time to come
  queue,  // makes up for them: one call after the other until none is missing
};

namespace detail {

class TimerService;

// Whole nanoseconds, rounded up; from zero, which stands for what is negative as well, to the most
// that 64 bits hold, which stands for all that is longer (292 years). Throws std::invalid_argument
// for a floating-point NaN.
template <class Rep, class Period>
constexpr std::chrono::nanoseconds timer_interval(std::chrono::duration<Rep, Period> time) {
  using std::chrono::nanoseconds;
  const long double exact = std::chrono::duration<long double, std::nano>(time).count();
  if (exact != exact) throw std::invalid_argument("conc: the interval of a timer must not be NaN.");
  if (exact <= 0) return nanoseconds::zero();
  if (exact >= 9.2e18L) return nanoseconds::max();
  return std::chrono::ceil<nanoseconds>(time);
}

// The period of the PeriodicTimer of that name is not positive.
[[noreturn]] CONC_COLD CONC_EXPORT void throw_not_positive(const std::string& name);

struct TimerTraits {
  std::string name;
  std::optional<bool> daemon;  // none: as the timer whose function makes it, or else the Thread
  std::chrono::nanoseconds interval;
  Overrun overrun = Overrun::skip;
};

// A timer.
//
//   phase      meaning                                    entered by
//   fresh      not started                                constructor
//   cancelled  not started, and will not be called; the   cancel(), from fresh
//              function goes with the handle
//   pending    in the heap until its time, and then in    start(), from fresh; a periodic one also
//              the line of those that a helper is to call by a helper, from running
//   running    a helper is in its function                a helper, from pending
//   ending     its function is being destroyed            cancel(), from pending; a helper, from
//                                                         running
//   ended      there is nothing to come; if the process   start(), from cancelled; whoever was
//              exits, and a periodic one was not          ending it; a helper, from running, and if
//              cancelled, the function goes with the      the process exits, of a periodic one also
//              handle                                     from pending; always as the last touch
//
// The phase is changed under the lock of the service, and read without it. In the child of a fork a
// timer that the parent had started counts as ended, whatever its phase.
class CONC_EXPORT TimerState {
 public:
  // `trivial`: drop() runs no code of the user.
  TimerState(TimerTraits traits, bool periodic, bool trivial);
  virtual ~TimerState() = default;

  TimerState(const TimerState&) = delete;
  TimerState& operator=(const TimerState&) = delete;

  [[nodiscard]] bool daemon() const noexcept { return daemon_; }

 protected:
  // Runs the function. By one thread at a time, with no lock held.
  virtual void call() = 0;

  // Destroys the function, once. With no lock held.
  virtual void drop() noexcept = 0;

 private:
  friend class TimerCore;
  friend class TimerHeap;
  friend class TimerLine;
  friend class TimerService;

  enum class Phase : std::uint8_t { fresh, cancelled, pending, running, ending, ended };

  static constexpr std::size_t in_line = static_cast<std::size_t>(-1);

  [[nodiscard]] const char* type() const noexcept { return periodic_ ? "PeriodicTimer" : "Timer"; }
  // A sentence about it, for an error.
  [[nodiscard]] std::string said(std::string_view what) const;
  [[nodiscard]] bool was_started() const noexcept;
  [[nodiscard]] bool over() const noexcept;
  [[nodiscard]] bool wait(Until until);

  const std::string name_;
  const std::chrono::nanoseconds interval_;
  const bool daemon_;
  const bool periodic_;
  const Overrun overrun_;
  const bool trivial_;

  Atomic<Phase> phase_{Phase::fresh};

  // Guarded by the lock of the service.
  bool stopped_ = false;             // periodic: it is not to be called again
  TimerService* service_ = nullptr;  // since start()
  bool orphan_ = false;              // its handle has gone: whoever ends it deletes it
  Until::Clock::time_point deadline_{};
  Until::Clock::time_point in_line_since_{};
  std::size_t index_ = 0;       // pending: its place in the heap, or in_line
  TimerState* next_ = nullptr;  // in the line
  TimerState* previous_ = nullptr;
  WaitList joiners_;
};

// A timer with its function and the arguments, in one piece of memory. A timer that fires once
// moves them into the call.
template <bool periodic, class F, class... Args>
class TimerCall final : public TimerState {
 public:
  template <class... Given>
  explicit TimerCall(TimerTraits traits, Given&&... given)
      : TimerState(std::move(traits), periodic,
                   std::is_trivially_destructible_v<std::tuple<F, Args...>>),
        call_(std::in_place, std::forward<Given>(given)...) {}

 private:
  void call() override {
    std::apply(
        [](F& f, Args&... args) {
          if constexpr (periodic) {
            static_cast<void>(std::invoke(f, args...));
          } else {
            static_cast<void>(std::invoke(std::move(f), std::move(args)...));
          }
        },
        *call_);
  }

  void drop() noexcept override { call_.reset(); }

  std::optional<std::tuple<F, Args...>> call_;
};

// The handle. Its calls are those of Timer and PeriodicTimer, where they are described.
class TimerCore {
 public:
  template <bool periodic, class F, class... Args>
  static TimerCore make(TimerTraits traits, F&& f, Args&&... args) {
    return TimerCore(new TimerCall<periodic, std::decay_t<F>, std::decay_t<Args>...>(
        std::move(traits), std::forward<F>(f), std::forward<Args>(args)...));
  }

  TimerCore(TimerCore&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  TimerCore& operator=(TimerCore&& other) noexcept {
    TimerCore taken(std::move(other));
    std::swap(state_, taken.state_);
    return *this;
  }
  ~TimerCore() {
    if (state_ != nullptr) let_go(*state_);
  }

  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

  CONC_EXPORT void start();
  CONC_EXPORT bool cancel();
  CONC_EXPORT bool cancel_and_wait();
  [[nodiscard]] CONC_EXPORT bool join(Until until);
  [[nodiscard]] CONC_EXPORT bool is_alive() const;
  [[nodiscard]] CONC_EXPORT const std::string& name() const;
  [[nodiscard]] CONC_EXPORT bool daemon() const;

  // How many threads wait for its end.
  [[nodiscard]] CONC_EXPORT std::size_t waiters() const;

 private:
  explicit TimerCore(TimerState* state) noexcept : state_(state) {}

  [[nodiscard]] TimerState& state() const;

  // Deletes the timer, or leaves that to whoever ends it.
  CONC_EXPORT static void let_go(TimerState& timer) noexcept;

  TimerState* state_;
};

}  // namespace detail
}  // namespace conc
