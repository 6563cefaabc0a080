#include <conc/condition.hpp>
#include <conc/errors.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/rlock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Condition;
using conc::Lock;
using conc::LockGuard;
using conc::RLock;
using conc::Until;
using conc::UsageError;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::waiters;
using Clock = Until::Clock;

static_assert(sizeof(Condition) == 200, "stated in the header");

// A condition on each kind of lock.
struct OnItsOwnRLock {
  Condition condition{"own"};
};
struct OnAnRLock {
  RLock lock{"shared"};
  Condition condition{lock, "on rlock"};
};
struct OnALock {
  Lock lock{"shared"};
  Condition condition{lock, "on lock"};
};

template <class Owner>
class Conditions : public testing::Test {
 protected:
  Owner owner;
  Condition& condition = owner.condition;
};
using Owners = testing::Types<OnItsOwnRLock, OnAnRLock, OnALock>;
TYPED_TEST_SUITE(Conditions, Owners);

TYPED_TEST(Conditions, WaitGivesUpTheLockAndReturnsWithIt) {
  bool ready = false;
  std::thread waiter([&] {
    const LockGuard hold(this->condition);
    this->condition.wait();
    EXPECT_TRUE(ready);
  });
  ASSERT_TRUE(eventually_waiting(this->condition, 1));
  {
    const LockGuard hold(this->condition);  // it is free while the other waits
    ready = true;
    this->condition.notify();
    EXPECT_EQ(waiters(this->condition), 0U);
  }
  waiter.join();
}

TYPED_TEST(Conditions, WaitAndNotifyWithoutTheLockThrow) {
  EXPECT_THROW(this->condition.wait(), UsageError);
  EXPECT_THROW(static_cast<void>(this->condition.wait(1ms)), UsageError);
  EXPECT_THROW(this->condition.notify(), UsageError);
  EXPECT_THROW(this->condition.notify_all(), UsageError);
  EXPECT_THROW(this->condition.wait_for([] { return false; }), UsageError);
}

TYPED_TEST(Conditions, EveryFormOfUntilGivesUpWithTheLockHeld) {
  std::stop_source source;
  source.request_stop();
  const std::stop_token stopped = source.get_token();
  const LockGuard hold(this->condition);
  const auto check = [this](Until until) {
    EXPECT_FALSE(this->condition.wait(until));
    std::thread([this] { EXPECT_FALSE(this->condition.try_acquire()); }).join();
  };
  check(1ms);
  check(0ms);
  check(-1h);
  check(Clock::now() + 1ms);
  check(Clock::now() - 1h);
  check(std::chrono::system_clock::now() + 1ms);
  check(stopped);
  check({1h, stopped});
  check(conc::at_once);
  EXPECT_EQ(waiters(this->condition), 0U);
}

TYPED_TEST(Conditions, WaitingAtOnceStillReleasesAndReacquires) {
  // Another thread waits for the lock: it gets it while the first polls.
  std::atomic<bool> got{false};
  std::thread other;
  {
    const LockGuard hold(this->condition);
    other = std::thread([&] {
      const LockGuard theirs(this->condition);
      got = true;
    });
    EXPECT_TRUE(eventually([&] {
      EXPECT_FALSE(this->condition.wait(conc::at_once));
      return got.load();
    }));
  }
  other.join();
}

TYPED_TEST(Conditions, NotifyWakesExactlyTheLongestWaiting) {
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&, i] {
      const LockGuard hold(this->condition);
      this->condition.wait();
      order.push_back(i);
    });
    ASSERT_TRUE(eventually_waiting(this->condition, static_cast<std::size_t>(i) + 1));
  }
  const auto came = [&](std::size_t n) {
    return eventually([&] {
      const LockGuard hold(this->condition);
      return order.size() == n;
    });
  };
  {
    const LockGuard hold(this->condition);
    this->condition.notify(2);
    EXPECT_EQ(waiters(this->condition), 3U);
  }
  ASSERT_TRUE(came(2));
  {
    const LockGuard hold(this->condition);
    this->condition.notify();
  }
  ASSERT_TRUE(came(3));
  {
    const LockGuard hold(this->condition);
    this->condition.notify(100);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(waiters(this->condition), 0U);
}

TYPED_TEST(Conditions, NotifyWithNobodyWaitingIsForgotten) {
  const LockGuard hold(this->condition);
  this->condition.notify_all();
  this->condition.notify(0);
  EXPECT_FALSE(this->condition.wait(1ms));
}

