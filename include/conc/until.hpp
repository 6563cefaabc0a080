// Until: when to give up waiting.
//
// Every call of conc that can block takes an Until, so there is one vocabulary for all of them:
//
//   lock.acquire();                          // as long as it takes
//   lock.acquire(50ms);                      // at most so long
//   lock.acquire(deadline);                  // a time point of any clock
//   lock.acquire(token);                     // until a std::stop_token is triggered
//   lock.acquire({50ms, token});             // whichever comes first
//   lock.acquire(std::nullopt);              // as long as it takes, for an optional timeout
//   lock.acquire(conc::at_once);             // not at all
//
// Success beats stop beats timeout: what is there is taken, even when the time is past or the stop
// was requested before the call. A number is not a time: acquire(5) does not compile.
#pragma once

#include <conc/config.hpp>

#include <chrono>
#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <ratio>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace conc {

namespace detail {

template <class Rep, class Period>
void must_be_time(const std::chrono::duration<Rep, Period>& time);
template <class Clock, class Duration>
void must_be_time(const std::chrono::time_point<Clock, Duration>& time);

// A duration or a time point, and so without a token.
template <class T>
concept plain_time = requires(const T& t) {
  must_be_time(t);
};

template <class T>
inline constexpr bool is_optional_time = plain_time<T> || std::same_as<T, std::nullopt_t>;
template <plain_time T>
inline constexpr bool is_optional_time<std::optional<T>> = true;

// A time, or none: what stands beside a token.
template <class T>
concept optional_time = is_optional_time<T>;

}  // namespace detail

// A parameter type like std::string_view: 16 bytes, trivially copyable, passed by value, never
// stored. It refers to the stop token it was made from, which must live as long as the Until does;
// as an argument it always does.
//
// Time is kept in nanoseconds and saturates at both ends: hours::max() is for ever, a negative
// duration is at once. A duration becomes a deadline when the call is about to sleep, so a timed
// acquire of a free lock reads no clock. A wall-clock time point likewise; a step of the wall clock
// after that moment does not move the deadline.
//
// Throws: std::invalid_argument for a floating-point NaN; nothing else of its own.
// Python: the timeout parameter, None included. Unlike there, a negative timeout is always legal
// and means at once.
class Until {
 public:
  using Clock = std::chrono::steady_clock;

  // Gives up when the duration has passed; rounded up to whole nanoseconds.
  template <class Rep, class Period>
  constexpr Until(std::chrono::duration<Rep, Period> timeout) noexcept(std::integral<Rep>)
      : Until(Kind::relative, saturate(timeout)) {}

  // Gives up at that time of the steady clock.
  template <class Duration>
  constexpr Until(std::chrono::time_point<Clock, Duration> deadline) noexcept(
      std::integral<typename Duration::rep>)
      : Until(Kind::steady, saturate(deadline.time_since_epoch())) {}

  // Gives up at that time of the wall clock.
  template <class Duration>
  constexpr Until(std::chrono::time_point<std::chrono::system_clock, Duration> deadline) noexcept(
      std::integral<typename Duration::rep>)
      : Until(Kind::wall, saturate(deadline.time_since_epoch())) {}

  // Gives up at that time of a clock of another kind, which is read here, once.
  template <class OtherClock, class Duration>
  Until(std::chrono::time_point<OtherClock, Duration> deadline)
      : Until(Kind::relative, difference(saturate(deadline.time_since_epoch()),
                                         saturate(OtherClock::now().time_since_epoch()))) {}

  // Gives up when a stop is requested. The token is referred to, not copied.
  Until(const std::stop_token& token CONC_LIFETIMEBOUND) noexcept : Until(std::nullopt, token) {}

  // Gives up when the time is up or a stop is requested, whichever comes first. The time is a
  // duration, a time point, an optional of one, or std::nullopt; not another Until, which may have
  // a token already.
  template <detail::optional_time Time>
  Until(Time time, const std::stop_token& token CONC_LIFETIMEBOUND) noexcept(
      std::is_nothrow_constructible_v<Until, Time>)
      : Until(time) {
    // A stop_token holds a pointer, so the two low bits of its address are free for the kind of
    // time.
    static_assert(alignof(std::stop_token) > kind_mask);
    token_and_kind_ |= reinterpret_cast<std::uintptr_t>(&token);
  }

  // Never gives up.
  constexpr Until(std::nullopt_t) noexcept : Until(Kind::steady, max_ticks) {}

