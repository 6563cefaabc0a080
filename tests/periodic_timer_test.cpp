#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/hooks.hpp>
#include <conc/periodic_timer.hpp>
#include <conc/queue.hpp>
#include <conc/semaphore.hpp>
#include <conc/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using conc::Event;
using conc::Overrun;
using conc::PeriodicTimer;
using conc::UsageError;
using conc::test::eventually;
using conc::test::eventually_waiting;

TEST(PeriodicTimer, RepeatsUntilItIsCancelled) {
  conc::Semaphore calls(0);
  PeriodicTimer timer(1ms, [&] { calls.release(); });
  EXPECT_FALSE(timer.is_alive());
  timer.start();
  for (int i = 0; i < 20; ++i) calls.acquire();
  EXPECT_TRUE(timer.is_alive());
  EXPECT_TRUE(timer.cancel_and_wait());
  EXPECT_FALSE(timer.cancel()) << "cancelled before";
  EXPECT_FALSE(timer.is_alive());
  while (calls.try_acquire()) {
  }
  EXPECT_FALSE(calls.acquire(10ms)) << "called after it had ended";
}

TEST(PeriodicTimer, NoCallIsBeforeItsMultipleOfThePeriod) {
  conc::Queue<Clock::time_point> called;
  PeriodicTimer timer({.overrun = Overrun::queue}, 2ms, [&] { called.put(Clock::now()); });
  const Clock::time_point start = Clock::now();
  timer.start();
  for (int i = 1; i <= 25; ++i) EXPECT_GE(called.get() - start, i * 2ms);
}

TEST(PeriodicTimer, DoesNotDriftWhenItsCallsTakeTime) {
  // If the time of a call were added to the period, it would be four calls behind after forty.
  constexpr auto period = 2ms;
  std::atomic<int> calls{0};
  PeriodicTimer timer({.overrun = Overrun::queue}, period, [&] {
    const auto end = Clock::now() + period / 10;
    while (Clock::now() < end) {
    }
    ++calls;
  });
  timer.start();
  const Clock::time_point started = Clock::now();
  EXPECT_TRUE(
      eventually([&] { return calls >= 40 && calls + 1 >= (Clock::now() - started) / period; }));
}

TEST(PeriodicTimer, SkipLeavesOutTheTimesThatPassWhileItRuns) {
  // One call that lasts for over ten periods. With `queue`, ten more would follow at once.
  std::atomic<int> calls{0};
  Clock::time_point began;
  Event second;
  const auto period = 20ms;
  Clock::time_point start;
  PeriodicTimer timer(period, [&] {
    switch (++calls) {
      case 1: {
        // It began at the time 1 or later.
        const auto end = Clock::now() + 21 * period / 2;
        while (Clock::now() < end) std::this_thread::yield();
        return;
      }
      case 2:
        began = Clock::now();
        second.set();
        return;
      default:
        return;
    }
  });
  start = Clock::now();
  timer.start();
  second.wait();
  // The first lasted until the times up to 11 were past, so the second is at 12 or later.
  EXPECT_GE(began - start, 12 * period);
}

TEST(PeriodicTimer, QueueMakesUpForTheTimesThatPassWhileItRuns) {
  conc::Semaphore calls(0);
  Clock::time_point start;
  const auto period = 2ms;
  bool first = true;
  PeriodicTimer timer({.overrun = Overrun::queue}, period, [&] {
    if (std::exchange(first, false)) {
      while (Clock::now() < start + 50 * period) std::this_thread::yield();
    }
    calls.release();
  });
  start = Clock::now();
  timer.start();
  EXPECT_TRUE(eventually([&] {
    // As many calls as periods have passed; skipping, it would always lack some 49.
    const auto due = (Clock::now() - start) / period;
    return calls.permits() >= 50 && calls.permits() + 2 >= due;
  }));
}

TEST(PeriodicTimer, NeverRunsBesideItself) {
  for (const Overrun overrun : {Overrun::skip, Overrun::queue}) {
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    conc::Semaphore calls(0);
    PeriodicTimer timer({.overrun = overrun}, 10us, [&] {
      most = std::max(most.load(), ++inside);
      std::this_thread::yield();
      --inside;
      calls.release();
    });
    timer.start();
    for (int i = 0; i < 100; ++i) calls.acquire();
    timer.cancel_and_wait();
    EXPECT_EQ(most, 1);
  }
}

TEST(PeriodicTimer, CancelInsideItsOwnFunctionMakesThatTheLastCall) {
  int calls = 0;
  bool first = false;
  bool second = true;
  PeriodicTimer* self = nullptr;
  PeriodicTimer timer(1ms, [&] {
    if (++calls == 3) {
      first = self->cancel();
      second = self->cancel_and_wait();
    }
  });
  self = &timer;
  timer.start();
  timer.join();
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(first);
  EXPECT_FALSE(second) << "cancelled before";
}

TEST(PeriodicTimer, CancelAndWaitWaitsForACallThatRuns) {
  Event runs;
  Event go;
  bool over = false;
  PeriodicTimer timer(1ms, [&] {
    runs.set();
    go.wait();
    over = true;
  });
  timer.start();
  runs.wait();
  std::thread setter([&] {
    EXPECT_TRUE(eventually_waiting(timer, 1));
    go.set();
  });
  EXPECT_TRUE(timer.cancel_and_wait());
  EXPECT_TRUE(over);
  EXPECT_FALSE(timer.is_alive());
  setter.join();
}

TEST(PeriodicTimer, CancelDoesNotWaitForACallThatRuns) {
  Event runs;
  Event go;
  PeriodicTimer timer(1ms, [&] {
    runs.set();
    go.wait();
  });
  timer.start();
  runs.wait();
  EXPECT_TRUE(timer.cancel());
  EXPECT_TRUE(timer.is_alive());
  EXPECT_FALSE(timer.join(1ms));
  go.set();
  timer.join();
}

