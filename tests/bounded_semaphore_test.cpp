// What is BoundedSemaphore's own; semaphore_test.cpp has what it shares with Semaphore.

#include <conc/bounded_semaphore.hpp>
#include <conc/errors.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <limits>
#include <string>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using conc::BoundedSemaphore;
using conc::test::together;
using conc::test::waiters;

constinit BoundedSemaphore global_semaphore{1, "global"};

TEST(BoundedSemaphore, AReleaseAboveTheStartThrowsAndChangesNothing) {
  BoundedSemaphore pool(3);
  EXPECT_THROW(pool.release(), conc::UsageError);
  EXPECT_EQ(pool.permits(), 3);
  pool.acquire();
  pool.acquire();
  EXPECT_THROW(pool.release(3), conc::UsageError);
  EXPECT_EQ(pool.permits(), 1) << "not even the two that would fit";
  pool.release(2);
  EXPECT_THROW(pool.release(), conc::UsageError);
  EXPECT_EQ(pool.permits(), 3);
}

TEST(BoundedSemaphore, NoNumberOfReleasesIsTooLargeToBeRefused) {
  BoundedSemaphore pool(1);
  pool.acquire();
  EXPECT_THROW(pool.release(std::numeric_limits<std::ptrdiff_t>::max()), conc::UsageError);
  EXPECT_EQ(pool.permits(), 0);
  pool.release();
  EXPECT_THROW(pool.release(std::numeric_limits<std::ptrdiff_t>::max()), conc::UsageError);
  EXPECT_EQ(pool.permits(), 1);
}

TEST(BoundedSemaphore, OfNoneIsNeverAcquiredAndNeverReleased) {
  BoundedSemaphore none(0);
  EXPECT_FALSE(none.try_acquire());
  EXPECT_THROW(none.release(), conc::UsageError);
  EXPECT_EQ(none.permits(), 0);
}

TEST(BoundedSemaphore, ItsErrorNamesItAndSaysWhatWasExpected) {
  BoundedSemaphore pool(2, "connections");
  try {
    pool.release();
    FAIL();
  } catch (const conc::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "conc::BoundedSemaphore \"connections\" got release(1), which would make more "
                 "permits free than the 2 it started with; release only what was acquired.");
  }
}

TEST(BoundedSemaphore, KnowsItsBound) {
  BoundedSemaphore pool(5);
  pool.acquire();
  EXPECT_EQ(pool.bound(), 5);
  EXPECT_EQ(pool.permits(), 4);
  pool.release();
  EXPECT_EQ(global_semaphore.bound(), 1);
  EXPECT_STREQ(global_semaphore.name(), "global");
}

TEST(BoundedSemaphore, OfManyThreadsThatReleaseTooMuchOnlySoManySucceed) {
  for (int round = 0; round < 200; ++round) {
    BoundedSemaphore pool(4);
    for (int i = 0; i < 4; ++i) pool.acquire();
    std::atomic<int> refused{0};
    together(3, [&](std::size_t) {
      for (int i = 0; i < 2; ++i) {
        try {
          pool.release();
        } catch (const conc::UsageError&) {
          ++refused;
        }
      }
    });
    ASSERT_EQ(refused, 2);
    ASSERT_EQ(pool.permits(), 4);
    ASSERT_EQ(waiters(pool), 0U);
  }
}

}  // namespace