  // Gives up when the time is up, or never when it is empty. Of a time alone: a token would be gone
  // with the argument.
  // Python: timeout=None
  template <detail::plain_time Time>
  constexpr Until(std::optional<Time> timeout) noexcept(
      std::is_nothrow_constructible_v<Until, Time>)
      : Until(timeout ? Until(*timeout) : Until(std::nullopt)) {}

  // Whether a call with this Until may not block at all. Reads no clock: a relative time that is
  // not positive is known to be past, an absolute one is not.
  [[nodiscard]] constexpr bool is_at_once() const noexcept {
    return kind() == Kind::relative && ticks_ <= 0;
  }

  // Whether no time is set; there may still be a token.
  [[nodiscard]] constexpr bool is_timeless() const noexcept {
    return ticks_ == max_ticks;  // of any kind: the end of time
  }

  // The token, or nullptr.
  [[nodiscard]] const std::stop_token* token() const noexcept {
    return reinterpret_cast<const std::stop_token*>(token_and_kind_ & ~kind_mask);
  }

  [[nodiscard]] bool stop_requested() const noexcept {
    const std::stop_token* const stop = token();
    return stop != nullptr && stop->stop_requested();
  }

  // The time to give up, on the steady clock; time_point::max() when no time is set. Reads the
  // clock for a relative or wall-clock time, so two calls give two answers: a caller asks once,
  // when it is about to sleep.
  [[nodiscard]] CONC_EXPORT Clock::time_point deadline() const noexcept;

 private:
  enum class Kind : std::uintptr_t { relative, steady, wall };
  using Ticks = std::int64_t;  // nanoseconds
  __extension__ using Wide = __int128;
  __extension__ using UnsignedWide = unsigned __int128;

  static constexpr std::uintptr_t kind_mask = 3;
  static constexpr Ticks max_ticks = std::numeric_limits<Ticks>::max();
  static constexpr Ticks min_ticks = std::numeric_limits<Ticks>::min();

  constexpr Until(Kind kind, Ticks ticks) noexcept
      : ticks_(ticks), token_and_kind_(static_cast<std::uintptr_t>(kind)) {}

  [[nodiscard]] constexpr Kind kind() const noexcept {
    return static_cast<Kind>(token_and_kind_ & kind_mask);
  }

  // Nanoseconds, rounded away from too early, and held at the ends of what 64 bits hold (292
  // years). A floating-point time is as exact as a long double.
  template <class Rep, class Period>
  static constexpr Ticks saturate(std::chrono::duration<Rep, Period> time) {
    // One tick of `time` is num / den nanoseconds, in lowest terms but for factors of `num`.
    constexpr std::intmax_t common = std::gcd(std::nano::den, Period::den);
    constexpr Wide num = Wide{Period::num} * (std::nano::den / common);
    constexpr Wide den = Period::den / common;
    if constexpr (std::integral<Rep>) {
      // Compared in the unit of `time`, so that nothing overflows when it is multiplied.
      constexpr Wide most = max_ticks * den / num;
      if (time.count() > 0 && static_cast<UnsignedWide>(time.count()) > UnsignedWide{most})
        return max_ticks;
      const auto count = static_cast<Wide>(time.count());
      if (count < -most) return min_ticks;
      return static_cast<Ticks>(count * num / den + (count > 0 && count * num % den != 0 ? 1 : 0));
    } else {
      const auto exact = static_cast<long double>(time.count()) * static_cast<long double>(num) /
                         static_cast<long double>(den);
      if (exact != exact) throw std::invalid_argument("conc::Until: a timeout must not be NaN.");
      if (exact >= static_cast<long double>(max_ticks)) return max_ticks;
      if (exact <= static_cast<long double>(min_ticks)) return min_ticks;
      const auto cut = static_cast<Ticks>(exact);
      return static_cast<long double>(cut) < exact ? cut + 1 : cut;
    }
  }

  static constexpr Ticks difference(Ticks later, Ticks earlier) noexcept {
    if (later == max_ticks) return max_ticks;
    if (earlier < 0 && later > max_ticks + earlier) return max_ticks;
    if (earlier > 0 && later < min_ticks + earlier) return min_ticks;
    return later - earlier;
  }

  Ticks ticks_;                    // from now, or since the epoch of the kind's clock
  std::uintptr_t token_and_kind_;  // address of the token, or 0; the Kind in the two low bits
};

static_assert(std::is_trivially_copyable_v<Until>);
static_assert(sizeof(Until) <= 16);

// Waits as long as it takes.
inline constexpr Until forever = std::nullopt;

// Does not wait.
inline constexpr Until at_once = std::chrono::nanoseconds::zero();

}  // namespace conc