TYPED_TEST(Conditions, ANotifiedThreadKeepsItsWakeUpWhenItsTimeRunsOut) {
  // The notifier holds the lock until the time is long past.
  std::atomic<int> notified{0};
  std::thread waiter([&] {
    const LockGuard hold(this->condition);
    notified = this->condition.wait(20ms) ? 1 : -1;
  });
  ASSERT_TRUE(eventually_waiting(this->condition, 1));
  bool in_time = false;
  {
    const LockGuard hold(this->condition);
    in_time = waiters(this->condition) == 1;
    this->condition.notify();
    const auto later = Clock::now() + 40ms;
    ASSERT_TRUE(eventually([&] { return Clock::now() > later; }));
  }
  waiter.join();
  EXPECT_EQ(notified, in_time ? 1 : -1);
}

TYPED_TEST(Conditions, AStopOrTimeoutTakesNoNotificationFromAnother) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread goes([&] {
    const LockGuard hold(this->condition);
    EXPECT_FALSE(this->condition.wait(token));
  });
  ASSERT_TRUE(eventually_waiting(this->condition, 1));
  std::thread stays([&] {
    const LockGuard hold(this->condition);
    EXPECT_TRUE(this->condition.wait(1h));
  });
  ASSERT_TRUE(eventually_waiting(this->condition, 2));
  source.request_stop();
  goes.join();
  {
    const LockGuard hold(this->condition);
    this->condition.notify();
  }
  stays.join();
}

TYPED_TEST(Conditions, WaitForAsksAtLeastOnceAndOnceMoreWhenTheTimeIsUp) {
  const LockGuard hold(this->condition);
  int asked = 0;
  EXPECT_TRUE(this->condition.wait_for([&] { return ++asked == 1; }, conc::at_once));
  EXPECT_EQ(asked, 1);
  asked = 0;
  EXPECT_FALSE(this->condition.wait_for([&] { return ++asked > 2; }, 1ms));
  EXPECT_EQ(asked, 2);
  asked = 0;
  EXPECT_TRUE(this->condition.wait_for([&] { return ++asked == 2; }, 1ms))
      << "its last value counts";
}

TYPED_TEST(Conditions, WaitForCountsItsTimeFromTheCallNotFromEachWakeUp) {
  std::atomic<bool> stop{false};
  const auto start = Clock::now();
  std::thread nagging([&] {
    while (!stop) {
      const LockGuard hold(this->condition);
      this->condition.notify_all();
    }
  });
  {
    const LockGuard hold(this->condition);
    EXPECT_FALSE(this->condition.wait_for([] { return false; }, 20ms));
  }
  EXPECT_GE(Clock::now() - start, 20ms);
  stop = true;
  nagging.join();
}

TYPED_TEST(Conditions, WaitForEndsInTimeHoweverManyNotificationsCome) {
  // A notification beats the time, so each wait may end with one; the whole must end all the same.
  std::atomic<bool> stop{false};
  std::thread notifying([&] {
    while (!stop) {
      const LockGuard hold(this->condition);
      this->condition.notify_all();
    }
  });
  {
    const LockGuard hold(this->condition);
    const auto deadline = Clock::now() + 10ms;
    int late = 0;  // how often it was asked after the time was up
    EXPECT_FALSE(this->condition.wait_for(
        [&] {
          if (Clock::now() > deadline) ++late;
          return false;
        },
        deadline));
    EXPECT_GE(late, 1);
    EXPECT_LE(late, 2);
  }
  stop = true;
  notifying.join();
}

TYPED_TEST(Conditions, APredicateThatThrowsLeavesTheLockHeld) {
  const LockGuard hold(this->condition);
  EXPECT_THROW(this->condition.wait_for([]() -> bool { throw std::runtime_error("no"); }),
               std::runtime_error);
  std::thread([this] { EXPECT_FALSE(this->condition.try_acquire()); }).join();
  int asked = 0;
  EXPECT_THROW(static_cast<void>(this->condition.wait_for(
                   [&asked]() -> bool {
                     if (++asked == 2) throw std::runtime_error("later");
                     return false;
                   },
                   1ms)),
               std::runtime_error);
  std::thread([this] { EXPECT_FALSE(this->condition.try_acquire()); }).join();
}

