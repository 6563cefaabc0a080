#include <conc/resource_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::test::eventually_waiting;
using conc::test::together;

struct Connection {
  static inline std::atomic<int> open = 0;

  explicit Connection(int n) : number(n) { ++open; }
  Connection(const Connection&) = delete;
  ~Connection() { --open; }

  const int number;
  std::atomic<int> users = 0;
};

class ResourcePool : public testing::Test {
 protected:
  int made_ = 0;
  conc::ResourcePool<Connection> pool_{2, [this] { return Connection(++made_); }, "pool"};
};

TEST_F(ResourcePool, MakesAResourceWhenFirstWantedAndUsesItAgain) {
  EXPECT_EQ(made_, 0);
  EXPECT_EQ(pool_.acquire()->number, 1);
  EXPECT_EQ(pool_.acquire()->number, 1);
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(pool_.capacity(), 2U);
  EXPECT_EQ(pool_.available(), 2U);
  EXPECT_STREQ(pool_.name(), "pool");
}

TEST_F(ResourcePool, LendsNoMoreThanItsCapacity) {
  const auto one = pool_.acquire();
  auto two = pool_.try_acquire();
  ASSERT_TRUE(two);
  EXPECT_NE(one->number, (*two)->number);
  EXPECT_EQ(pool_.available(), 0U);
  EXPECT_FALSE(pool_.try_acquire());
  EXPECT_FALSE(pool_.try_acquire(1ms));
  EXPECT_THROW(static_cast<void>(pool_.acquire(1ms)), conc::TimeoutError);
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(static_cast<void>(pool_.acquire(source.get_token())), conc::Stopped);
  two.reset();
  EXPECT_TRUE(pool_.try_acquire());
}

TEST_F(ResourcePool, ErrorsNameThePool) {
  const auto one = pool_.acquire();
  const auto two = pool_.acquire();
  try {
    static_cast<void>(pool_.acquire(conc::at_once));
    ADD_FAILURE();
  } catch (const conc::TimeoutError& error) {
    EXPECT_STREQ(error.what(),
                 "conc::ResourcePool \"pool\" has lent all resources, and none came back in time.");
  }
  try {
    const conc::ResourcePool<int> none(
        0, [] { return 1; }, "none");
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "conc::ResourcePool \"none\" must lend one at least.");
  }
}

TEST_F(ResourcePool, AReleaseLetsTheWaitingThreadGoOn) {
  auto one = pool_.acquire();
  const auto two = pool_.acquire();
  std::atomic<int> got = 0;
  std::thread borrower([&] { got = pool_.acquire(1h)->number; });
  ASSERT_TRUE(eventually_waiting(pool_, 1));
  one.release();
  EXPECT_FALSE(one);
  one.release();
  borrower.join();
  EXPECT_EQ(got, 1);
}

TEST_F(ResourcePool, AStopEndsTheWaitForAResource) {
  const auto one = pool_.acquire();
  const auto two = pool_.acquire();
  std::stop_source source;
  std::thread borrower([&, token = source.get_token()] {
    EXPECT_THROW(static_cast<void>(pool_.acquire(token)), conc::Stopped);
  });
  ASSERT_TRUE(eventually_waiting(pool_, 1));
  source.request_stop();
  borrower.join();
  EXPECT_EQ(conc::test::waiters(pool_), 0U);
  EXPECT_EQ(pool_.available(), 0U);
}

