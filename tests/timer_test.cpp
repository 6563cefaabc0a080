#include <conc/detail/thread_record.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/hooks.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>
#include <conc/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using conc::Event;
using conc::Timer;
using conc::UsageError;
using conc::test::allocations;
using conc::test::eventually;
using conc::test::eventually_waiting;

TEST(Timer, NothingRunsBeforeStart) {
  std::atomic<bool> ran{false};
  Timer timer(0s, [&] { ran = true; });
  EXPECT_FALSE(timer.is_alive());
  EXPECT_FALSE(ran);
  timer.start();
  timer.join();
  EXPECT_TRUE(ran);
}

TEST(Timer, FiresOnceAndNeverEarly) {
  for (int i = 0; i < 50; ++i) {
    const auto interval = std::chrono::microseconds(100 * i);
    std::atomic<int> calls{0};
    Clock::time_point fired;
    Timer timer(interval, [&] {
      fired = Clock::now();
      ++calls;
    });
    const Clock::time_point before = Clock::now();
    timer.start();
    timer.join();
    EXPECT_GE(fired - before, interval);
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(timer.is_alive());
  }
}

TEST(Timer, TheIntervalBeginsAtStart) {
  Clock::time_point fired;
  Timer timer(20ms, [&] { fired = Clock::now(); });
  const Clock::time_point made = Clock::now();
  while (Clock::now() < made + 5ms) std::this_thread::yield();
  const Clock::time_point started = Clock::now();
  timer.start();
  timer.join();
  EXPECT_GE(fired - started, 20ms);
}

TEST(Timer, AnIntervalThatIsNotPositiveFiresAtOnceInAnotherThread) {
  for (const auto interval : {0ns, -1ns, std::chrono::nanoseconds::min()}) {
    std::thread::id ran_in;
    Timer timer(interval, [&] { ran_in = std::this_thread::get_id(); });
    timer.start();
    timer.join();
    EXPECT_NE(ran_in, std::thread::id());
    EXPECT_NE(ran_in, std::this_thread::get_id());
  }
}

TEST(Timer, TheIntervalIsOfAnyDurationType) {
  std::atomic<int> calls{0};
  const auto count = [&] { ++calls; };
  Timer float_seconds(std::chrono::duration<double>(0.001), count);
  Timer negative_hours(std::chrono::hours::min(), count);
  Timer short_nothing(std::chrono::duration<short>(0), count);
  for (Timer* timer : {&float_seconds, &negative_hours, &short_nothing}) {
    timer->start();
    timer->join();
  }
  EXPECT_EQ(calls, 3);
  EXPECT_THROW(
      Timer(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()), count),
      std::invalid_argument);
}

TEST(Timer, AnIntervalWithoutEndNeverComes) {
  const auto nothing = [] {};
  Timer hours(std::chrono::hours::max(), nothing);
  Timer infinite(std::chrono::duration<double>(std::numeric_limits<double>::infinity()), nothing);
  Timer nanoseconds(std::chrono::nanoseconds::max(), nothing);
  for (Timer* timer : {&hours, &infinite, &nanoseconds}) {
    timer->start();
    EXPECT_FALSE(timer->join(1ms));
    EXPECT_TRUE(timer->is_alive());
    EXPECT_TRUE(timer->cancel());
  }
}

TEST(Timer, AnEarlierOneIsNotHeldUpByALaterOne) {
  Timer late(1h, [] {});
  late.start();
  for (auto interval = 50ms; interval > 0ms; interval -= 10ms) {
    Timer early(interval, [] {});
    early.start();
    early.join();
  }
  EXPECT_TRUE(late.cancel());
}

TEST(Timer, ArgumentsAreMovedIn) {
  int sum = 0;
  auto owner = std::make_unique<int>(1);
  Timer timer(
      0s,
      [&sum, owner = std::move(owner)](std::unique_ptr<int> a, int b) { sum = *owner + *a + b; },
      std::make_unique<int>(39), 2);
  timer.start();
  timer.join();
  EXPECT_EQ(sum, 42);
}

TEST(Timer, StartingTwiceThrowsAndChangesNothing) {
  std::atomic<int> calls{0};
  Timer timer({.name = "once"}, 1ms, [&] { ++calls; });
  timer.start();
  EXPECT_THROW(timer.start(), UsageError);
  timer.join();
  try {
    timer.start();
    FAIL() << "started twice";
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "conc::Timer \"once\" was started before; a timer can be started once.");
  }
  EXPECT_EQ(calls, 1);
}

TEST(Timer, JoinBeforeStartThrows) {
  Timer timer(0s, [] {});
  EXPECT_THROW(timer.join(), UsageError);
  EXPECT_THROW(static_cast<void>(timer.join(conc::at_once)), UsageError);
  timer.cancel();
  EXPECT_THROW(timer.join(), UsageError);
}

