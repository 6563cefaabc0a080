// What Semaphore and BoundedSemaphore have in common, and what is Semaphore's own.

#include <conc/bounded_semaphore.hpp>
#include <conc/errors.hpp>
#include <conc/lock_guard.hpp>
#include <conc/semaphore.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"
#include "held_back.hpp"

namespace {

using namespace std::chrono_literals;
using conc::BoundedSemaphore;
using conc::LockGuard;
using conc::Semaphore;
using conc::Until;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::HeldBack;
using conc::test::together;
using conc::test::waiters;
using Clock = Until::Clock;

// The named requirements Lockable and TimedLockable, which the standard library has no concept for.
template <class L>
concept Lockable = requires(L& lock) {
  lock.lock();
  lock.unlock();
  { lock.try_lock() } -> std::same_as<bool>;
};
template <class L>
concept TimedLockable = Lockable<L> && requires(L& lock) {
  { lock.try_lock_for(1ms) } -> std::same_as<bool>;
  { lock.try_lock_until(Clock::now()) } -> std::same_as<bool>;
};
static_assert(TimedLockable<Semaphore> && TimedLockable<BoundedSemaphore>);
static_assert(!std::copyable<Semaphore> && !std::movable<Semaphore>);
static_assert(sizeof(Semaphore) == 96, "stated in the header");
static_assert(sizeof(BoundedSemaphore) <= 96, "stated in the header");
static_assert(!std::convertible_to<int, Semaphore>, "a number is not a semaphore");

// Usable before any constructor of the program runs.
constinit Semaphore global_semaphore{2, "global"};

template <class S>
class Semaphores : public testing::Test {
 protected:
  // Every test ends with the object at rest: all permits back, nobody in the list.
  void TearDown() override {
    if (semaphore_ == nullptr) return;
    EXPECT_EQ(semaphore_->permits(), permits_);
    EXPECT_EQ(waiters(*semaphore_), 0U);
  }

  S& with(std::ptrdiff_t permits) {
    permits_ = permits;
    semaphore_ = std::make_unique<S>(permits, "pool");
    return *semaphore_;
  }
  // All permits are taken.
  S& drained(std::ptrdiff_t permits) {
    S& semaphore = with(permits);
    for (std::ptrdiff_t i = 0; i < permits; ++i) semaphore.acquire();
    return semaphore;
  }

 private:
  std::unique_ptr<S> semaphore_;
  std::ptrdiff_t permits_ = 0;
};

struct Names {
  template <class S>
  static std::string GetName(int) {
    return std::same_as<S, Semaphore> ? "Semaphore" : "BoundedSemaphore";
  }
};
using SemaphoreTypes = testing::Types<Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(Semaphores, SemaphoreTypes, Names);

// ---- Counting

TYPED_TEST(Semaphores, HaveOnePermitUnlessTheConstructorSaysOtherwise) {
  TypeParam semaphore;
  EXPECT_EQ(semaphore.permits(), 1);
  EXPECT_TRUE(semaphore.try_acquire());
  EXPECT_FALSE(semaphore.try_acquire());
  EXPECT_EQ(semaphore.permits(), 0);
  semaphore.release();
  EXPECT_EQ(semaphore.permits(), 1);
}

TYPED_TEST(Semaphores, TryAcquireSucceedsUntilNoPermitIsLeft) {
  TypeParam& semaphore = this->with(3);
  for (int left = 2; left >= 0; --left) {
    EXPECT_TRUE(semaphore.try_acquire());
    EXPECT_EQ(semaphore.permits(), left);
  }
  EXPECT_FALSE(semaphore.try_acquire());
  semaphore.release(3);
}

TYPED_TEST(Semaphores, ANegativeStartThrowsAndNamesTheObject) {
  for (const std::ptrdiff_t start :
       {std::ptrdiff_t{-1}, std::numeric_limits<std::ptrdiff_t>::min()}) {
    EXPECT_THROW(TypeParam semaphore(start), std::invalid_argument);
  }
  try {
    TypeParam semaphore(-1, "pool");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("\"pool\" was made with -1 permits"),
              std::string::npos)
        << error.what();
  }
}

