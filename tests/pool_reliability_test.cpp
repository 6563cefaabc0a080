// A pool that the world gives no memory or no threads, and a process that ends with a busy one.
#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/hooks.hpp>
#include <conc/promise.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

#include "allocations.hpp"
#include "asleep.hpp"
#include "child.hpp"
#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Future;
using conc::Promise;
using conc::ThreadPoolExecutor;
using conc::test::allocations_left;
using conc::test::ChildEnd;
using conc::test::eventually;
using conc::test::run_child;
using conc::test::somebody_sleeps;

// ---- No memory

// Calls f() with the first allocation failing, then the second, and so on, until it succeeds.
// `unchanged` is called after each failure. Returns how often it failed.
template <class F, class Unchanged>
int fail_at_each_allocation(F&& f, Unchanged&& unchanged) {
  for (int k = 0;; ++k) {
    bool failed = false;
    allocations_left = k;
    try {
      f();
    } catch (const std::bad_alloc&) {
      failed = true;
    } catch (const std::system_error&) {
      failed = true;
    }
    const bool came_so_far = allocations_left < 0;
    allocations_left = -1;
    if (failed) {
      unchanged();
      continue;
    }
    if (!came_so_far) return k;  // none of its allocations failed
  }
}

TEST(PoolWithoutMemory, ASubmitThatFailsHasQueuedNothingAndKeepsNothing) {
  for (const bool warm : {false, true}) {
    auto pool = std::make_unique<ThreadPoolExecutor>(2);
    if (warm) pool->submit([] {}).result();
    const auto token = std::make_shared<int>(7);
    std::size_t accepted = warm ? 1 : 0;
    const auto fresh_if_cold = [&] {
      EXPECT_EQ(pool->stats().submitted, accepted);
      EXPECT_EQ(token.use_count(), 1);
      if (!warm) pool = std::make_unique<ThreadPoolExecutor>(2);
    };
    std::optional<Future<int>> future;
    const int failures = fail_at_each_allocation(
        [&] {
          // Once accepted it must come to its end: a failure inside a submit that succeeded, of a
          // second thread, say, is nobody's.
          if (future) std::exchange(future, std::nullopt)->wait();
          if (!warm && pool->stats().submitted != 0) {
            pool->shutdown();
            pool = std::make_unique<ThreadPoolExecutor>(2);
          }
          accepted = pool->stats().submitted;
          future = pool->submit([token] { return *token; });
        },
        fresh_if_cold);
    EXPECT_GE(failures, 1);
    EXPECT_EQ(future->result(), 7);
    EXPECT_TRUE(eventually([&token] { return token.use_count() == 1; }));
  }
}

TEST(PoolWithoutMemory, ParallelForWaitsForItsCallsInAThreadThatIsNew) {
  ThreadPoolExecutor pool(1);
  pool.submit([] {}).result();
  const auto somebody_waits = [] {
    return somebody_sleeps([](const auto& thread) { return !thread.wait->idle; });
  };
  std::atomic<bool> helped{false};
  std::atomic<bool> all_returned{false};
  std::thread([&] {
    const auto caller = std::this_thread::get_id();
    EXPECT_NO_THROW(pool.parallel_for(
        0, 2,
        [&](int) {
          if (std::this_thread::get_id() == caller) {
            EXPECT_TRUE(eventually([&] { return helped.load(); }));
            allocations_left = 0;
          } else {
            helped = true;
            EXPECT_TRUE(eventually(somebody_waits));
            all_returned = true;
          }
        },
        1));
    EXPECT_EQ(std::exchange(allocations_left, -1), 0) << "the wait took memory";
    EXPECT_TRUE(all_returned);
  }).join();
}

TEST(PoolWithoutMemory, APostThatFailsHasQueuedNothingAndKeepsNothing) {
  ThreadPoolExecutor pool(1);
  pool.submit([] {}).result();
  const auto token = std::make_shared<int>(0);
  std::size_t accepted = 1;
  const std::array<char, 200> large{};  // not from the cache
  const int failures = fail_at_each_allocation(
      [&] {
        pool.post([token, large] { static_cast<void>(large); });
        ++accepted;
      },
      [&] {
        EXPECT_EQ(pool.stats().submitted, accepted);
        EXPECT_TRUE(eventually([&token] { return token.use_count() == 1; }));
      });
  EXPECT_GE(failures, 1);
  pool.shutdown();
  EXPECT_EQ(pool.stats().done, accepted);
}

