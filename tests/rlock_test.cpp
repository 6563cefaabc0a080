#include <conc/errors.hpp>
#include <conc/lock_guard.hpp>
#include <conc/rlock.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::LockGuard;
using conc::RLock;
using conc::UsageError;

static_assert(sizeof(RLock) == 96, "stated in the header");
constinit RLock global_lock("global");

template <class F>
void elsewhere(F f) {
  std::thread(f).join();
}

TEST(RLock, ItsHolderNeverBlocksInAcquire) {
  RLock lock;
  lock.acquire();
  lock.acquire();
  EXPECT_TRUE(lock.try_acquire());
  EXPECT_TRUE(lock.acquire(conc::at_once));
  EXPECT_TRUE(lock.acquire(1h));
  for (int i = 0; i < 5; ++i) {
    elsewhere([&] { EXPECT_FALSE(lock.try_acquire()) << "held to the last release"; });
    lock.release();
  }
  elsewhere([&] {
    EXPECT_TRUE(lock.try_acquire());
    lock.release();
  });
}

TEST(RLock, KnowsItsOwner) {
  RLock lock;
  EXPECT_FALSE(lock.owned());
  EXPECT_FALSE(lock.locked());
  const LockGuard hold(lock);
  EXPECT_TRUE(lock.owned());
  elsewhere([&] {
    EXPECT_FALSE(lock.owned());
    EXPECT_TRUE(lock.locked());
  });
}

TEST(RLock, AStrangersReleaseThrowsAndChangesNothing) {
  RLock lock("ledger");
  lock.acquire();
  elsewhere([&] {
    try {
      lock.release();
      FAIL() << "released by a stranger";
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()),
                "conc::RLock \"ledger\" was released by a thread that does not hold it; only its "
                "holder may "
                "release it.");
    }
  });
  EXPECT_TRUE(lock.owned());
  lock.release();
}

TEST(RLock, ReleasingAFreeOneThrows) {
  RLock lock;
  EXPECT_THROW(lock.release(), UsageError);
  lock.acquire();
  lock.release();
  EXPECT_THROW(lock.release(), UsageError);
  EXPECT_FALSE(lock.locked());
}

TEST(RLock, DepthLimitIsChecked) {
  RLock lock;
  for (std::uint32_t i = 0; i < RLock::max_depth; ++i) lock.acquire();
  EXPECT_THROW(lock.acquire(), UsageError);
  EXPECT_THROW(static_cast<void>(lock.try_acquire()), UsageError);
  for (std::uint32_t i = 0; i < RLock::max_depth; ++i) lock.release();
  EXPECT_FALSE(lock.locked()) << "the refused ones did not count";
}

TEST(RLock, WaitsForItsHolderAsALockDoes) {
  RLock lock;
  lock.acquire();
  lock.acquire();
  std::thread waiter([&] {
    lock.acquire();
    EXPECT_TRUE(lock.owned());
    lock.release();
  });
  ASSERT_TRUE(conc::test::eventually_waiting(lock, 1));
  lock.release();
  EXPECT_EQ(conc::test::waiters(lock), 1U) << "still held once";
  lock.release();
  waiter.join();
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(conc::test::waiters(lock), 0U);
}

TEST(RLock, IsMadeAtCompileTime) { EXPECT_FALSE(global_lock.locked()); }

}  // namespace