TEST(Timer, JoiningItselfThrows) {
  bool thrown = false;
  Timer* self = nullptr;
  Timer timer(0s, [&] {
    try {
      self->join();
    } catch (const UsageError&) {
      thrown = true;
    }
  });
  self = &timer;
  timer.start();
  timer.join();
  EXPECT_TRUE(thrown);
}

TEST(Timer, AnyoneMayJoinAnyNumberOfTimes) {
  Event go;
  Timer timer(0s, [&] { go.wait(); });
  timer.start();
  std::vector<std::thread> joiners;
  std::atomic<int> joined{0};
  for (int i = 0; i < 4; ++i) {
    joiners.emplace_back([&] {
      timer.join();
      ++joined;
    });
  }
  EXPECT_TRUE(eventually_waiting(timer, 4));
  go.set();
  timer.join();
  timer.join();
  EXPECT_TRUE(timer.join(conc::at_once));
  for (std::thread& joiner : joiners) joiner.join();
  EXPECT_EQ(joined, 4);
  EXPECT_EQ(conc::test::waiters(timer), 0U);
}

TEST(Timer, JoinGivesUpAsUntilSays) {
  Timer timer(1h, [] {});
  timer.start();
  std::stop_source source;
  source.request_stop();
  const std::stop_token stopped = source.get_token();
  EXPECT_FALSE(timer.join(1ms));
  EXPECT_FALSE(timer.join(-1s));
  EXPECT_FALSE(timer.join(Clock::now()));
  EXPECT_FALSE(timer.join(stopped));
  EXPECT_FALSE(timer.join({1h, stopped}));
  EXPECT_EQ(conc::test::waiters(timer), 0U);
  EXPECT_TRUE(timer.is_alive());
  EXPECT_TRUE(timer.cancel());
  EXPECT_TRUE(timer.join(1h));
}

TEST(Timer, WhatItDidIsSeenAfterJoin) {
  int value = 0;
  Timer timer(1ms, [&] { value = 42; });
  timer.start();
  timer.join();
  EXPECT_EQ(value, 42);
}

TEST(Timer, CapturesAreDestroyedBeforeItHasEnded) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  Timer timer(0s, [held = std::move(held)] {});
  timer.start();
  timer.join();
  EXPECT_TRUE(watch.expired());
}

// ---- cancel

TEST(Timer, CancelBeforeStartPreventsTheCall) {
  bool ran = false;
  Timer timer(0s, [&ran] { ran = true; });
  EXPECT_TRUE(timer.cancel());
  EXPECT_FALSE(timer.cancel()) << "prevented before";
  EXPECT_FALSE(timer.cancel_and_wait());
  timer.start();
  timer.join();
  EXPECT_FALSE(timer.is_alive());
  EXPECT_FALSE(ran);
  EXPECT_THROW(timer.start(), UsageError);
}

TEST(Timer, CancelBeforeItsTimePreventsTheCallAndEndsIt) {
  bool ran = false;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  Timer timer(1h, [&ran, held = std::move(held)] { ran = true; });
  timer.start();
  EXPECT_TRUE(timer.is_alive());
  EXPECT_TRUE(timer.cancel());
  EXPECT_FALSE(timer.is_alive());
  EXPECT_TRUE(watch.expired());
  timer.join();
  EXPECT_FALSE(timer.cancel());
  EXPECT_FALSE(ran);
}

TEST(Timer, CancelWakesWhoJoins) {
  Timer timer(1h, [] {});
  timer.start();
  std::thread joiner([&] { timer.join(); });
  EXPECT_TRUE(eventually_waiting(timer, 1));
  EXPECT_TRUE(timer.cancel());
  joiner.join();
}

TEST(Timer, CancelAfterItFiredHasNoEffect) {
  int calls = 0;
  Timer timer(0s, [&] { ++calls; });
  timer.start();
  timer.join();
  EXPECT_FALSE(timer.cancel());
  EXPECT_FALSE(timer.cancel_and_wait());
  EXPECT_EQ(calls, 1);
}

TEST(Timer, CancelDoesNotWaitForACallThatRuns) {
  Event runs;
  Event go;
  Timer timer(0s, [&] {
    runs.set();
    go.wait();
  });
  timer.start();
  runs.wait();
  EXPECT_FALSE(timer.cancel());
  EXPECT_TRUE(timer.is_alive());
  go.set();
  timer.join();
}

