#include <conc/until.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <ratio>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>

namespace {

using namespace std::chrono_literals;
using conc::Until;
using Clock = std::chrono::steady_clock;

constexpr auto never = Clock::time_point::max();
constexpr auto first = Clock::time_point::min();

// As a call of the library gets it.
Clock::time_point deadline_of(Until until) { return until.deadline(); }

// The deadline lies `distance` after some moment of the call.
void expect_from_now(Until until, std::chrono::nanoseconds distance) {
  const auto before = Clock::now();
  const auto deadline = until.deadline();
  const auto after = Clock::now();
  EXPECT_GE(deadline, before + distance);
  EXPECT_LE(deadline, after + distance);
}

// What is kept of a time since the epoch of the steady clock: whole nanoseconds.
template <class Duration>
std::chrono::nanoseconds kept(Duration time) {
  return deadline_of(std::chrono::time_point<Clock, Duration>(time)).time_since_epoch();
}

static_assert(!std::convertible_to<int, Until>, "a number is not a time");
static_assert(!std::convertible_to<double, Until>);
static_assert(!std::convertible_to<bool, Until>);
static_assert(!std::convertible_to<const char*, Until>);
static_assert(std::is_trivially_copyable_v<Until> && sizeof(Until) == 16);
static_assert(conc::at_once.is_at_once() && !conc::at_once.is_timeless());
static_assert(conc::forever.is_timeless() && !conc::forever.is_at_once());
static_assert(std::is_nothrow_constructible_v<Until, std::chrono::milliseconds>);
static_assert(!std::is_nothrow_constructible_v<Until, std::chrono::duration<double>>);

// Beside a token stands a time, or none: nothing that may have a token itself.
template <class Time>
constexpr bool beside_a_token = std::is_constructible_v<Until, Time, const std::stop_token&>;
static_assert(beside_a_token<std::chrono::duration<double, std::milli>>);
static_assert(beside_a_token<Clock::time_point> && beside_a_token<std::nullopt_t>);
static_assert(beside_a_token<std::optional<std::chrono::hours>>);
static_assert(!beside_a_token<Until> && !beside_a_token<const Until&>);
static_assert(!beside_a_token<std::stop_token> && !beside_a_token<std::optional<Until>>);
static_assert(!beside_a_token<std::reference_wrapper<const std::stop_token>>);
static_assert(!std::is_constructible_v<Until, std::optional<std::stop_token>>,
              "the token would be gone with the argument");
static_assert(!std::is_constructible_v<Until, const std::optional<std::stop_token>&>);
static_assert(std::is_constructible_v<Until, std::optional<Clock::time_point>>);

TEST(Until, DurationCountsFromTheMomentTheDeadlineIsAskedFor) {
  expect_from_now(50ms, 50ms);
  expect_from_now(1h, 1h);
  const Until until = 5ms;
  const auto asked_early = until.deadline();
  EXPECT_GE(until.deadline(), asked_early);
}

TEST(Until, NegativeAndZeroDurationsAreAtOnce) {
  EXPECT_TRUE(Until(0ms).is_at_once());
  EXPECT_TRUE(Until(-1ns).is_at_once());
  EXPECT_TRUE(Until(-1.5s).is_at_once());
  EXPECT_TRUE(Until(std::chrono::hours::min()).is_at_once());
  expect_from_now(-1ms, -1ms);
}

TEST(Until, ShortestDurationIsNotAtOnce) { EXPECT_FALSE(Until(1ns).is_at_once()); }

TEST(Until, FinerUnitsAreRoundedUpSoThatNothingIsEarly) {
  using Picoseconds = std::chrono::duration<std::int64_t, std::pico>;
  expect_from_now(Picoseconds(1), 1ns);
  expect_from_now(Picoseconds(1000), 1ns);
  expect_from_now(Picoseconds(1001), 2ns);
  expect_from_now(std::chrono::duration<double, std::nano>(0.1), 1ns);
  EXPECT_TRUE(Until(Picoseconds(-999)).is_at_once());
}

TEST(Until, OddUnitsAreRoundedUpToo) {
  using Frames = std::chrono::duration<int, std::ratio<1, 30>>;
  using Jiffies = std::chrono::duration<std::uint32_t, std::ratio<1, 1024>>;
  using Thirds = std::chrono::duration<std::int64_t, std::ratio<1, 3'000'000'000>>;
  static_assert(!Until(Frames(1)).is_at_once() && Until(Frames(-1)).is_at_once());
  EXPECT_EQ(kept(Frames(1)), 33'333'334ns);
  EXPECT_EQ(kept(Frames(3)), 100ms);
  EXPECT_EQ(kept(Frames(-1)), -33'333'333ns);
  EXPECT_EQ(kept(Jiffies(1)), 976'563ns);
  EXPECT_EQ(kept(Jiffies(1024)), 1s);
  EXPECT_EQ(kept(Thirds(1)), 1ns);
  EXPECT_EQ(kept(Thirds(-2)), 0ns);
  EXPECT_EQ(kept(std::chrono::duration<float, std::ratio<1, 1024>>(512.0F)), 500ms);
}

TEST(Until, TicksOfEverySizeSaturate) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto most_unsigned = std::numeric_limits<std::uint64_t>::max();
  const auto saturates = []<class Period>(Period) {
    using Signed = std::chrono::duration<std::int64_t, Period>;
    using Unsigned = std::chrono::duration<std::uint64_t, Period>;
    static_assert(Until(Unsigned::max()).is_timeless());
    static_assert(Until(Signed::max()).is_timeless());
    EXPECT_EQ(kept(Unsigned::max()), std::chrono::nanoseconds::max());
    EXPECT_EQ(kept(Signed::min()), std::chrono::nanoseconds::min());
    EXPECT_EQ(kept(std::chrono::duration<long double, Period>(1e40L)),
              std::chrono::nanoseconds::max());
    EXPECT_EQ(kept(std::chrono::duration<double, Period>(-1e40)), std::chrono::nanoseconds::min());
  };
  saturates(std::nano());
  saturates(std::ratio<1, 30>());
  saturates(std::ratio<most>());
  saturates(std::ratio<most, 2>());

  // Finer than the unit that is kept: nothing overflows.
  using Unsigned = std::chrono::duration<std::uint64_t, std::pico>;
  EXPECT_EQ(kept(Unsigned(most_unsigned)), 18'446'744'073'709'552ns);
  EXPECT_EQ(kept(std::chrono::duration<std::int64_t, std::ratio<1, most>>(most)), 1s);
  EXPECT_EQ(kept(std::chrono::duration<double, std::pico>(1e40)), std::chrono::nanoseconds::max());
}

TEST(Until, InfinityAndNotANumberMeanTheSameInEveryUnit) {
  const auto means = []<class Period>(Period) {
    using Time = std::chrono::duration<double, Period>;
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_TRUE(Until(Time(infinity)).is_timeless());
    EXPECT_TRUE(Until(Time(-infinity)).is_at_once());
    EXPECT_THROW(kept(Time(std::numeric_limits<double>::quiet_NaN())), std::invalid_argument);
    EXPECT_FALSE(Until(Time(std::numeric_limits<double>::denorm_min())).is_at_once());
  };
  means(std::atto());
  means(std::ratio<1, 30>());
  means(std::exa());
}

TEST(Until, LastTicksBeforeTheEndAreKept) {
  using Halves = std::chrono::duration<std::uint64_t, std::ratio<1, 2'000'000'000>>;
  EXPECT_EQ(kept(std::chrono::nanoseconds::max() - 1ns), std::chrono::nanoseconds::max() - 1ns);
  EXPECT_EQ(kept(std::chrono::nanoseconds::min() + 1ns), std::chrono::nanoseconds::min() + 1ns);
  EXPECT_EQ(kept(Halves(std::numeric_limits<std::uint64_t>::max() - 3)),
            std::chrono::nanoseconds::max() - 1ns);
  const auto last_hour = std::chrono::floor<std::chrono::hours>(std::chrono::nanoseconds::max());
  EXPECT_EQ(kept(last_hour), std::chrono::nanoseconds(last_hour));
}

TEST(Until, DurationThatOverflowsIsForEver) {
  EXPECT_TRUE(Until(std::chrono::hours::max()).is_timeless());
  EXPECT_TRUE(Until(std::chrono::nanoseconds::max()).is_timeless());
  EXPECT_TRUE(Until(std::chrono::years(300)).is_timeless());
  EXPECT_TRUE(Until(std::chrono::duration<double>(1e300)).is_timeless());
  EXPECT_TRUE(
      Until(std::chrono::duration<float>(std::numeric_limits<float>::infinity())).is_timeless());
  EXPECT_TRUE(Until(std::chrono::duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max()))
                  .is_timeless());
  EXPECT_EQ(deadline_of(std::chrono::hours::max()), never);
}

TEST(Until, DurationWhoseDeadlineOverflowsSaturates) {
  // It fits the type, but now plus it does not.
  const auto almost = std::chrono::nanoseconds::max() - 1ns;
  EXPECT_FALSE(Until(almost).is_timeless());
  EXPECT_EQ(deadline_of(almost), never);
}

TEST(Until, DurationsAtTheEdgeOfTheRangeAreNotCutShort) {
  const auto longest = std::chrono::floor<std::chrono::hours>(std::chrono::nanoseconds::max()) - 1h;
  EXPECT_FALSE(Until(longest).is_timeless());
  EXPECT_GT(deadline_of(std::chrono::years(200)), Clock::now() + std::chrono::years(199));
}

TEST(Until, UnsignedAndNarrowDurationsKeepTheirValue) {
  expect_from_now(std::chrono::duration<std::uint32_t, std::milli>(4'000'000'000U),
                  4'000'000'000ms);
  expect_from_now(std::chrono::duration<std::int8_t>(std::int8_t{100}), 100s);
  expect_from_now(std::chrono::duration<double, std::milli>(0.5), 500us);
}

TEST(Until, NotANumberIsABadArgumentThatIsNamed) {
  const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
  try {
    const Until until = nan;
    FAIL() << "accepted NaN as " << until.deadline().time_since_epoch().count();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("NaN"), std::string::npos);
  }
}

TEST(Until, SteadyTimePointIsKeptAsItIs) {
  const auto soon = Clock::now() + 3s;
  EXPECT_EQ(deadline_of(soon), soon);
  EXPECT_EQ(deadline_of(Clock::time_point::max()), never);
  EXPECT_EQ(deadline_of(Clock::time_point::min()), first);
  const auto coarse = std::chrono::ceil<std::chrono::seconds>(soon);
  EXPECT_EQ(deadline_of(coarse), coarse);
  EXPECT_FALSE(Until(Clock::now() - 1h).is_at_once()) << "only the clock can tell";
}

TEST(Until, WallClockTimePointBecomesASteadyDeadline) {
  using Wall = std::chrono::system_clock;
  const auto before = Clock::now();
  const auto deadline = deadline_of(Wall::now() + 10s);
  EXPECT_GE(deadline, before + 9s) << "the clocks run alike for this long";
  EXPECT_LE(deadline, Clock::now() + 11s);
  EXPECT_LE(deadline_of(Wall::now() - 1h), Clock::now());
  EXPECT_EQ(deadline_of(Wall::time_point::max()), never);
  EXPECT_LT(deadline_of(Wall::time_point::min()), Clock::now());
}

// Runs a year ahead of the steady clock, in steps of a tenth of a second.
struct OddClock {
  using rep = std::int32_t;
  using period = std::deci;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<OddClock>;
  [[maybe_unused]] static constexpr bool is_steady = true;
  static time_point now() { return time_point(duration(1'000'000)); }
};

TEST(Until, TimePointOfAnyClockIsMeasuredByThatClock) {
  const Until until = OddClock::now() + OddClock::duration(30);
  expect_from_now(until, 3s);
}

TEST(Until, StopTokenAloneIsTimeless) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const Until until = token;
  EXPECT_TRUE(until.is_timeless());
  EXPECT_EQ(until.token(), &token);
  EXPECT_FALSE(until.stop_requested());
  source.request_stop();
  EXPECT_TRUE(until.stop_requested());
}

TEST(Until, StopRequestedBeforehandIsSeen) {
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  EXPECT_TRUE(Until(token).stop_requested());
  EXPECT_TRUE(Until(1h, token).stop_requested());
}

TEST(Until, TokenWithoutASourceNeverStops) {
  const std::stop_token token;
  EXPECT_FALSE(Until(token).stop_requested());
}

TEST(Until, TimeAndTokenAreBothKept) {
  const std::stop_source source;
  const std::stop_token token = source.get_token();
  const auto soon = Clock::now() + 3s;
  const Until at_time{soon, token};
  EXPECT_EQ(at_time.deadline(), soon);
  EXPECT_EQ(at_time.token(), &token);
  EXPECT_FALSE(at_time.is_timeless());
  const Until relative{0ms, token};
  EXPECT_TRUE(relative.is_at_once());
  EXPECT_EQ(relative.token(), &token);
  const Until wall{std::chrono::system_clock::now() + 1h, token};
  EXPECT_GT(wall.deadline(), Clock::now() + 59min);
  EXPECT_EQ(wall.token(), &token);
  EXPECT_TRUE((Until{std::nullopt, token}).is_timeless());
}

TEST(Until, EmptyOptionalIsForEver) {
  EXPECT_TRUE(Until(std::nullopt).is_timeless());
  EXPECT_TRUE(Until(std::optional<std::chrono::seconds>()).is_timeless());
  expect_from_now(std::optional(2s), 2s);
}

TEST(Until, ConstantsSayWhatTheyAre) {
  EXPECT_EQ(conc::forever.deadline(), never);
  EXPECT_EQ(conc::forever.token(), nullptr);
  expect_from_now(conc::at_once, 0ns);
  EXPECT_FALSE(conc::at_once.stop_requested());
}

}  // namespace
