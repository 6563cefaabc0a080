#include <conc/detail/machine.hpp>
#include <conc/until.hpp>

namespace conc {

Until::Clock::time_point Until::deadline() const noexcept {
  using std::chrono::nanoseconds;
  if (ticks_ == max_ticks) return Clock::time_point::max();
  const auto ticks_of = [](auto now) {
    return std::chrono::duration_cast<nanoseconds>(now.time_since_epoch()).count();
  };
  Ticks since_now = ticks_;
  switch (kind()) {
    case Kind::steady:
      return Clock::time_point(nanoseconds(ticks_));
    case Kind::wall:
      since_now = difference(ticks_, ticks_of(detail::WallClock::now()));
      [[fallthrough]];
    case Kind::relative:
      break;
  }
  const Ticks now = ticks_of(detail::SteadyClock::now());
  if (since_now > 0 && now > max_ticks - since_now) return Clock::time_point::max();
  if (since_now < 0 && now < min_ticks - since_now) return Clock::time_point::min();
  return Clock::time_point(nanoseconds(now + since_now));
}

}  // namespace conc