TEST(Timer, CancelAndWaitWaitsForACallThatRuns) {
  Event runs;
  Event go;
  int value = 0;
  Timer timer(0s, [&] {
    runs.set();
    go.wait();
    value = 42;
  });
  timer.start();
  runs.wait();
  std::thread setter([&] {
    EXPECT_TRUE(eventually_waiting(timer, 1));
    go.set();
  });
  EXPECT_FALSE(timer.cancel_and_wait());
  EXPECT_EQ(value, 42);
  EXPECT_FALSE(timer.is_alive());
  setter.join();
}

TEST(Timer, CancelAndWaitPreventsACallThatIsToCome) {
  Timer timer(1h, [] {});
  timer.start();
  EXPECT_TRUE(timer.cancel_and_wait());
  EXPECT_FALSE(timer.is_alive());
}

TEST(Timer, CancelInsideItsOwnFunctionNeitherWaitsNorPrevents) {
  bool cancelled = true;
  bool waited = true;
  Timer* self = nullptr;
  Timer timer(0s, [&] {
    cancelled = self->cancel();
    waited = self->cancel_and_wait();
  });
  self = &timer;
  timer.start();
  timer.join();
  EXPECT_FALSE(cancelled);
  EXPECT_FALSE(waited);
}

TEST(Timer, WhatItsFunctionHeldMayUseTheTimerWhenItGoes) {
  struct User {
    Timer* timer;
    bool* prevented;
    ~User() { *prevented = timer->cancel_and_wait(); }
  };
  for (const auto interval : {0h, 1h}) {
    bool prevented = true;
    auto user = std::make_shared<User>();
    Timer timer(interval, [user] {});
    user->timer = &timer;
    user->prevented = &prevented;
    user.reset();
    timer.start();
    if (interval == 0h) timer.join();
    EXPECT_EQ(timer.cancel_and_wait(), interval == 1h);
    EXPECT_FALSE(prevented);
  }
}

TEST(Timer, TheLastHandleMayGoWithItsFunction) {
  // cancel() destroys the function, that destroys the handle, and cancel() comes back from it.
  for (const bool wait : {false, true}) {
    auto handle = std::make_shared<std::unique_ptr<Timer>>();
    const std::weak_ptr<std::unique_ptr<Timer>> watch = handle;
    *handle = std::make_unique<Timer>(1h, [handle] {});
    Timer* const timer = handle->get();
    handle.reset();
    timer->start();
    EXPECT_TRUE(wait ? timer->cancel_and_wait() : timer->cancel());
    EXPECT_TRUE(watch.expired());
  }
}

// ---- Life

TEST(Timer, FiresWithoutItsHandle) {
  const auto fired = std::make_shared<Event>();
  Timer(1ms, [fired] { fired->set(); }).start();
  fired->wait();
  EXPECT_TRUE(eventually([&] { return fired.use_count() == 1; })) << "and is then destroyed";
}

TEST(Timer, OneThatWasNotStartedGoesWithItsHandle) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  {
    Timer timer(0s, [held = std::move(held)] {});
  }
  EXPECT_TRUE(watch.expired());
}

TEST(Timer, MovesAndIsThenEmpty) {
  std::vector<Timer> timers;
  std::atomic<int> ran{0};
  for (int i = 0; i < 5; ++i) timers.emplace_back(1ms, [&] { ++ran; });
  for (Timer& timer : timers) timer.start();
  for (Timer& timer : timers) timer.join();
  EXPECT_EQ(ran, 5);
  const Timer moved = std::move(timers[0]);
  EXPECT_FALSE(moved.is_alive());
  EXPECT_THROW(timers[0].start(), UsageError);  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(timers[0].cancel(), UsageError);
}

TEST(Timer, ItsFunctionMayDestroyTheHandle) {
  const auto ended = std::make_shared<Event>();
  const auto handle = std::make_shared<std::unique_ptr<Timer>>();
  *handle = std::make_unique<Timer>(1ms, [=] {
    handle->reset();
    ended->set();
  });
  (*handle)->start();
  ended->wait();
}

TEST(Timer, ItsFunctionMayStartOthers) {
  Event end;
  Timer outer(0s, [&] { Timer(0s, [&] { Timer(1ms, [&] { end.set(); }).start(); }).start(); });
  outer.start();
  end.wait();
  outer.join();
}

TEST(Timer, AnEscapedExceptionIsReportedWithTheTimersName) {
  static std::string channel;
  static std::string text;
  conc::set_report_hook([](const conc::Report& news) {
    channel = news.channel;
    text = std::string(news.message) + " " + conc::describe(news.exception);
  });
  Timer timer({.name = "t1"}, 0s, [] { throw std::runtime_error("lost"); });
  timer.start();
  timer.join();
  conc::set_report_hook(nullptr);
  EXPECT_EQ(channel, "conc.thread");
  EXPECT_EQ(text, "conc::Timer \"t1\" has called a function that threw. std::runtime_error: lost");
}