TYPED_TEST(Semaphores, AReleaseOfLessThanOneThrowsAndChangesNothing) {
  TypeParam& semaphore = this->with(2);
  semaphore.acquire();
  for (const std::ptrdiff_t n :
       {std::ptrdiff_t{0}, std::ptrdiff_t{-1}, std::numeric_limits<std::ptrdiff_t>::min()}) {
    EXPECT_THROW(semaphore.release(n), std::invalid_argument);
    EXPECT_EQ(semaphore.permits(), 1);
  }
  semaphore.release();
}

TYPED_TEST(Semaphores, ARefusedReleaseDisturbsNoWaiter) {
  TypeParam& semaphore = this->drained(1);
  std::thread waiter([&] { semaphore.acquire(); });
  ASSERT_TRUE(eventually_waiting(semaphore, 1));
  EXPECT_THROW(semaphore.release(0), std::invalid_argument);
  if constexpr (std::same_as<TypeParam, BoundedSemaphore>) {
    EXPECT_THROW(semaphore.release(2), conc::UsageError);
  }
  EXPECT_EQ(waiters(semaphore), 1U);
  EXPECT_EQ(semaphore.permits(), 0);
  semaphore.release();
  waiter.join();
  semaphore.release();
}

TYPED_TEST(Semaphores, HoldAsManyPermitsAsTheTypeOfTheNumberCan) {
  constexpr std::ptrdiff_t most = std::numeric_limits<std::ptrdiff_t>::max();
  TypeParam& semaphore = this->with(most);
  EXPECT_EQ(semaphore.permits(), most);
  EXPECT_THROW(semaphore.release(), conc::UsageError);
  EXPECT_THROW(semaphore.release(most), conc::UsageError);
  EXPECT_EQ(semaphore.permits(), most);
  semaphore.acquire();
  EXPECT_EQ(semaphore.permits(), most - 1);
  EXPECT_THROW(semaphore.release(2), conc::UsageError);
  semaphore.release();
}

TYPED_TEST(Semaphores, PermitsBelongToNoThread) {
  TypeParam& semaphore = this->with(1);
  semaphore.acquire();
  std::thread([&] { semaphore.release(); }).join();
  EXPECT_TRUE(semaphore.try_acquire());
  semaphore.release();
}

TYPED_TEST(Semaphores, LetAtMostSoManyInAtOnce) {
  TypeParam& semaphore = this->with(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  together(8, [&](std::size_t) {
    for (int i = 0; i < 500; ++i) {
      semaphore.acquire();
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      if (i % 16 == 0) std::this_thread::yield();
      --inside;
      semaphore.release();
    }
  });
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 1);
}

// ---- Waiting and waking

TYPED_TEST(Semaphores, AReleaseLetsAWaiterGoOn) {
  TypeParam& semaphore = this->drained(1);
  std::thread waiter([&] { semaphore.acquire(); });
  ASSERT_TRUE(eventually_waiting(semaphore, 1));
  semaphore.release();
  waiter.join();
  EXPECT_EQ(semaphore.permits(), 0);
  semaphore.release();
}

TYPED_TEST(Semaphores, WakeFirstComeFirstWoken) {
  constexpr int n = 8;
  TypeParam& semaphore = this->drained(n);
  std::vector<int> order;
  std::mutex order_mutex;
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back([&, i] {
      semaphore.acquire();
      {
        const std::lock_guard lock(order_mutex);
        order.push_back(i);
      }
      ++served;
    });
    ASSERT_TRUE(eventually_waiting(semaphore, static_cast<std::size_t>(i) + 1));
  }
  for (int i = 0; i < n; ++i) {
    semaphore.release();
    ASSERT_TRUE(eventually([&] { return served == i + 1; }));
    EXPECT_EQ(waiters(semaphore), static_cast<std::size_t>(n - i - 1));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  semaphore.release(n);
}

TYPED_TEST(Semaphores, AReleaseOfNWakesTheNLongestWaiting) {
  constexpr int n = 6;
  TypeParam& semaphore = this->drained(n);
  std::atomic<int> served{0};
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back([&, i] {
      semaphore.acquire();
      sum += i;
      ++served;
    });
    ASSERT_TRUE(eventually_waiting(semaphore, static_cast<std::size_t>(i) + 1));
  }
  semaphore.release(4);
  ASSERT_TRUE(eventually([&] { return served == 4; }));
  EXPECT_EQ(sum, 0 + 1 + 2 + 3);
  EXPECT_EQ(waiters(semaphore), 2U);
  EXPECT_EQ(semaphore.permits(), 0);
  semaphore.release(2);
  for (std::thread& thread : threads) thread.join();
  semaphore.release(n);
}