TEST(PoolWithoutMemory, ManySubmittedAtOnceAreAllQueuedOrNone) {
  ThreadPoolExecutor pool({.max_workers = 1});
  pool.submit([] {}).result();
  std::vector<int> numbers(1500, 1);  // more than a block of the queue holds
  std::vector<Future<int>> futures;
  pool.pause();
  const int failures =
      fail_at_each_allocation([&] { futures = pool.submit_each([](int x) { return x; }, numbers); },
                              [&] { EXPECT_EQ(pool.stats().submitted, 1U); });
  EXPECT_GE(failures, 1500);
  EXPECT_EQ(pool.stats().queued, 1500U);
  pool.resume();
  for (const auto& future : futures) EXPECT_EQ(future.result(), 1);
}

TEST(PoolWithoutMemory, AThenThatFailsLeavesTheFutureAsItWas) {
  ThreadPoolExecutor pool(1);
  pool.submit([] {}).result();
  for (const bool on_the_pool : {false, true}) {
    Promise<int> promise;
    const Future<int> future = promise.future();
    int calls = 0;
    Future<int> last;
    const auto next = [&calls](int x) { return ++calls, x + 1; };
    const int failures = fail_at_each_allocation(
        [&] { last = on_the_pool ? future.then(pool, next) : future.then(next); },
        [&] { EXPECT_FALSE(future.done()); });
    EXPECT_GE(failures, 1);
    promise.set_result(1);
    EXPECT_EQ(last.result(), 2);
    EXPECT_EQ(calls, 1) << "those that failed have left nothing behind";
  }
}

TEST(PoolWithoutMemory, AnAddDoneCallbackThatFailsAddsNothing) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  int calls = 0;
  const int failures = fail_at_each_allocation(
      [&] { future.add_done_callback([&calls](const Future<int>&) { ++calls; }); }, [] {});
  EXPECT_GE(failures, 1);
  promise.set_result(1);
  EXPECT_EQ(calls, 1);
}

// ---- No threads. With the library of support/refuse_threads.cpp preloaded.

class PoolWithoutThreads : public ::testing::Test {
 protected:
  void SetUp() override {
    allow_ = reinterpret_cast<void (*)(long)>(::dlsym(RTLD_DEFAULT, "conc_test_allow_threads"));
    if (allow_ == nullptr) GTEST_SKIP() << "Skipped: libconc_refuse_threads is not preloaded";
  }
  void TearDown() override {
    if (allow_ != nullptr) allow_(-1);
  }
  void allow(long n) const { allow_(n); }

 private:
  void (*allow_)(long) = nullptr;
};

TEST_F(PoolWithoutThreads, WithNoneSubmitThrowsAndNothingIsQueuedAndLaterItWorks) {
  ThreadPoolExecutor pool(2);
  const auto token = std::make_shared<int>(3);
  allow(0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(pool.submit([token] { return *token; }), std::system_error);
    EXPECT_THROW(pool.post([token] {}), std::system_error);
  }
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(pool.stats().submitted, 0U);
  EXPECT_EQ(pool.stats().workers, 0U);
  allow(-1);
  EXPECT_EQ(pool.submit([token] { return *token; }).result(), 3);
}

TEST_F(PoolWithoutThreads, WithOneAtLeastEverythingRunsAndLaterThereAreMore) {
  for (const std::size_t given : {1U, 2U, 3U}) {
    ThreadPoolExecutor pool(4);
    allow(static_cast<long>(given));
    std::vector<Future<int>> futures;
    for (int i = 0; i < 500; ++i) futures.push_back(pool.submit([i] { return i; }));
    for (int i = 0; i < 500; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i);
    // As many at once as there are threads, and one that has to wait for them.
    Event open;
    std::vector<Future<void>> plugs;
    for (std::size_t i = 0; i <= given; ++i) {
      plugs.push_back(pool.submit([&open] { open.wait(); }));
    }
    EXPECT_TRUE(eventually([&] { return pool.stats().running == given; }));
    EXPECT_EQ(pool.stats().workers, given);
    open.set();
    for (const auto& plug : plugs) plug.wait();

    allow(-1);
    EXPECT_TRUE(eventually([&] { return pool.stats().idle == given; }));
    std::atomic<int> there = 0;
    for (int i = 0; i < 4; ++i) {
      pool.post([&there] {
        ++there;
        EXPECT_TRUE(eventually([&there] { return there == 4; }));
      });
    }
    pool.shutdown();
    EXPECT_EQ(there, 4);
  }
}

TEST_F(PoolWithoutThreads, LaterSubmissionsFindMoreThoughNoWorkerCameToRest) {
  Event free;
  ThreadPoolExecutor pool(4);
  allow(1);
  const auto waits = pool.submit([&free] { return free.wait(30s); });
  EXPECT_TRUE(eventually([&waits] { return waits.running(); }));
  const auto frees = pool.submit([&free] { free.set(); });
  EXPECT_EQ(pool.stats().workers, 1U);
  allow(-1);
  EXPECT_TRUE(eventually([&] {
    pool.post([] {});
    return frees.done();
  }));
  EXPECT_TRUE(waits.result());
}