TEST(Timer, ItsNameIsThatOfTheThreadWhileTheFunctionRuns) {
  std::string inside;
  Timer timer({.name = "flush"}, 0s, [&] { inside = conc::detail::this_thread_name(); });
  EXPECT_EQ(timer.name(), "flush");
  timer.start();
  timer.join();
  EXPECT_EQ(inside, "flush");

  Timer nameless(0s, [&] { inside = conc::detail::this_thread_name(); });
  EXPECT_EQ(nameless.name(), "");
  nameless.start();
  nameless.join();
  EXPECT_EQ(inside.substr(0, 12), "TimerHelper-");
}

TEST(Timer, TheDaemonFlagIsInherited) {
  EXPECT_FALSE(Timer(0s, [] {}).daemon()) << "the main thread is none";
  EXPECT_TRUE(Timer({.daemon = true}, 0s, [] {}).daemon());
  bool by_timer = false;
  bool by_thread = false;
  bool said_otherwise = true;
  Timer timer({.daemon = true}, 0s, [&] {
    by_timer = Timer(0s, [] {}).daemon();
    said_otherwise = Timer({.daemon = false}, 0s, [] {}).daemon();
  });
  timer.start();
  timer.join();
  conc::Thread thread({.daemon = true}, [&] { by_thread = Timer(0s, [] {}).daemon(); });
  thread.start();
  thread.join();
  EXPECT_TRUE(by_timer);
  EXPECT_TRUE(by_thread);
  EXPECT_FALSE(said_otherwise);
}

TEST(Timer, IsNoDaemonByDefaultInAThreadThatIsNoThreadOfConc) {
  bool in_stranger = true;
  bool in_worker = true;
  std::thread([&] { in_stranger = Timer(0s, [] {}).daemon(); }).join();
  conc::ThreadPoolExecutor(1).submit([&] { in_worker = Timer(0s, [] {}).daemon(); }).result();
  EXPECT_FALSE(in_stranger);
  EXPECT_FALSE(in_worker);
}

// ---- Threads

std::size_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST(Timer, AFunctionThatBlocksDelaysNoOther) {
  Event go;
  std::atomic<int> blocked{0};
  std::vector<Timer> timers;
  for (int i = 0; i < 30; ++i) {
    timers.emplace_back(std::chrono::milliseconds(i % 3), [&] {
      ++blocked;
      go.wait();
    });
  }
  for (Timer& timer : timers) timer.start();
  EXPECT_TRUE(eventually([&] { return blocked == 30; }));
  for (const auto interval : {0ms, 1ms}) {
    Timer other(interval, [] {});
    other.start();
    other.join();
  }
  go.set();
  for (Timer& timer : timers) timer.join();
}

TEST(Timer, ManyThatWaitAndManyThatFireNeedFewThreads) {
#if !defined(__linux__)
  GTEST_SKIP() << "counts threads in /proc";
#endif
  EXPECT_TRUE(eventually([] { return threads() < 10; })) << "helpers that are idle go";
  std::atomic<int> fired{0};
  std::vector<Timer> timers;
  for (int i = 0; i < 10'000; ++i) timers.emplace_back(1h, [] {});
  for (int i = 0; i < 1'000; ++i) {
    timers.emplace_back(std::chrono::microseconds(50 * i), [&] { ++fired; });
  }
  std::size_t most = 0;
  for (Timer& timer : timers) timer.start();
  EXPECT_TRUE(eventually([&] {
    most = std::max(most, threads());
    return fired == 1'000;
  }));
  EXPECT_LT(most, 100U);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(timers[static_cast<std::size_t>(i)].cancel());
  }
}

TEST(Timer, AllocatesWhenItIsMadeAndNotToBeStartedOrCancelled) {
  // The threads of earlier tests are gone or idle, and allocate nothing.
  std::vector<Timer> timers;
  timers.reserve(2'000);
  for (int i = 0; i < 2'000; ++i) timers.emplace_back(1h, [] {});
  for (Timer& timer : timers) timer.start();
  for (Timer& timer : timers) EXPECT_TRUE(timer.cancel());
  timers.clear();  // the heap has room now

  std::size_t before = allocations;
  for (int i = 0; i < 1'000; ++i) timers.emplace_back(1h, [] {});
  EXPECT_EQ(allocations - before, 1'000U);
  before = allocations;
  for (Timer& timer : timers) timer.start();
  for (Timer& timer : timers) timer.cancel();
  EXPECT_EQ(allocations - before, 0U);
}

}  // namespace
