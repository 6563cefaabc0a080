#include <conc/event.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Until;
using conc::test::eventually_waiting;
using conc::test::together;
using conc::test::waiters;
using Clock = Until::Clock;

static_assert(sizeof(Event) == 72, "stated in the header");
constinit Event global_event("global");

TEST(Event, IsFalseAtFirstAndKeepsWhatItIsMade) {
  EXPECT_FALSE(global_event.is_set());
  EXPECT_STREQ(global_event.name(), "global");
  Event event;
  event.set();
  event.set();
  EXPECT_TRUE(event.is_set());
  event.clear();
  event.clear();
  EXPECT_FALSE(event.is_set());
}

TEST(Event, WaitReturnsAtOnceWhenSet) {
  Event event;
  event.set();
  event.wait();
  EXPECT_TRUE(event.is_set()) << "waiting takes nothing away";
}

TEST(Event, EveryFormOfUntilSucceedsWhenSet) {
  Event event;
  event.set();
  std::stop_source source;
  source.request_stop();
  const std::stop_token stopped = source.get_token();
  EXPECT_TRUE(event.wait(1h));
  EXPECT_TRUE(event.wait(-1h));
  EXPECT_TRUE(event.wait(Clock::now() - 1h));
  EXPECT_TRUE(event.wait(std::chrono::system_clock::now()));
  EXPECT_TRUE(event.wait(stopped));
  EXPECT_TRUE(event.wait({0ms, stopped}));
  EXPECT_TRUE(event.wait(std::nullopt));
  EXPECT_TRUE(event.wait(conc::at_once));
}

TEST(Event, EveryFormOfUntilGivesUpWhenNotSet) {
  Event event;
  std::stop_source source;
  source.request_stop();
  const std::stop_token stopped = source.get_token();
  EXPECT_FALSE(event.wait(1ms));
  EXPECT_FALSE(event.wait(0ms));
  EXPECT_FALSE(event.wait(-1h));
  EXPECT_FALSE(event.wait(Clock::now() + 1ms));
  EXPECT_FALSE(event.wait(Clock::now() - 1h));
  EXPECT_FALSE(event.wait(std::chrono::system_clock::now() + 1ms));
  EXPECT_FALSE(event.wait(stopped));
  EXPECT_FALSE(event.wait({1h, stopped}));
  EXPECT_FALSE(event.wait(conc::at_once));
  EXPECT_EQ(waiters(event), 0U);
}

TEST(Event, TimeoutIsNeverEarly) {
  Event event;
  const auto start = Clock::now();
  EXPECT_FALSE(event.wait(5ms));
  EXPECT_GE(Clock::now() - start, 5ms);
}

TEST(Event, SetWakesEveryoneWhoWaits) {
  Event event;
  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { woken += event.wait(1h) ? 1 : 0; });
  }
  ASSERT_TRUE(eventually_waiting(event, 8));
  event.set();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(woken, 8);
  EXPECT_EQ(waiters(event), 0U);
}

TEST(Event, SetAndClearInARowWakesEveryoneWhoWaited) {
  Event event;
  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { woken += event.wait(1h) ? 1 : 0; });
  }
  ASSERT_TRUE(eventually_waiting(event, 3));
  event.set();
  event.clear();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(woken, 3);
  EXPECT_FALSE(event.is_set());
  EXPECT_FALSE(event.wait(conc::at_once)) << "later ones wait for the next";
}

TEST(Event, APulseIsNotMissedByAThreadThatIsNotAsleepYet) {
  using conc::detail::Inspect;
  Event event;
  const auto entry = Inspect::entry(event);
  EXPECT_FALSE(Inspect::wait_since(event, entry, 1ms));
  event.set();
  event.clear();
  EXPECT_TRUE(Inspect::wait_since(event, entry, conc::forever));
  EXPECT_TRUE(Inspect::wait_since(event, entry, 1ms));
  EXPECT_FALSE(Inspect::wait_since(event, Inspect::entry(event), 1ms)) << "it came after the pulse";
}

TEST(Event, StopEndsOnlyTheWaitItBelongsTo) {
  Event event;
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread stays([&] { EXPECT_TRUE(event.wait(1h)); });
  ASSERT_TRUE(eventually_waiting(event, 1));
  std::thread goes([&] { EXPECT_FALSE(event.wait({1h, token})); });
  ASSERT_TRUE(eventually_waiting(event, 2));
  source.request_stop();
  goes.join();
  EXPECT_EQ(waiters(event), 1U);
  event.set();
  stays.join();
}

TEST(Event, WhatWasWrittenBeforeSetIsSeenAfterWait) {
  for (int i = 0; i < 2'000; ++i) {
    Event event;
    int value = 0;
    std::thread writer([&] {
      value = i;
      event.set();
    });
    event.wait();
    EXPECT_EQ(value, i);
    writer.join();
  }
}

TEST(Event, TwoSettersAreBothSeen) {
  // The second set() of a set event synchronizes as well.
  for (int i = 0; i < 1'000; ++i) {
    Event event;
    int values[2] = {};
    std::atomic<int> done{0};
    together(3, [&](std::size_t who) {
      if (who < 2) {
        values[who] = 1;
        event.set();
        done.fetch_add(1, std::memory_order_relaxed);
      } else {
        while (done.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
        event.wait();
        EXPECT_EQ(values[0] + values[1], 2);
      }
    });
  }
}

TEST(Event, MayBeDestroyedRightAfterWaitReturned) {
  for (int i = 0; i < 2'000; ++i) {
    std::optional<Event> done(std::in_place);
    std::thread setter([event = &*done] { event->set(); });
    done->wait();
    done.reset();
    setter.join();
  }
}

TEST(Event, MayBeDestroyedRightAfterATimedWaitSawIt) {
  for (int i = 0; i < 300; ++i) {
    auto done = std::make_unique<Event>();
    std::thread setter([event = done.get()] { event->set(); });
    while (!done->wait(std::chrono::microseconds(i % 30))) {
    }
    done.reset();
    setter.join();
  }
}

}  // namespace
