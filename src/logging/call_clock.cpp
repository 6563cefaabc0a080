#include "call_clock.hpp"

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/logging/log_call.hpp>

#include <algorithm>
#include <cmath>

namespace conc::logging::detail {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

// A look that takes longer tells nothing: the thread was interrupted, or the clock is one for which
// the system must be called, and that is because it does not trust the counter either.
constexpr std::uint64_t longest_look = 512;

// Long enough that the length of a look does not matter.
constexpr nanoseconds shortest_measurement = std::chrono::milliseconds(1);

// Of two measurements that agree, a part of each.
constexpr std::uint64_t largest_difference = 1024;

// Nothing to destroy, so it serves to the very end of the thread.
constinit thread_local CallClock call_clock;

CONC_COLD CONC_NOINLINE nanoseconds look_at_clocks() noexcept {
  using conc::detail::processor_ticks;
  using conc::detail::SteadyClock;
  using conc::detail::WallClock;
  return call_clock.look({
      .before = processor_ticks(),
      .wall = duration_cast<nanoseconds>(WallClock::now().time_since_epoch()),
      .steady = duration_cast<nanoseconds>(SteadyClock::now().time_since_epoch()),
      .after = processor_ticks(),
  });
}

}  // namespace

CallClock::Time CallClock::look(const Look& now) noexcept {
  const Time ahead = last_ - now.wall;
  const bool a_little_ahead = ahead > Time(0) && ahead <= std::chrono::microseconds(1);
  const Time time = a_little_ahead ? last_ : now.wall;
  last_ = time;

  reach_in_ticks_ = 0;
  if (now.after - now.before > longest_look) return time;
  measure(now);
  if (rate_ == 0) return time;
  ticks_ = now.after;
  time_ = time;
  reach_in_ticks_ = (static_cast<std::uint64_t>(reach.count()) << rate_shift) / rate_;
  last_ = time + reach;
  return time;
}

void CallClock::measure(const Look& now) noexcept {
  const Time elapsed = now.steady - steady_;
  if (elapsed < shortest_measurement) return;
  const std::uint64_t ticks = now.after - steady_ticks_;
  const bool first = steady_ == Time(0);
  steady_ticks_ = now.after;
  steady_ = now.steady;
  if (first) return;

  const double rate = static_cast<double>(elapsed.count()) / static_cast<double>(ticks);
  constexpr double slowest = 1000;  // no counter stands still
  const std::uint64_t before = measured_;
  measured_ = rate < slowest ? static_cast<std::uint64_t>(std::ldexp(rate, rate_shift)) : 0;
  const std::uint64_t difference = std::max(before, measured_) - std::min(before, measured_);
  rate_ = difference <= measured_ / largest_difference ? measured_ : 0;
}

std::chrono::system_clock::time_point call_time() noexcept {
  const std::uint64_t ticks = conc::detail::processor_ticks();
  const CallClock& clock = call_clock;
  const nanoseconds time = clock.reaches(ticks) ? clock.at(ticks) : look_at_clocks();
  return std::chrono::system_clock::time_point(time);
}

}  // namespace conc::logging::detail