TEST_F(PoolWithoutThreads, ATaskThatWaitsStillRunsItsOwnChild) {
  ThreadPoolExecutor pool(2);
  allow(1);
  const auto parent = pool.submit([&pool] { return pool.submit([] { return 5; }).result(); });
  EXPECT_EQ(parent.result(), 5);
}

// ---- The machine

TEST(PoolDefaults, AreAFewMoreWorkersThanTheProcessorsOfTheAffinity) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  const ThreadPoolExecutor pinned;
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(pinned.max_workers(), 5U);
  const ThreadPoolExecutor free;
  EXPECT_LE(free.max_workers(),
            std::min<std::size_t>(32, static_cast<std::size_t>(CPU_COUNT(&before)) + 4));
}

TEST(PoolStats, KnowHowLongCallsWaitAndRun) {
  ThreadPoolExecutor pool(1);
  const auto spin = [](std::chrono::nanoseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
  };
  pool.pause();
  // By a new thread: each of the first calls that a thread submits is measured.
  std::thread([&] {
    for (int i = 0; i < 90; ++i) pool.post([spin] { spin(10us); });
    for (int i = 0; i < 10; ++i) pool.post([spin] { spin(2ms); });
  }).join();
  pool.resume();
  pool.shutdown();
  const auto stats = pool.stats();
  EXPECT_EQ(stats.done, 100U);
  EXPECT_GE(stats.run.median, 8us);  // to within an eighth
  EXPECT_GE(stats.run.p99, 1750us);
  EXPECT_GE(stats.run.most, stats.run.p99);
  EXPECT_GE(stats.run.p99, stats.run.p90);
  EXPECT_GE(stats.run.p90, stats.run.median);
  EXPECT_GE(stats.wait.median, 400us * 7 / 8) << "behind 50 that took 10 us each";
  EXPECT_GE(stats.wait.most, 18ms * 7 / 8) << "the last, behind nine that took 2 ms each";
}

// ---- The end of the process

void spin_for_ever(std::atomic<bool>& never) {
  while (!never.load()) std::this_thread::yield();
}

// The pool is a global: its destructor runs what is queued.
int global_pool() {
  static std::atomic<int> ran = 0;
  static struct Count {
    ~Count() { ::_exit(ran == 1000 ? 3 : 4); }  // made before the pool, so destroyed after it
  } count;
  static ThreadPoolExecutor pool(2);
  for (int i = 0; i < 1000; ++i) pool.post([] { ++ran; });
  return 5;
}

// Nobody destroys the pool, whose workers never come to rest.
int leaked_busy_pool() {
  static std::atomic<bool> never = false;
  static auto* const pool = new ThreadPoolExecutor(2);
  static std::vector<Future<void>> futures;
  for (int i = 0; i < 10; ++i) futures.push_back(pool->submit([] { spin_for_ever(never); }));
  static_cast<void>(eventually([] { return pool->stats().running == 2; }));
  return 3;
}

// Tasks go on to submit tasks while the process ends.
int leaked_spawning_pool() {
  static auto* const pool = new ThreadPoolExecutor(2);
  static std::function<void()> spawn = [] {
    pool->post(spawn);
    std::this_thread::yield();
  };
  for (int i = 0; i < 4; ++i) pool->post(spawn);
  static_cast<void>(eventually([] { return pool->stats().done > 100; }));
  std::quick_exit(3);
}

// A task ends the process, and the destructor of its own pool with it.
int exit_in_a_task() {
  static ThreadPoolExecutor pool(2);
  pool.post([] { std::exit(3); });
  for (;;) std::this_thread::yield();
}

const std::map<std::string, int (*)()>& scenarios() {
  static const std::map<std::string, int (*)()> all = {
      {"global_pool", global_pool},
      {"leaked_busy_pool", leaked_busy_pool},
      {"leaked_spawning_pool", leaked_spawning_pool},
      {"exit_in_a_task", exit_in_a_task},
  };
  return all;
}

class EndOfTheProcess : public ::testing::TestWithParam<const char*> {};

TEST_P(EndOfTheProcess, NeitherHangsNorCrashesWithABusyPool) {
  for (int i = 0; i < 10; ++i) {
    const ChildEnd end = run_child(GetParam());
    EXPECT_EQ(end.status, 3) << end.output;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EndOfTheProcess,
                         ::testing::Values("global_pool", "leaked_busy_pool",
                                           "leaked_spawning_pool", "exit_in_a_task"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = conc::test::run_scenario(scenarios())) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