TYPED_TEST(Semaphores, AReleaseOfMoreThanWaitKeepsTheRest) {
  TypeParam& semaphore = this->drained(5);
  std::thread waiter([&] { semaphore.acquire(); });
  ASSERT_TRUE(eventually_waiting(semaphore, 1));
  semaphore.release(5);
  waiter.join();
  EXPECT_EQ(semaphore.permits(), 4);
  semaphore.release();
}

TYPED_TEST(Semaphores, SeveralReleasesOfOneServeAsManyWaiters) {
  constexpr int n = 4;
  for (int round = 0; round < 50; ++round) {
    TypeParam& semaphore = this->drained(n);
    std::vector<std::thread> threads;
    for (int i = 0; i < n; ++i) threads.emplace_back([&] { semaphore.acquire(); });
    ASSERT_TRUE(eventually_waiting(semaphore, n));
    for (int i = 0; i < n; ++i) semaphore.release();  // all but the first wake nobody themselves
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(semaphore.permits(), 0);
    EXPECT_EQ(waiters(semaphore), 0U);
    semaphore.release(n);
  }
}

TYPED_TEST(Semaphores, AWaiterThatWasOvertakenIsHandedTheNextPermit) {
  TypeParam& semaphore = this->drained(1);
  std::atomic<bool> served{false};
  std::thread waiter([&] {
    semaphore.acquire();
    served = true;
  });
  {
    const HeldBack asleep(waiter);
    semaphore.release();
    EXPECT_TRUE(semaphore.try_acquire()) << "the waiter has been woken, but is not here";
  }
  ASSERT_TRUE(eventually_waiting(semaphore, 1)) << "it queues again";
  EXPECT_FALSE(served);
  semaphore.release();
  EXPECT_FALSE(semaphore.try_acquire()) << "the permit is never free";
  waiter.join();
  EXPECT_TRUE(served);
  semaphore.release();
}