TYPED_TEST(Conditions, NoSpuriousWakeUpIsVisible) {
  // Every return of wait() is paid for by a notify().
  std::atomic<int> woken{0};
  int sent = 0;
  constexpr int threads = 3;
  constexpr int each = 300;
  std::vector<std::thread> waiting;
  for (int i = 0; i < threads; ++i) {
    waiting.emplace_back([&] {
      for (int k = 0; k < each; ++k) {
        const LockGuard hold(this->condition);
        this->condition.wait();
        ++woken;
      }
    });
  }
  while (sent < threads * each) {
    {
      const LockGuard hold(this->condition);
      if (waiters(this->condition) != 0) {
        this->condition.notify();
        ++sent;
      }
    }
    EXPECT_LE(woken, sent);
    std::this_thread::yield();  // to those who have to come back first
  }
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(woken, sent);
}

TYPED_TEST(Conditions, ProducersAndConsumersLoseNothing) {
  std::deque<int> items;
  long sum = 0;
  conc::test::together(4, [&](std::size_t who) {
    for (int i = 1; i <= 2'000; ++i) {
      const LockGuard hold(this->condition);
      if (who % 2 == 0) {
        items.push_back(i);
        this->condition.notify();
      } else {
        this->condition.wait_for([&] { return !items.empty(); });
        sum += items.front();
        items.pop_front();
      }
    }
  });
  EXPECT_EQ(sum, 2L * 2'000 * 2'001 / 2);
  EXPECT_TRUE(items.empty());
  EXPECT_EQ(waiters(this->condition), 0U);
}

// ---- What only a condition with an RLock, or on a shared lock, has

TEST(Condition, GivesUpAnRLocksWholeDepthAndRestoresIt) {
  RLock lock;
  Condition condition(lock);
  lock.acquire();
  lock.acquire();
  lock.acquire();
  std::thread other([&] {
    EXPECT_TRUE(eventually_waiting(condition, 1));
    EXPECT_TRUE(lock.acquire(10s)) << "free, though it was held three times";
    condition.notify();
    lock.release();
  });
  condition.wait();
  other.join();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(lock.owned());
    lock.release();
  }
  EXPECT_FALSE(lock.locked());
}

TEST(Condition, RestoresTheDepthWhenTheTimeIsUpAndWhenThePredicateThrows) {
  Condition condition;
  condition.acquire();
  condition.acquire();
  EXPECT_FALSE(condition.wait(1ms));
  EXPECT_FALSE(condition.wait(conc::at_once));
  int asked = 0;
  std::thread notifier;
  const auto throws_when_notified = [&] {
    if (++asked == 2) throw std::runtime_error("no");
    notifier = std::thread([&] {
      const LockGuard hold(condition);
      condition.notify();
    });
    return false;
  };
  EXPECT_THROW(condition.wait_for(throws_when_notified), std::runtime_error);
  notifier.join();
  condition.release();
  condition.release();
  EXPECT_THROW(condition.release(), UsageError);
}

TEST(Condition, AStrangerMayNotNotifyWhileAnotherHoldsTheRLock) {
  Condition condition("release");
  const LockGuard hold(condition);
  std::thread([&] {
    try {
      condition.notify();
      FAIL() << "notified without the lock";
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()),
                "conc::Condition \"release\" got notify() from a thread that does not hold its "
                "lock; acquire it "
                "first.");
    }
  }).join();
}

TEST(Condition, SeveralShareOneLock) {
  // A bounded buffer as Python's queue has it: one lock, two conditions.
  Lock lock;
  Condition not_empty(lock);
  Condition not_full(lock);
  std::deque<int> items;
  std::vector<int> got;
  std::thread consumer([&] {
    for (int i = 0; i < 3'000; ++i) {
      const LockGuard hold(lock);
      not_empty.wait_for([&] { return !items.empty(); });
      got.push_back(items.front());
      items.pop_front();
      not_full.notify();
    }
  });
  for (int i = 0; i < 3'000; ++i) {
    const LockGuard hold(lock);
    not_full.wait_for([&] { return items.size() < 2; });
    items.push_back(i);
    not_empty.notify();
  }
  consumer.join();
  ASSERT_EQ(got.size(), 3'000U);
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
}

TEST(Condition, ALockFreedUnderTheNotifiersHandsStrandsNobody) {
  // A Lock may be released by any thread; whoever was notified then goes on all the same.
  Lock lock;
  Condition condition(lock);
  std::thread waiter([&] {
    const LockGuard hold(lock);
    condition.wait();
  });
  ASSERT_TRUE(eventually_waiting(condition, 1));
  lock.acquire();
  condition.notify();
  std::thread([&] { lock.release(); }).join();
  waiter.join();
  EXPECT_FALSE(lock.locked());
}

}  // namespace