TEST_F(ResourcePool, ALeaseGivesBackWhenAnExceptionLeavesItsScope) {
  try {
    const auto lease = pool_.acquire();
    throw std::runtime_error("the query failed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(pool_.available(), 2U);
  EXPECT_EQ(pool_.acquire()->number, 1) << "the same resource is lent again";
}

TEST_F(ResourcePool, BorrowersAreServedInTheOrderInWhichTheyCame) {
  auto one = pool_.acquire();
  auto two = pool_.acquire();
  std::atomic<int> served = 0;
  std::vector<std::thread> borrowers;
  for (int i = 1; i <= 3; ++i) {
    borrowers.emplace_back([&, i] {
      const auto lease = pool_.acquire();
      EXPECT_EQ(++served, i);
    });
    ASSERT_TRUE(eventually_waiting(pool_, static_cast<std::size_t>(i)));
  }
  one.release();
  for (std::thread& borrower : borrowers) borrower.join();
  EXPECT_EQ(served, 3);
}

TEST_F(ResourcePool, AFactoryThatThrowsBorrowsNothing) {
  bool broken = true;
  conc::ResourcePool<int> pool(1, [&] {
    if (broken) throw std::runtime_error("no route to host");
    return 1;
  });
  EXPECT_THROW(static_cast<void>(pool.acquire()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(pool.try_acquire()), std::runtime_error);
  EXPECT_EQ(pool.available(), 1U);
  broken = false;
  EXPECT_EQ(*pool.acquire(), 1);
}

TEST_F(ResourcePool, AFactoryThatThrewIsNotAskedAgainWhileAResourceLiesIdle) {
  int asked = 0;
  std::optional<conc::ResourcePool<int>::Lease> first;
  conc::ResourcePool<int> pool(2, [&] {
    if (++asked == 1) return 1;
    first.reset();  // comes back while the factory runs
    throw std::runtime_error("no route to host");
  });
  first = pool.acquire();
  EXPECT_THROW(static_cast<void>(pool.acquire()), std::runtime_error);
  EXPECT_EQ(*pool.acquire(), 1);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(pool.available(), 2U);
}

TEST_F(ResourcePool, AnIdleResourceIsLentBeforeADiscardedOneIsReplaced) {
  auto one = pool_.acquire();
  auto two = pool_.acquire();
  one.release();
  two.discard();
  EXPECT_EQ(pool_.acquire()->number, 1);
  EXPECT_EQ(made_, 2);
}

TEST_F(ResourcePool, TheOneThatCameBackLastIsLentFirst) {
  auto one = pool_.acquire();
  auto two = pool_.acquire();
  two.release();
  one.release();
  EXPECT_EQ(pool_.acquire()->number, 1);
}

TEST_F(ResourcePool, ADiscardedResourceIsReplaced) {
  auto lease = pool_.acquire();
  lease.discard();
  EXPECT_FALSE(lease);
  EXPECT_EQ(Connection::open, 0);
  EXPECT_EQ(pool_.available(), 2U);
  EXPECT_EQ(pool_.acquire()->number, 2);
}

TEST_F(ResourcePool, ALeaseMovesAndGivesBackOnce) {
  auto one = pool_.acquire();
  auto other = std::move(one);
  EXPECT_FALSE(one);
  EXPECT_EQ(pool_.available(), 1U);
  other = pool_.acquire();
  EXPECT_EQ(other->number, 2);
  EXPECT_EQ(pool_.available(), 1U);
}

TEST_F(ResourcePool, NeedsACapacityAndAFactory) {
  EXPECT_THROW(conc::ResourcePool<int>(0, [] { return 1; }), std::invalid_argument);
  EXPECT_THROW(conc::ResourcePool<int>(1, nullptr), std::invalid_argument);
}

TEST_F(ResourcePool, NoResourceHasTwoUsers) {
  std::atomic<int> made = 0;
  {
    conc::ResourcePool<Connection> pool(3, [&] { return Connection(++made); });
    together(6, [&](std::size_t i) {
      for (int round = 0; round < 500; ++round) {
        auto lease = pool.acquire();
        EXPECT_EQ(lease->users.fetch_add(1), 0);
        if (round % 7 == 0) std::this_thread::yield();
        lease->users.fetch_sub(1);
        if (i == 0 && round % 50 == 0) lease.discard();
      }
    });
    EXPECT_EQ(pool.available(), 3U);
    EXPECT_LE(Connection::open, 3);
  }
  EXPECT_EQ(Connection::open, 0);
}

}  // namespace
