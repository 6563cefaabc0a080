// What goes along with a task. A process has one such hook for good, so it has a program of its
// own.

#include <conc/errors.hpp>
#include <conc/hooks.hpp>
#include <conc/inline_executor.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <utility>
#include <vector>

namespace conc::test {
namespace {

// Numbers stand for what is carried; 0 for nothing.
thread_local int in_force = 0;
std::atomic<int> captured{0};
std::atomic<int> entered{0};
std::atomic<int> left{0};
std::atomic<int> dropped{0};

constexpr CarryHook counting{
    .capture = []() noexcept -> void* {
      if (in_force == 0) return nullptr;
      ++captured;
      return new int(in_force);
    },
    .enter = [](void* carried) noexcept -> void* {
      ++entered;
      return new int(std::exchange(in_force, *static_cast<int*>(carried)));
    },
    .leave =
        [](void* before) noexcept {
          ++left;
          in_force = *static_cast<int*>(before);
          delete static_cast<int*>(before);
        },
    .drop =
        [](void* carried) noexcept {
          ++dropped;
          delete static_cast<int*>(carried);
        },
};

constexpr CarryHook another = counting;

class CarryHookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(set_carry_hook(counting));
    in_force = 0;
    captured = entered = left = dropped = 0;
  }
  // Whatever became of the tasks, nothing is left over.
  void TearDown() override {
    EXPECT_EQ(dropped, captured);
    EXPECT_EQ(left, entered);
    in_force = 0;
  }
};

TEST_F(CarryHookTest, OneIsSetForGood) {
  EXPECT_TRUE(set_carry_hook(counting));
  EXPECT_FALSE(set_carry_hook(another));
}

TEST_F(CarryHookTest, TasksWithNothingToCarryAreLeftAlone) {
  ThreadPoolExecutor pool(1);
  pool.submit([] {}).wait();
  pool.post([] {});
  pool.shutdown();
  EXPECT_EQ(captured, 0);
  EXPECT_EQ(entered, 0);
}

TEST_F(CarryHookTest, TaskSeesWhatWasInForceWhenItWasSubmitted) {
  ThreadPoolExecutor pool(1);
  in_force = 7;
  Future<int> task = pool.submit([] { return in_force; });
  std::atomic<int> posted{0};
  pool.post([&] { posted = in_force; });
  in_force = 8;
  EXPECT_EQ(task.result(), 7);
  EXPECT_EQ(pool.submit([] { return in_force; }).result(), 8);
  in_force = 0;
  EXPECT_EQ(pool.submit([] { return in_force; }).result(), 0);
  pool.shutdown();
  EXPECT_EQ(posted, 7);
  EXPECT_EQ(captured, 3);
}

TEST_F(CarryHookTest, InlineTasksLeaveTheThreadAsItWas) {
  InlineExecutor executor;
  in_force = 3;
  executor.submit([] { in_force = 4; }).wait();
  executor.post([] { in_force = 5; });
  EXPECT_EQ(in_force, 3);
}

TEST_F(CarryHookTest, ItIsDroppedWhenTheTaskIsOverThoughTheFutureLives) {
  ThreadPoolExecutor pool(1);
  in_force = 1;
  const Future<int> task = pool.submit([] { return 1; });
  task.wait();
  EXPECT_EQ(captured, 1);
  EXPECT_EQ(dropped, 1);
}

TEST_F(CarryHookTest, TasksThatThrowOrNeverRunDropItToo) {
  in_force = 1;
  std::vector<Future<void>> futures;
  {
    ThreadPoolExecutor pool(1);
    futures.push_back(pool.submit([] { throw std::runtime_error("no"); }));
    for (int i = 0; i < 20; ++i) {
      futures.push_back(pool.submit([] {}));
      futures.back().cancel();
      pool.post([] {});
    }
    pool.shutdown(true, true);
    EXPECT_THROW(static_cast<void>(pool.submit([] {})), UsageError);
    EXPECT_THROW(pool.post([] {}), UsageError);
  }
  futures.clear();
  EXPECT_GE(captured, 43);
}

TEST_F(CarryHookTest, ParallelForCarriesItToItsHelpers) {
  ThreadPoolExecutor pool(2);
  in_force = 9;
  std::atomic<int> wrong{0};
  pool.parallel_for(0, 1000, [&](int) {
    if (in_force != 9) ++wrong;
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace conc::test