TYPED_TEST(Semaphores, NobodyStarvesBesideThreadsThatTakeAndGiveWithoutEnd) {
  TypeParam& semaphore = this->with(1);
  std::atomic<bool> over{false};
  std::vector<std::thread> barging;
  for (int i = 0; i < 2; ++i) {
    barging.emplace_back([&] {
      while (!over) {
        semaphore.acquire();
        semaphore.release();
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    semaphore.acquire();
    std::this_thread::yield();
    semaphore.release();
  }
  over = true;
  for (std::thread& thread : barging) thread.join();
}

TYPED_TEST(Semaphores, AnOvertakenWaiterThatGivesUpLeavesNoTrace) {
  TypeParam& semaphore = this->drained(1);
  std::stop_source source;
  bool served = true;
  std::thread waiter([&] {
    const std::stop_token token = source.get_token();
    served = semaphore.acquire(token);
  });
  {
    const HeldBack asleep(waiter);
    semaphore.release();
    EXPECT_TRUE(semaphore.try_acquire());
  }
  ASSERT_TRUE(eventually_waiting(semaphore, 1)) << "it queues again";
  source.request_stop();
  waiter.join();
  EXPECT_FALSE(served);
  semaphore.release();
  EXPECT_EQ(semaphore.permits(), 1);
  EXPECT_EQ(waiters(semaphore), 0U);
}

// ---- Until

TYPED_TEST(Semaphores, AFreePermitIsTakenInEveryFormOfUntil) {
  TypeParam& semaphore = this->with(1);
  std::stop_source stopped;
  stopped.request_stop();
  const std::stop_token token = stopped.get_token();
  const std::stop_token never;
  for (const Until until :
       {Until(1h), Until(-1h), Until(Clock::now() + 1h), Until(Clock::now() - 1h),
        Until(std::chrono::system_clock::now()), Until(token), Until(never), Until{1h, token},
        Until{Clock::now() - 1h, token}, Until(std::nullopt),
        Until(std::optional<Clock::duration>()), conc::forever, conc::at_once}) {
    EXPECT_TRUE(semaphore.acquire(until));
    EXPECT_EQ(semaphore.permits(), 0);
    semaphore.release();
  }
}

TYPED_TEST(Semaphores, WithoutAPermitEveryFormOfUntilThatIsUpGivesUp) {
  TypeParam& semaphore = this->drained(1);
  std::stop_source stopped;
  stopped.request_stop();
  const std::stop_token token = stopped.get_token();
  for (const Until until :
       {Until(0ns), Until(-1h), Until(Clock::time_point::min()), Until(Clock::now() - 1h),
        Until(std::chrono::system_clock::now() - 1h), Until(token), Until{1h, token},
        Until{std::nullopt, token}, conc::at_once}) {
    EXPECT_FALSE(semaphore.acquire(until));
  }
  EXPECT_FALSE(semaphore.try_acquire());
  semaphore.release();
}

TYPED_TEST(Semaphores, ATimeoutIsNotEarly) {
  TypeParam& semaphore = this->drained(1);
  Clock::time_point start = Clock::now();
  EXPECT_FALSE(semaphore.acquire(3ms));
  EXPECT_GE(Clock::now() - start, 3ms);
  start = Clock::now();
  EXPECT_FALSE(semaphore.acquire(start + 3ms));
  EXPECT_GE(Clock::now() - start, 3ms);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  start = Clock::now();
  EXPECT_FALSE(semaphore.acquire({3ms, token}));
  EXPECT_GE(Clock::now() - start, 3ms);
  semaphore.release();
}

TYPED_TEST(Semaphores, EveryFormOfUntilEndsWithARelease) {
  TypeParam& semaphore = this->drained(1);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  for (const Until until : {Until(1h), Until(Clock::now() + 1h), Until(token), Until{1h, token},
                            Until(std::nullopt), Until(std::chrono::hours::max())}) {
    std::thread waiter([&] { EXPECT_TRUE(semaphore.acquire(until)); });
    ASSERT_TRUE(eventually_waiting(semaphore, 1));
    semaphore.release();
    waiter.join();
  }
  semaphore.release();
}

TYPED_TEST(Semaphores, AStopWakesOnlyItsOwnWaiter) {
  TypeParam& semaphore = this->drained(2);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread first([&] { semaphore.acquire(); });
  ASSERT_TRUE(eventually_waiting(semaphore, 1));
  std::thread stopped([&] { EXPECT_FALSE(semaphore.acquire(token)); });
  ASSERT_TRUE(eventually_waiting(semaphore, 2));
  std::thread last([&] { EXPECT_TRUE(semaphore.acquire(1h)); });
  ASSERT_TRUE(eventually_waiting(semaphore, 3));
  source.request_stop();
  stopped.join();
  EXPECT_EQ(waiters(semaphore), 2U);
  semaphore.release(2);
  first.join();
  last.join();
  semaphore.release(2);
}

TYPED_TEST(Semaphores, ATimeoutDisturbsNobodyElse) {
  TypeParam& semaphore = this->drained(1);
  std::thread patient([&] { semaphore.acquire(); });
  ASSERT_TRUE(eventually_waiting(semaphore, 1));
  EXPECT_FALSE(semaphore.acquire(1ms));
  EXPECT_EQ(waiters(semaphore), 1U);
  semaphore.release();
  patient.join();
  semaphore.release();
}

TYPED_TEST(Semaphores, TheLastWaiterToGiveUpLeavesTheUncontendedPath) {
  TypeParam& semaphore = this->drained(1);
  EXPECT_FALSE(semaphore.acquire(1us));
  EXPECT_EQ(waiters(semaphore), 0U);
  EXPECT_EQ(semaphore.permits(), 0) << "nobody waits, and nothing is owed";
  semaphore.release();
  EXPECT_EQ(semaphore.permits(), 1);
}

TYPED_TEST(Semaphores, AWakeUpIsNeverEatenByAWaiterThatGaveUp) {
  // Each round one permit meets a waiter whose time is about to run out: either it is taken, or it
  // is still there.
  TypeParam& semaphore = this->drained(1);
  for (int round = 0; round < 2'000; ++round) {
    std::atomic<bool> taken{false};
    together(2, [&](std::size_t i) {
      if (i == 0) {
        taken = semaphore.acquire(std::chrono::microseconds(round % 60));
      } else {
        semaphore.release();
      }
    });
    ASSERT_EQ(semaphore.permits(), taken ? 0 : 1);
    ASSERT_EQ(waiters(semaphore), 0U);
    if (!taken) semaphore.acquire();
  }
  semaphore.release();
}

// ---- Memory and lifetime

TYPED_TEST(Semaphores, WhatWasWrittenBeforeAReleaseIsSeenAfterTheAcquire) {
  TypeParam& semaphore = this->drained(1);
  int plain = 0;
  std::thread reader([&] {
    semaphore.acquire();
    EXPECT_EQ(plain, 42);
  });
  plain = 42;
  semaphore.release();
  reader.join();
  semaphore.release();
}

TYPED_TEST(Semaphores, MayBeDestroyedAfterTheLastAcquireWhileTheReleaseIsStillOnItsWayOut) {
  for (int round = 0; round < 2'000; ++round) {
    auto semaphore = std::make_unique<TypeParam>(1);
    semaphore->acquire();
    std::thread releaser([s = semaphore.get()] { s->release(); });
    semaphore->acquire();
    semaphore.reset();
    releaser.join();
  }
}

// ---- Standing in for a lock

TYPED_TEST(Semaphores, WorkWithTheStandardGuards) {
  TypeParam& pool = this->with(2);
  TypeParam other(1);
  {
    const std::scoped_lock both(pool, other);
    EXPECT_EQ(pool.permits(), 1);
    EXPECT_EQ(other.permits(), 0);
  }
  {
    const std::unique_lock timed(pool, 50ms);
    EXPECT_TRUE(timed.owns_lock());
    const std::unique_lock second(pool, Clock::now() + 50ms);
    EXPECT_TRUE(second.owns_lock());
    const std::unique_lock third(pool, std::try_to_lock);
    EXPECT_FALSE(third.owns_lock());
    const std::unique_lock fourth(pool, 1us);
    EXPECT_FALSE(fourth.owns_lock());
  }
  {
    const LockGuard guard(pool);
    EXPECT_EQ(pool.permits(), 1);
  }
  std::condition_variable_any changed;
  std::unique_lock lock(pool);
  EXPECT_FALSE(changed.wait_for(lock, 1us, [] { return false; }));
}

// ---- Semaphore's own

TEST(Semaphore, CanStartEmptyAndBeFilledByReleasesAlone) {
  Semaphore ready(0);
  EXPECT_FALSE(ready.try_acquire());
  ready.release();
  ready.release(2);
  EXPECT_EQ(ready.permits(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ready.try_acquire());
  EXPECT_FALSE(ready.try_acquire());
}

TEST(Semaphore, AnOverflowThrowsNamesTheObjectAndChangesNothing) {
  Semaphore items(1, "items");
  try {
    items.release(Semaphore::max_permits);
    FAIL();
  } catch (const conc::UsageError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("conc::Semaphore \"items\" got release("), std::string::npos) << text;
    EXPECT_EQ(text.back(), '.');
  }
  EXPECT_EQ(items.permits(), 1);
  items.release(Semaphore::max_permits - 1);
  EXPECT_EQ(items.permits(), Semaphore::max_permits);
}

TEST(Semaphore, IsUsableBeforeAnyConstructorOfTheProgramRuns) {
  EXPECT_EQ(global_semaphore.permits(), 2);
  EXPECT_STREQ(global_semaphore.name(), "global");
  EXPECT_EQ(Semaphore().name(), nullptr);
}

TEST(Semaphore, ManyThreadsWaitOnOne) {
  constexpr std::size_t n = 200;
  Semaphore ready(0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) threads.emplace_back([&] { ready.acquire(); });
  ASSERT_TRUE(eventually_waiting(ready, n));
  ready.release(n);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ready.permits(), 0);
  EXPECT_EQ(waiters(ready), 0U);
}

// A permit is acquired here and released there, by calls that clang's thread-safety analysis must
// not take for the two ends of a critical section.
void take_two(Semaphore& items) {
  items.acquire();
  items.acquire();
}
void give_two(Semaphore& items) {
  items.release();
  items.release();
}

TEST(Semaphore, ProducerAndConsumerNeedNoAnnotations) {
  Semaphore items(0);
  give_two(items);
  take_two(items);
  EXPECT_EQ(items.permits(), 0);
}

}  // namespace
