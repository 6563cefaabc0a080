#include <conc/periodic_timer.hpp>
#include <conc/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"
#include "stress.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using conc::PeriodicTimer;
using conc::Timer;
using conc::test::Dice;
using conc::test::eventually;
using conc::test::rounds;
using conc::test::together;

TEST(TimerStress, AHundredThousandAreStartedAndCancelledInAnyOrder) {
  constexpr std::size_t threads = 4;
  const std::int64_t each = rounds(25'000);
  std::atomic<std::int64_t> fired{0};
  std::atomic<std::int64_t> prevented{0};
  together(threads, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    std::vector<Timer> timers;
    for (std::int64_t i = 0; i < each; ++i) {
      // Far enough for none to fire, in no order.
      timers.emplace_back(std::chrono::hours(1 + dice.roll(100'000)), [&] { ++fired; });
      timers.back().start();
    }
    while (!timers.empty()) {
      std::swap(timers[static_cast<std::size_t>(dice.roll(static_cast<int>(timers.size())))],
                timers.back());
      if (timers.back().cancel()) ++prevented;
      timers.pop_back();
    }
  });
  EXPECT_EQ(fired, 0);
  EXPECT_EQ(prevented, static_cast<std::int64_t>(threads) * each);
}

TEST(TimerStress, EachEitherFiresOnceAndNeverEarlyOrIsCancelled) {
  constexpr std::size_t threads = 4;
  const std::int64_t each = rounds(25'000);
  std::atomic<std::int64_t> fired{0};
  std::atomic<std::int64_t> early{0};
  std::atomic<std::int64_t> prevented{0};
  together(threads, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    std::vector<Timer> timers;
    for (std::int64_t i = 0; i < each; ++i) {
      const auto interval = std::chrono::microseconds(dice.roll(3'000) - 100);
      const Clock::time_point due = Clock::now() + interval;
      timers.emplace_back(interval, [&fired, &early, due] {
        if (Clock::now() < due) ++early;
        ++fired;
      });
      timers.back().start();
      // Often at about the time when it fires.
      if (dice.roll(2) == 0) {
        const std::size_t some =
            timers.size() - 1 - static_cast<std::size_t>(dice.roll(100)) % timers.size();
        if (timers[some].cancel()) ++prevented;
      }
    }
    for (Timer& timer : timers) timer.join();
  });
  EXPECT_EQ(early, 0);
  EXPECT_EQ(fired + prevented, static_cast<std::int64_t>(threads) * each);
  EXPECT_GT(fired, 0);
}

TEST(TimerStress, AfterCancelAndWaitNothingOfItIsLeft) {
  // What the function uses goes at once.
  const std::int64_t count = rounds(20'000);
  std::int64_t calls = 0;
  std::int64_t prevented = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    auto called = std::make_unique<int>(0);
    Timer timer(std::chrono::microseconds(i % 80), [&called] { ++*called; });
    timer.start();
    for (std::int64_t n = i % 2'000; n > 0; --n) conc::detail::cpu_pause();
    if (timer.cancel_and_wait()) {
      ++prevented;
      ASSERT_EQ(*called, 0);
    } else {
      ++calls;
      ASSERT_EQ(*called, 1);
    }
    called.reset();
  }
  EXPECT_EQ(calls + prevented, count);
}

TEST(TimerStress, SeveralCancelButOnePrevents) {
  const std::int64_t count = rounds(3'000);
  std::atomic<std::int64_t> prevented{0};
  std::atomic<std::int64_t> fired{0};
  std::vector<Timer> timers;
  for (std::int64_t i = 0; i < count; ++i) {
    timers.emplace_back(std::chrono::microseconds(i % 500), [&] { ++fired; });
  }
  together(4, [&](std::size_t who) {
    for (Timer& timer : timers) {
      if (who == 0) timer.start();
      if (timer.cancel()) ++prevented;
    }
  });
  for (Timer& timer : timers) timer.join();
  EXPECT_EQ(prevented + fired, count);
}

TEST(TimerStress, PeriodicTimersComeAndGo) {
  const std::int64_t count = rounds(500);
  together(4, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    for (std::int64_t i = 0; i < count; ++i) {
      // Not atomic: calls do not overlap, and are seen after the end.
      auto calls = std::make_unique<int>(0);
      {
        PeriodicTimer timer({.overrun = i % 2 == 0 ? conc::Overrun::skip : conc::Overrun::queue},
                            std::chrono::microseconds(1 + dice.roll(200)), [&calls] { ++*calls; });
        timer.start();
        EXPECT_FALSE(timer.join(std::chrono::microseconds(dice.roll(500))));
      }
      EXPECT_GE(*calls, 0);
      calls.reset();
    }
  });
}

TEST(TimerStress, FunctionsThatBlockHoldUpNobody) {
  const auto count = static_cast<std::size_t>(rounds(300));
  std::atomic<std::size_t> inside{0};
  std::atomic<std::size_t> quick{0};
  std::vector<Timer> timers;
  for (std::size_t i = 0; i < count; ++i) {
    // All of them have to be inside before one may go.
    timers.emplace_back(std::chrono::microseconds(10 * i), [&] {
      ++inside;
      EXPECT_TRUE(eventually([&] { return inside == count; }));
    });
    timers.emplace_back(std::chrono::microseconds(10 * i), [&] { ++quick; });
  }
  for (Timer& timer : timers) timer.start();
  for (Timer& timer : timers) timer.join();
  EXPECT_EQ(quick, count);
}

}  // namespace
