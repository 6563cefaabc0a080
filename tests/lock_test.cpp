#include <conc/errors.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Lock;
using conc::test::eventually_waiting;
using conc::test::waiters;

static_assert(sizeof(Lock) == 80, "stated in the header");
static_assert(!std::convertible_to<const char*, Lock>);
constinit Lock global_lock("made before any thread runs");

TEST(Lock, IsMadeAtCompileTime) {
  EXPECT_FALSE(global_lock.locked());
  EXPECT_STREQ(global_lock.name(), "made before any thread runs");
  EXPECT_EQ(Lock().name(), nullptr);
}

TEST(Lock, KnowsWhetherItIsHeld) {
  Lock lock;
  EXPECT_FALSE(lock.locked());
  lock.acquire();
  EXPECT_TRUE(lock.locked());
  lock.release();
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, AnyThreadMayReleaseIt) {
  Lock lock;
  lock.acquire();
  std::thread([&] { lock.release(); }).join();
  EXPECT_TRUE(lock.try_acquire());
  lock.release();
}

TEST(Lock, ReleasingAFreeOneThrowsAndChangesNothing) {
  Lock lock("fork");
  try {
    lock.release();
    FAIL() << "released a free lock";
  } catch (const conc::UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "conc::Lock \"fork\" was released while it was free; acquire it first.");
  }
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.try_acquire());
  lock.release();
  EXPECT_THROW(lock.release(), conc::UsageError);
}

TEST(Lock, AcquiringItAgainBlocksUntilAnotherThreadReleasesIt) {
  Lock lock;
  lock.acquire();
  EXPECT_FALSE(lock.try_acquire());
  EXPECT_FALSE(lock.acquire(1ms));
  std::thread other([&] {
    EXPECT_TRUE(eventually_waiting(lock, 1));
    lock.release();
  });
  lock.acquire();
  other.join();
  lock.release();
  EXPECT_FALSE(lock.locked());
}

TEST(Lock, AWaiterThatWasOvertakenIsHandedTheLockNext) {
  // Newcomers take and give the lock as fast as they can. A waiter is woken at most twice, so it
  // gets through however many they are and whatever the scheduler prefers; without the hand-off
  // this takes as long as luck wants.
  Lock lock;
  std::atomic<bool> stop{false};
  std::vector<std::thread> barging;
  for (int i = 0; i < 3; ++i) {
    barging.emplace_back([&] {
      while (!stop) {
        lock.acquire();
        lock.release();
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    lock.acquire();
    std::thread patient([&] {
      lock.acquire();
      lock.release();
    });
    lock.release();
    patient.join();
  }
  stop = true;
  for (std::thread& thread : barging) thread.join();
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(waiters(lock), 0U);
}

TEST(Lock, AHandOffGoesToTheLongestWaitingAndNobodyInBetween) {
  // The core's own view, step by step: a waiter that was woken and comes too late queues in front
  // and asks for it.
  conc::detail::LockCore core(conc::detail::WaitKind::lock, nullptr);
  const conc::detail::ThreadId self = conc::detail::self_id();
  ASSERT_TRUE(core.take_fast(self));
  std::atomic<bool> got{false};
  std::atomic<conc::detail::ThreadId> waiter_id{0};
  std::thread waiter([&] {
    waiter_id = conc::detail::self_id();
    ASSERT_TRUE(core.take_slow(waiter_id, conc::forever));
    got = true;
  });
  ASSERT_TRUE(conc::test::eventually([&] { return core.waiters() == 1; }));
  // Free it and take it back at once, until the waiter comes too late; then it has queued again.
  for (;;) {
    core.give(self);
    if (core.try_take(self)) {
      if (conc::test::eventually([&] { return got || core.waiters() == 1; }) && !got) break;
    } else {
      break;  // the waiter was faster, which is as well
    }
  }
  if (!got && core.owner() == self) {
    core.give(self);
    EXPECT_EQ(core.owner(), waiter_id) << "handed over, never free";
    EXPECT_FALSE(core.try_take(self));
  }
  waiter.join();
  EXPECT_EQ(core.owner(), waiter_id);
  EXPECT_TRUE(core.give(self));
  EXPECT_EQ(core.owner(), 0U);
  EXPECT_FALSE(core.give(self)) << "it is free";
}

TEST(Lock, ATimedWaiterThatGivesUpLeavesNoTrace) {
  Lock lock;
  lock.acquire();
  std::thread([&] { EXPECT_FALSE(lock.acquire(1ms)); }).join();
  EXPECT_EQ(waiters(lock), 0U);
  lock.release();
  lock.acquire();
  lock.release();
}

}  // namespace
