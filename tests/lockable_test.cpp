// What everything that can be acquired and released has in common.

#include <conc/condition.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/rlock.hpp>
#include <conc/semaphore.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::LockGuard;
using conc::Until;
using conc::test::eventually;
using conc::test::together;
using Clock = Until::Clock;

// The named requirement TimedLockable, which the standard library has no concept for.
template <class L>
concept TimedLockable = requires(L& lock) {
  lock.lock();
  lock.unlock();
  { lock.try_lock() } -> std::same_as<bool>;
  { lock.try_lock_for(1ms) } -> std::same_as<bool>;
  { lock.try_lock_until(Clock::now()) } -> std::same_as<bool>;
  { lock.try_lock_until(std::chrono::system_clock::now()) } -> std::same_as<bool>;
};

template <class L>
std::size_t acquirers(const L& lock) {
  return conc::detail::Inspect::acquirers(lock);
}

template <class L>
bool eventually_acquiring(const L& lock, std::size_t n) {
  return eventually([&] { return acquirers(lock) == n; });
}

template <class L>
class Lockable : public testing::Test {
 protected:
  // Runs f in a thread of its own, to its end.
  template <class F>
  static void elsewhere(F f) {
    std::thread(f).join();
  }
};

using Lockables = testing::Types<conc::Lock, conc::RLock, conc::Condition, conc::Semaphore>;
TYPED_TEST_SUITE(Lockable, Lockables);

TYPED_TEST(Lockable, IsAStandardTimedLockable) {
  static_assert(TimedLockable<TypeParam>);
  static_assert(!std::copyable<TypeParam> && !std::movable<TypeParam>);
}

TYPED_TEST(Lockable, IsHeldByOneThreadAtATime) {
  TypeParam lock;
  lock.acquire();
  this->elsewhere([&] { EXPECT_FALSE(lock.try_acquire()); });
  lock.release();
  this->elsewhere([&] {
    ASSERT_TRUE(lock.try_acquire());
    lock.release();
  });
}

TYPED_TEST(Lockable, EveryFormOfUntilAcquiresWhatIsFree) {
  TypeParam lock;
  std::stop_source source;
  source.request_stop();
  const std::stop_token stopped = source.get_token();
  const auto check = [&lock](Until until) {
    ASSERT_TRUE(lock.acquire(until)) << "success beats stop beats timeout";
    lock.release();
  };
  check(1h);
  check(0ms);
  check(-1h);
  check(Clock::now() - 1h);
  check(std::chrono::system_clock::now() + 1h);
  check(stopped);
  check({0ms, stopped});
  check(std::nullopt);
  check(std::optional<std::chrono::seconds>());
  check(conc::forever);
  check(conc::at_once);
}

TYPED_TEST(Lockable, EveryFormOfUntilGivesUpWhenItIsHeld) {
  TypeParam lock;
  std::stop_source source;
  source.request_stop();
  const std::stop_token stopped = source.get_token();
  lock.acquire();
  this->elsewhere([&] {
    EXPECT_FALSE(lock.acquire(1ms));
    EXPECT_FALSE(lock.acquire(0ms));
    EXPECT_FALSE(lock.acquire(-1h));
    EXPECT_FALSE(lock.acquire(Clock::now() + 1ms));
    EXPECT_FALSE(lock.acquire(Clock::now() - 1h));
    EXPECT_FALSE(lock.acquire(std::chrono::system_clock::now() + 1ms));
    EXPECT_FALSE(lock.acquire(stopped));
    EXPECT_FALSE(lock.acquire({1h, stopped}));
    EXPECT_FALSE(lock.acquire(conc::at_once));
  });
  lock.release();
}

TYPED_TEST(Lockable, TimeoutIsNeverEarly) {
  TypeParam lock;
  lock.acquire();
  this->elsewhere([&] {
    const auto start = Clock::now();
    EXPECT_FALSE(lock.acquire(5ms));
    EXPECT_GE(Clock::now() - start, 5ms);
  });
  lock.release();
}