TEST(PeriodicTimer, CancelBeforeStartPreventsEveryCall) {
  bool ran = false;
  PeriodicTimer timer(1ms, [&] { ran = true; });
  EXPECT_TRUE(timer.cancel());
  EXPECT_THROW(timer.join(), UsageError);
  timer.start();
  timer.join();
  EXPECT_FALSE(ran);
}

TEST(PeriodicTimer, TheDestructorEndsIt) {
  std::atomic<int> inside{0};
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  {
    Event ran;
    PeriodicTimer timer(100us, [&, held = std::move(held)] {
      ++inside;
      ran.set();
      --inside;
    });
    timer.start();
    ran.wait();
  }
  EXPECT_EQ(inside, 0);
  EXPECT_TRUE(watch.expired());
}

TEST(PeriodicTimer, MovesAndTheOneThatIsOverwrittenEnds) {
  conc::Semaphore calls(0);
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  PeriodicTimer timer(1ms, [held = std::move(held)] {});
  timer.start();
  timer = PeriodicTimer(1ms, [&] { calls.release(); });
  EXPECT_TRUE(watch.expired());
  timer.start();
  calls.acquire();
  PeriodicTimer other = std::move(timer);
  calls.acquire();
  EXPECT_TRUE(other.is_alive());
  EXPECT_THROW(timer.start(), UsageError);  // NOLINT(bugprone-use-after-move)
}

TEST(PeriodicTimer, ItsFunctionMayDestroyTheHandle) {
  const auto ended = std::make_shared<Event>();
  const auto calls = std::make_shared<std::atomic<int>>(0);
  const auto handle = std::make_shared<std::unique_ptr<PeriodicTimer>>();
  *handle = std::make_unique<PeriodicTimer>(1ms, [=] {
    ++*calls;
    handle->reset();
    ended->set();
  });
  (*handle)->start();
  ended->wait();
  EXPECT_TRUE(eventually([&] { return handle.use_count() == 1; })) << "the function is destroyed";
  EXPECT_EQ(*calls, 1);
}

TEST(PeriodicTimer, ItsFunctionMayDestroyTheHandleByCancellingAnother) {
  struct Owner {
    std::optional<PeriodicTimer> timer;
  };
  Event ended;
  auto owner = std::make_shared<Owner>();
  const std::weak_ptr<Owner> watch = owner;
  auto other = std::make_shared<conc::Timer>(1h, [owner] {});
  other->start();
  Event go;
  owner->timer.emplace(1ms, [&, other] {
    go.wait();
    EXPECT_TRUE(other->cancel()) << "once, since that was the end of this one";
    ended.set();
  });
  owner->timer->start();
  owner.reset();
  go.set();
  ended.wait();
  EXPECT_TRUE(watch.expired());
  EXPECT_TRUE(eventually([&] { return other.use_count() == 1; })) << "the function is destroyed";
}

TEST(PeriodicTimer, ItsArgumentsAreKeptFromCallToCall) {
  Event enough;
  PeriodicTimer timer(
      1ms,
      [&](std::unique_ptr<int>& count) {
        if (++*count == 5) enough.set();
      },
      std::make_unique<int>(0));
  timer.start();
  enough.wait();
}

TEST(PeriodicTimer, GoesOnAfterAnException) {
  static std::atomic<int> reports{0};
  static std::string text;
  reports = 0;
  conc::set_report_hook([](const conc::Report& news) {
    if (reports++ == 0) {
      text = std::string(news.channel) + ": " + std::string(news.message) + " " +
             conc::describe(news.exception);
    }
  });
  Event enough;
  int calls = 0;
  PeriodicTimer timer({.name = "beat"}, 1ms, [&] {
    if (++calls == 3) return enough.set();
    if (calls < 3) throw std::runtime_error("missed");
  });
  timer.start();
  enough.wait();
  timer.cancel_and_wait();
  conc::set_report_hook(nullptr);
  EXPECT_EQ(reports, 2);
  EXPECT_EQ(text,
            "conc.thread: conc::PeriodicTimer \"beat\" has called a function that threw. "
            "std::runtime_error: missed");
}

TEST(PeriodicTimer, MisuseThrows) {
  EXPECT_THROW(PeriodicTimer(0s, [] {}), std::invalid_argument);
  EXPECT_THROW(PeriodicTimer(-1s, [] {}), std::invalid_argument);
  try {
    const PeriodicTimer timer({.name = "beat"}, 0s, [] {});
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "conc::PeriodicTimer \"beat\" got a period that is not positive; it needs a "
                 "nanosecond at least.");
  }
  PeriodicTimer timer({.name = "beat"}, 1h, [] {});
  EXPECT_THROW(timer.join(), UsageError);
  timer.start();
  try {
    timer.start();
    FAIL() << "started twice";
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "conc::PeriodicTimer \"beat\" was started before; a timer can be started once.");
  }
  PeriodicTimer* self = nullptr;
  Event thrown;
  PeriodicTimer joins_itself(1ms, [&] {
    try {
      self->join();
    } catch (const UsageError&) {
      thrown.set();
    }
  });
  self = &joins_itself;
  joins_itself.start();
  thrown.wait();
}

TEST(PeriodicTimer, APeriodWithoutEndNeverComes) {
  PeriodicTimer timer(std::chrono::hours::max(), [] { ADD_FAILURE() << "called"; });
  timer.start();
  EXPECT_FALSE(timer.join(1ms));
  EXPECT_TRUE(timer.cancel());
}

}  // namespace
