// CallClock: the time of day, for calls that follow each other closely.
#pragma once

#include <chrono>
#include <cstdint>

namespace conc::logging::detail {

// Asking the system for the time takes two to three times as long as reading the processor's
// counter, and holds up what the processor does meanwhile. So the system is asked now and then, and
// between two answers the time is what the counter adds to the older one.
//
// How fast the counter goes is measured against the steady clock, which nobody sets, and trusted
// when two measurements in a row agree; where there is no counter, or one that cannot be trusted,
// the system is asked each time. The times are within a microsecond of the system's, do not go back
// unless the system's clock is set back, and follow it within `reach` when it is set. Where the
// processors' counters differ although they agree in speed, the times are wrong by `reach` at most.
//
// To be used by one thread.
class CallClock {
 public:
  using Time = std::chrono::nanoseconds;  // since the epoch of the clock in question

  // Small enough that a clock which is slewed by 500 ppm drifts 50 ns away meanwhile.
  static constexpr Time reach = std::chrono::microseconds(100);

  // Whether the time is known at `ticks` of the counter.
  [[nodiscard]] bool reaches(std::uint64_t ticks) const noexcept {
    return ticks - ticks_ < reach_in_ticks_;
  }

  // The time then. Only if it is known.
  [[nodiscard]] Time at(std::uint64_t ticks) const noexcept {
    return time_ + Time(static_cast<std::int64_t>(((ticks - ticks_) * rate_) >> rate_shift));
  }

  // What the clocks said, in the order in which they were read.
  struct Look {
    std::uint64_t before;  // the counter
    Time wall;
    Time steady;
    std::uint64_t after;  // the counter
  };

  // Goes on from there. To be called when the time is not known. Returns the wall clock's, or what
  // was said last, if that is only a little later.
  Time look(const Look& now) noexcept;

 private:
  static constexpr int rate_shift = 32;

  void measure(const Look& now) noexcept;

  // The counter and the time at the last look that told both at once, and for how long that is good.
  std::uint64_t ticks_ = 0;
  Time time_{0};
  std::uint64_t reach_in_ticks_ = 0;  // 0: not at all
  Time last_{0};                      // no later time was returned

  // Nanoseconds in 2^rate_shift ticks.
  std::uint64_t rate_ = 0;      // trusted; 0: none
  std::uint64_t measured_ = 0;  // last; 0: none

  // Where measuring began.
  std::uint64_t steady_ticks_ = 0;
  Time steady_{0};
};

}  // namespace conc::logging::detail