TYPED_TEST(Lockable, StopEndsAWaitThatHasBegun) {
  TypeParam lock;
  lock.acquire();
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread waiter([&] { EXPECT_FALSE(lock.acquire({1h, token})); });
  ASSERT_TRUE(eventually_acquiring(lock, 1));
  source.request_stop();
  waiter.join();
  EXPECT_EQ(acquirers(lock), 0U);
  lock.release();
}

TYPED_TEST(Lockable, StopOrTimeoutOfOneWaiterDisturbsNoOther) {
  TypeParam lock;
  lock.acquire();
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread stays([&] {
    lock.acquire();
    lock.release();
  });
  ASSERT_TRUE(eventually_acquiring(lock, 1));
  std::thread goes([&] { EXPECT_FALSE(lock.acquire(token)); });
  ASSERT_TRUE(eventually_acquiring(lock, 2));
  this->elsewhere([&] { EXPECT_FALSE(lock.acquire(1ms)); });
  source.request_stop();
  goes.join();
  EXPECT_EQ(acquirers(lock), 1U);
  lock.release();
  stays.join();
  EXPECT_EQ(acquirers(lock), 0U);
}

TYPED_TEST(Lockable, IsWokenFirstComeFirst) {
  TypeParam lock;
  lock.acquire();
  std::vector<int> order;
  std::vector<std::thread> waiting;
  for (int i = 0; i < 6; ++i) {
    waiting.emplace_back([&, i] {
      lock.acquire();
      order.push_back(i);
      lock.release();
    });
    ASSERT_TRUE(eventually_acquiring(lock, static_cast<std::size_t>(i) + 1));
  }
  lock.release();
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5}));
}

TYPED_TEST(Lockable, ScopedLockHoldsTwo) {
  TypeParam a;
  TypeParam b;
  int count = 0;
  together(4, [&](std::size_t i) {
    for (int k = 0; k < 500; ++k) {
      if (i % 2 == 0) {
        const std::scoped_lock both(a, b);
        ++count;
      } else {
        const std::scoped_lock both(b, a);
        ++count;
      }
    }
  });
  EXPECT_EQ(count, 2000);
}

TYPED_TEST(Lockable, UniqueLockTakesATimeout) {
  TypeParam lock;
  const std::unique_lock first(lock, 1ms);
  EXPECT_TRUE(first.owns_lock());
  this->elsewhere([&] {
    const std::unique_lock second(lock, 1ms);
    EXPECT_FALSE(second.owns_lock());
    const std::unique_lock third(lock, Clock::now() + 1ms);
    EXPECT_FALSE(third.owns_lock());
  });
}

TYPED_TEST(Lockable, ConditionVariableAnyWaitsOnIt) {
  TypeParam lock;
  std::condition_variable_any changed;
  bool ready = false;
  std::thread waiter([&] {
    std::unique_lock hold(lock);
    changed.wait(hold, [&] { return ready; });
  });
  {
    const LockGuard hold(lock);
    ready = true;
  }
  changed.notify_one();
  waiter.join();
}

TYPED_TEST(Lockable, GuardReleasesWhenItsBlockEndsAndWhenItThrows) {
  TypeParam lock;
  try {
    const LockGuard hold(lock);
    throw 1;
  } catch (int) {
  }
  this->elsewhere([&] {
    ASSERT_TRUE(lock.try_acquire());
    lock.release();
  });
}

TYPED_TEST(Lockable, KeepsACountRight) {
  TypeParam lock;
  long count = 0;
  together(4, [&](std::size_t) {
    for (int i = 0; i < 5'000; ++i) {
      const LockGuard hold(lock);
      ++count;
    }
  });
  EXPECT_EQ(count, 20'000);
  EXPECT_EQ(acquirers(lock), 0U);
}

TYPED_TEST(Lockable, MayBeDestroyedByTheThreadThatGotItLast) {
  for (int i = 0; i < 500; ++i) {
    auto lock = std::make_unique<TypeParam>();
    lock->acquire();
    std::thread last([&] {
      lock->acquire();
      lock->release();
      lock.reset();  // while the release that let us in may still be on its way out
    });
    if (i % 2 == 0) {
      ASSERT_TRUE(eventually([&, raw = lock.get()] { return acquirers(*raw) == 1; }));
    }
    lock->release();
    last.join();
  }
}

}  // namespace
