#include <conc/lock.hpp>
#include <conc/rlock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"
#include "stress.hpp"
#include "watchdog.hpp"

namespace {

using conc::test::Dice;
using conc::test::rounds;
using conc::test::together;
using conc::test::waiters;
using conc::test::Watchdog;

template <class L>
class LockStress : public testing::Test {};
using Locks = testing::Types<conc::Lock, conc::RLock>;
TYPED_TEST_SUITE(LockStress, Locks);

// Now and then the thread loses its processor, wherever it is: that is when the others come.
void work(Dice& dice) {
  const int what = dice.roll(16);
  if (what == 0) std::this_thread::yield();
  for (int i = what * 8; i > 0; --i) conc::detail::cpu_pause();
}

TYPED_TEST(LockStress, WhatWasOfferedIsWhatWasTakenPlusWhatTimedOut) {
  TypeParam lock;
  std::int64_t inside = 0;  // guarded by the lock
  std::atomic<std::int64_t> taken{0};
  std::atomic<std::int64_t> timed_out{0};
  const std::int64_t each = rounds(20'000);
  together(6, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    for (std::int64_t i = 0; i < each; ++i) {
      if (lock.acquire(std::chrono::microseconds(dice.roll(51)))) {
        ++inside;
        work(dice);
        lock.release();
        ++taken;
      } else {
        ++timed_out;
      }
      work(dice);
    }
  });
  EXPECT_EQ(inside, taken);
  EXPECT_EQ(taken + timed_out, 6 * each);
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(waiters(lock), 0U);
}

TYPED_TEST(LockStress, StopsDisturbNobodyAndLoseNothing) {
  TypeParam lock;
  std::int64_t inside = 0;
  std::atomic<std::int64_t> taken{0};
  std::atomic<int> working{3};
  const std::int64_t each = rounds(4'000);
  std::vector<std::atomic<std::stop_source*>> current(3);
  together(4, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    if (who == 3) {
      while (working != 0) {
        // A source is lent for the length of one request: its owner waits until it is back.
        auto& slot = current[static_cast<std::size_t>(dice.roll(3))];
        if (std::stop_source* const source = slot.exchange(nullptr)) {
          source->request_stop();
          slot = source;
        }
        std::this_thread::yield();
      }
      return;
    }
    for (std::int64_t i = 0; i < each; ++i) {
      std::stop_source source;
      const std::stop_token token = source.get_token();
      current[who] = &source;
      if (lock.acquire(token)) {
        ++inside;
        work(dice);
        lock.release();
        ++taken;
      }
      std::stop_source* mine = &source;
      while (!current[who].compare_exchange_weak(mine, nullptr)) mine = &source;
    }
    --working;
  });
  EXPECT_EQ(inside, taken);
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(waiters(lock), 0U);
}

TYPED_TEST(LockStress, MayBeDestroyedByTheThreadThatGotItLast) {
  // The other thread is still inside release() when the memory goes.
  std::atomic<TypeParam*> shared{nullptr};
  const std::int64_t count = rounds(100'000);
  std::thread holder([&] {
    Dice dice(1);
    for (std::int64_t i = 0; i < count; ++i) {
      auto* const lock = new TypeParam;
      lock->acquire();
      shared = lock;
      if (i % 3 == 0) work(dice);
      lock->release();
      while (shared != nullptr) std::this_thread::yield();
    }
  });
  for (std::int64_t i = 0; i < count; ++i) {
    TypeParam* lock = nullptr;
    while ((lock = shared) == nullptr) std::this_thread::yield();
    if (i % 2 == 0) {
      lock->acquire();
    } else {
      while (!lock->acquire(std::chrono::microseconds(i % 20))) {
      }
    }
    lock->release();
    delete lock;
    shared = nullptr;
  }
  holder.join();
}

TYPED_TEST(LockStress, TwoThousandThreadsOnOne) {
  TypeParam lock;
  std::int64_t inside = 0;
  const auto count = static_cast<std::size_t>(rounds(2'000));
  together(count, [&](std::size_t) {
    for (int i = 0; i < 5; ++i) {
      lock.acquire();
      ++inside;
      lock.release();
    }
  });
  EXPECT_EQ(inside, static_cast<std::int64_t>(count) * 5);
  EXPECT_EQ(waiters(lock), 0U);
}

TEST(LockStressPingPong, AMillionRoundTripsByAnyThreadsRelease) {
  // Two locks as a baton: each thread releases what the other acquires.
  conc::Lock to_b;
  conc::Lock to_a;
  to_b.acquire();
  to_a.acquire();
  const std::int64_t count = rounds(1'000'000);
  Watchdog watchdog("round trips");
  std::thread other([&] {
    for (std::int64_t i = 0; i < count; ++i) {
      to_b.acquire();
      to_a.release();
    }
  });
  for (std::int64_t i = 0; i < count; ++i) {
    to_b.release();
    to_a.acquire();
    watchdog.done();
  }
  other.join();
  EXPECT_TRUE(to_a.locked() && to_b.locked());
}

}  // namespace
