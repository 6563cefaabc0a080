// Semaphore and BoundedSemaphore under load. Rounds scale with CONC_STRESS_SCALE.

#include <conc/bounded_semaphore.hpp>
#include <conc/detail/machine.hpp>
#include <conc/errors.hpp>
#include <conc/semaphore.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"
#include "stress.hpp"
#include "watchdog.hpp"

namespace {

using namespace std::chrono_literals;
using conc::BoundedSemaphore;
using conc::Semaphore;
using conc::test::Dice;
using conc::test::eventually_waiting;
using conc::test::rounds;
using conc::test::together;
using conc::test::waiters;
using conc::test::Watchdog;

template <class S>
class BothSemaphoresStress : public testing::Test {};
using Semaphores = testing::Types<Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(BothSemaphoresStress, Semaphores);

// With nothing to take, but room for as much as n to release.
template <class S>
std::unique_ptr<S> exhausted(std::ptrdiff_t n) {
  if constexpr (std::is_same_v<S, BoundedSemaphore>) {
    auto semaphore = std::make_unique<S>(n);
    while (semaphore->try_acquire()) {
    }
    return semaphore;
  } else {
    return std::make_unique<S>(0);
  }
}

void pause_at_random(Dice& dice) {
  const int chance = dice.roll(8);
  if (chance == 0) std::this_thread::yield();
  if (chance == 1) {
    for (int i = dice.roll(50); i > 0; --i) conc::detail::cpu_pause();
  }
}

TEST(SemaphoreStress, WhatIsReleasedIsTakenOrLeft) {
  const std::int64_t offers = rounds(300'000);
  Semaphore items(0);
  std::atomic<std::int64_t> offered{0};
  std::atomic<std::int64_t> taken{0};
  std::atomic<int> producing{3};
  together(7, [&](std::size_t me) {
    Dice dice(static_cast<unsigned>(me) + 1);
    if (me < 3) {
      for (std::int64_t i = 0; i < offers;) {
        const int n = 1 + dice.roll(3);
        items.release(n);
        offered += n;
        i += n;
        pause_at_random(dice);
      }
      --producing;
    } else {
      for (;;) {
        const bool last_look = producing == 0;
        const bool got =
            me == 3 ? items.try_acquire() : items.acquire(std::chrono::microseconds(dice.roll(51)));
        if (got) {
          ++taken;
        } else if (last_look) {
          break;
        }
        pause_at_random(dice);
      }
    }
  });
  EXPECT_EQ(offered, taken + items.permits());
  EXPECT_EQ(items.permits(), 0) << "a consumer looks once more when all is offered";
  EXPECT_EQ(waiters(items), 0U);
}

TEST(SemaphoreStress, APoolIsWholeAfterTimeoutsAndStops) {
  constexpr std::ptrdiff_t permits = 3;
  const std::int64_t turns = rounds(100'000);
  BoundedSemaphore pool(permits);
  std::atomic<int> inside{0};
  std::atomic<bool> over{false};
  std::vector<std::atomic<std::stop_source*>> sources(6);
  std::thread stopper([&] {
    Dice dice(99);
    while (!over) {
      if (std::stop_source* const source =
              sources[static_cast<std::size_t>(dice.roll(6))].exchange(nullptr)) {
        source->request_stop();
        delete source;
      }
      pause_at_random(dice);
    }
  });
  together(6, [&](std::size_t me) {
    Dice dice(static_cast<unsigned>(me) + 1);
    for (std::int64_t i = 0; i < turns; ++i) {
      bool got = false;
      switch (dice.roll(5)) {
        case 0:
          got = pool.try_acquire();
          break;
        case 1: {
          // The stopper may have this one, or find it too late.
          const std::stop_source source;
          const std::stop_token token = source.get_token();
          delete sources[me].exchange(new std::stop_source(source));
          got = pool.acquire({std::chrono::microseconds(dice.roll(200)), token});
          delete sources[me].exchange(nullptr);
          break;
        }
        case 2:
          pool.acquire();
          got = true;
          break;
        default:
          got = pool.acquire(std::chrono::microseconds(dice.roll(51)));
      }
      if (!got) continue;
      EXPECT_LE(++inside, permits);
      pause_at_random(dice);
      --inside;
      pool.release();
    }
  });
  over = true;
  stopper.join();
  EXPECT_EQ(pool.permits(), permits);
  EXPECT_EQ(waiters(pool), 0U);
}

TEST(SemaphoreStress, StopsAndReleasesRaceForTheSameWaiter) {
  const std::int64_t turns = rounds(20'000);
  Semaphore one(0);
  std::int64_t released = 0;
  std::int64_t taken = 0;
  for (std::int64_t i = 0; i < turns; ++i) {
    std::stop_source source;
    const std::stop_token token = source.get_token();
    std::atomic<bool> got{false};
    together(3, [&](std::size_t me) {
      if (me == 0) got = one.acquire(token);
      if (me == 1) source.request_stop();
      if (me == 2) one.release();
    });
    ++released;
    taken += got ? 1 : 0;
    ASSERT_EQ(one.permits(), released - taken);
    ASSERT_EQ(waiters(one), 0U);
    if (i % 2 == 0) {
      while (one.try_acquire()) ++taken;
    }
  }
}

TYPED_TEST(BothSemaphoresStress, AMillionRoundTrips) {
  const std::int64_t trips = rounds(1'000'000);
  const auto ping = exhausted<TypeParam>(1);
  const auto pong = exhausted<TypeParam>(1);
  Watchdog watchdog("round trips");
  std::thread other([&] {
    for (std::int64_t i = 0; i < trips; ++i) {
      ping->acquire();
      pong->release();
    }
  });
  for (std::int64_t i = 0; i < trips; ++i) {
    ping->release();
    pong->acquire();
    watchdog.done();
  }
  other.join();
  EXPECT_EQ(ping->permits(), 0);
  EXPECT_EQ(pong->permits(), 0);
  EXPECT_EQ(waiters(*ping) + waiters(*pong), 0U);
}

TYPED_TEST(BothSemaphoresStress, MayBeDestroyedByWhoeverAcquiredLast) {
  // One thread makes semaphores and destroys each as soon as its acquire returns; the other
  // releases them, and is still inside release() then.
  const std::int64_t turns = rounds(100'000);
  std::atomic<TypeParam*> shared{nullptr};
  std::thread releaser([&] {
    for (std::int64_t i = 0; i < turns; ++i) {
      TypeParam* semaphore = nullptr;
      while ((semaphore = shared.exchange(nullptr)) == nullptr) std::this_thread::yield();
      if (i % 3 == 0) std::this_thread::yield();  // so that the other one sleeps
      semaphore->release();
    }
  });
  for (std::int64_t i = 0; i < turns; ++i) {
    auto semaphore = exhausted<TypeParam>(1);
    shared = semaphore.get();
    if (i % 2 == 0) {
      semaphore->acquire();
    } else {
      while (!semaphore->acquire(10us)) {
      }
    }
    semaphore.reset();
  }
  releaser.join();
}

TEST(SemaphoreStress, NobodyStarves) {
  // Each thread gets its turns while all others take and give as fast as they can.
  const std::int64_t turns = rounds(300'000);
  Semaphore two(2);
  together(6, [&](std::size_t me) {
    Dice dice(static_cast<unsigned>(me) + 1);
    for (std::int64_t i = 0; i < turns; ++i) {
      ASSERT_TRUE(two.acquire(30s)) << "thread " << me << " starved in turn " << i;
      if (dice.roll(64) == 0) std::this_thread::yield();
      two.release();
    }
  });
  EXPECT_EQ(two.permits(), 2);
  EXPECT_EQ(waiters(two), 0U);
}

TYPED_TEST(BothSemaphoresStress, TwoThousandThreadsOnOne) {
  constexpr std::size_t n = 2'000;
  const auto ready = exhausted<TypeParam>(n);
  std::vector<std::thread> threads;
  threads.reserve(n);
  for (std::size_t i = 0; i < n; ++i) threads.emplace_back([&] { ready->acquire(); });
  ASSERT_TRUE(eventually_waiting(*ready, n));
  for (std::size_t i = 0; i < n / 2; ++i) ready->release();
  ready->release(n / 2);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ready->permits(), 0);
  EXPECT_EQ(waiters(*ready), 0U);
}

}  // namespace
