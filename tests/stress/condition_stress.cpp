#include <conc/condition.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "eventually.hpp"
#include "gate.hpp"
#include "stress.hpp"
#include "watchdog.hpp"

namespace {

using conc::Condition;
using conc::Lock;
using conc::LockGuard;
using conc::test::Dice;
using conc::test::rounds;
using conc::test::together;
using conc::test::waiters;
using conc::test::Watchdog;

TEST(ConditionStress, WhatWasNotifiedIsWhatWasWoken) {
  Lock lock;
  Condition condition(lock);
  std::int64_t offered = 0;  // guarded by the lock, as the next two
  std::int64_t taken = 0;
  std::int64_t timed_out = 0;
  std::atomic<int> waiting{4};
  const std::int64_t each = rounds(10'000);
  together(6, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    if (who < 2) {
      while (waiting != 0) {
        {
          const LockGuard hold(lock);
          const auto before = static_cast<std::int64_t>(waiters(condition));
          const auto n = static_cast<std::size_t>(dice.roll(3));
          condition.notify(n);
          const auto after = static_cast<std::int64_t>(waiters(condition));
          // A waiter whose time is up may leave between the two looks, so this is the most that was
          // offered.
          offered += before - after;
        }
        std::this_thread::yield();
      }
      return;
    }
    for (std::int64_t i = 0; i < each; ++i) {
      const LockGuard hold(lock);
      (condition.wait(std::chrono::microseconds(dice.roll(51))) ? taken : timed_out) += 1;
    }
    --waiting;
  });
  EXPECT_EQ(taken + timed_out, 4 * each);
  EXPECT_GE(offered, taken);
  EXPECT_GT(taken, 0);
  EXPECT_EQ(waiters(condition), 0U);
  EXPECT_FALSE(lock.locked());
}

TEST(ConditionStress, TokensAreNeitherLostNorDoubled) {
  // Notified threads take a token each; those that give up take none. A lost wake-up would leave a
  // token and hang.
  Condition condition;
  std::int64_t tokens = 0;
  std::int64_t made = 0;
  std::int64_t taken = 0;
  const std::int64_t each = rounds(10'000);
  std::atomic<int> consuming{4};
  together(6, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    if (who < 2) {
      while (consuming != 0) {
        {
          const LockGuard hold(condition);
          ++tokens;
          ++made;
          condition.notify();
        }
        if (dice.roll(3) == 0) std::this_thread::yield();
      }
      return;
    }
    for (std::int64_t i = 0; i < each; ++i) {
      const LockGuard hold(condition);
      if (who == 2) {
        condition.wait_for([&] { return tokens > 0; });
      } else if (!condition.wait_for([&] { return tokens > 0; },
                                     std::chrono::microseconds(dice.roll(51)))) {
        continue;
      }
      --tokens;
      ++taken;
    }
    --consuming;
  });
  EXPECT_EQ(made, taken + tokens);
  EXPECT_EQ(waiters(condition), 0U);
}

void send_round_trips(Condition& condition) {
  int turn = 0;
  const std::int64_t count = rounds(1'000'000);
  Watchdog watchdog("round trips");
  together(2, [&](std::size_t me) {
    for (std::int64_t i = 0; i < count; ++i) {
      const LockGuard hold(condition);
      condition.wait_for([&] { return turn == static_cast<int>(me); });
      turn = 1 - turn;
      condition.notify();
      if (me == 0) watchdog.done();
    }
  });
  EXPECT_EQ(turn, 0);
  EXPECT_EQ(waiters(condition), 0U);
}

TEST(ConditionStress, AMillionRoundTripsUnderItsOwnRLock) {
  Condition condition;
  send_round_trips(condition);
}

TEST(ConditionStress, AMillionRoundTripsUnderALock) {
  Lock lock;
  Condition condition(lock);
  send_round_trips(condition);
  EXPECT_FALSE(lock.locked());
}

TEST(ConditionStress, MayBeDestroyedByTheLastThreadThatWasNotified) {
  // The notifier is still inside notify_all() or the release behind it when the condition goes; the
  // lock outlives it.
  Lock lock;
  std::atomic<Condition*> shared{nullptr};
  const std::int64_t count = rounds(100'000);
  std::thread notifier([&] {
    for (std::int64_t i = 0; i < count; ++i) {
      Condition* condition = nullptr;
      while ((condition = shared.exchange(nullptr)) == nullptr) std::this_thread::yield();
      const LockGuard hold(lock);
      condition->notify_all();
    }
  });
  for (std::int64_t i = 0; i < count; ++i) {
    std::optional<Condition> condition(std::in_place, lock);
    {
      const LockGuard hold(lock);
      shared = &*condition;
      condition->wait();
    }
    condition.reset();
  }
  notifier.join();
}

TEST(ConditionStress, MayBeDestroyedWithItsOwnLockByTheThreadThatWasNotified) {
  // The notifier is still inside the release that let the waiter in when both of them go. A waiter
  // whose time ran out misses a notification that comes before it has the lock again, so it looks
  // at what was changed and not at what wait() said.
  std::atomic<Condition*> shared{nullptr};
  std::int64_t notified = 0;  // guarded by the condition's lock
  const std::int64_t count = rounds(100'000);
  std::thread notifier([&] {
    for (std::int64_t i = 0; i < count; ++i) {
      Condition* condition = nullptr;
      while ((condition = shared.exchange(nullptr)) == nullptr) std::this_thread::yield();
      const LockGuard hold(*condition);
      ++notified;
      condition->notify();
    }
  });
  for (std::int64_t i = 0; i < count; ++i) {
    auto condition = std::make_unique<Condition>();
    {
      const LockGuard hold(*condition);
      shared = condition.get();
      if (i % 2 == 0) {
        condition->wait();
      } else {
        while (notified == i) static_cast<void>(condition->wait(std::chrono::microseconds(i % 20)));
      }
    }
    condition.reset();
  }
  notifier.join();
}

TEST(ConditionStress, TwoThousandThreadsOnOne) {
  Condition condition;
  const auto count = static_cast<std::size_t>(rounds(2'000));
  std::size_t woken = 0;
  together(count + 1, [&](std::size_t who) {
    if (who == count) {
      EXPECT_TRUE(conc::test::eventually_waiting(condition, count));
      const LockGuard hold(condition);
      condition.notify_all();
    } else {
      const LockGuard hold(condition);
      condition.wait();
      ++woken;
    }
  });
  EXPECT_EQ(woken, count);
  EXPECT_EQ(waiters(condition), 0U);
}

}  // namespace
